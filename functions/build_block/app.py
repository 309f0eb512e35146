"""Build one block of a cube and upload its parts."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.block_build import build_block
from tessera_cloud.bootstrap import services
from tessera_cloud.contracts import BlockTask
from tessera_cloud.observability import logger


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    task = BlockTask.model_validate(event)
    svc = services()
    outcome = build_block(task, store=svc.store, pace=svc.pace(tasks=task.plan.max_concurrency))
    logger.info("block done", key=task.upload.key, **outcome.model_dump())
    return outcome.model_dump(mode="json")
