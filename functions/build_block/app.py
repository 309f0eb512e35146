"""Build one block of a cube and upload its parts."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.cube_build import build_block
from tessera_cloud.bootstrap import services
from tessera_cloud.contracts import BlockTask
from tessera_cloud.observability import logger


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    task = BlockTask.model_validate(event)
    record = build_block(task, store=services().store)
    n_bytes = sum(part.size for part in record.parts)
    logger.info("block built", key=task.upload.key, block=task.block, parts=len(record.parts), bytes=n_bytes)
    return {"block": record.block, "parts": len(record.parts)}
