"""Record that a job failed, and start the jobs whose turn it is."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.jobs.turns import TendTask, tend
from tessera_cloud.application.jobs.work import cutouts
from tessera_cloud.application.vo.uws.work import sweep_uws
from tessera_cloud.bootstrap import Provider, services
from tessera_cloud.observability import logger


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext, services: Provider = services) -> dict[str, Any]:
    task = TendTask.model_validate(event)
    found = tend(task, services())
    if task.queue == "queue" and not task.job:
        sweep_uws(services(), cutouts(services().settings, task.machine))
    failure: dict[str, Any] = task.error.model_dump(by_alias=True) if task.error else {}
    if task.job:
        logger.error("job failed", job=task.job, attempt=task.attempt, **failure)
    if found:
        logger.warning("jobs had ended unnoticed", jobs=found)
    return failure
