"""Record that a list of targets failed, and start the lists whose turn it is."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.jobs.turns import TendTask, tend
from tessera_cloud.bootstrap import Provider, services
from tessera_cloud.observability import logger


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext, services: Provider = services) -> dict[str, Any]:
    task = TendTask.model_validate(event)
    found = tend(task, services())
    failure: dict[str, Any] = task.error.model_dump(by_alias=True) if task.error else {}
    if task.job:
        logger.error("list failed", job=task.job, attempt=task.attempt, **failure)
    if found:
        logger.warning("lists had ended unnoticed", lists=found)
    return failure
