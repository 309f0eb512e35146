"""Measure one block of a published cube."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.builds.measure_block import measure_block
from tessera_cloud.application.measures.messages import MeasureTask
from tessera_cloud.bootstrap import Provider, services
from tessera_cloud.observability import logger


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext, services: Provider = services) -> dict[str, Any]:
    task = MeasureTask.model_validate(event)
    outcome = measure_block(task, store=services().store)
    logger.info("block measured", cube=task.cube.key, **outcome.model_dump())
    return outcome.model_dump(mode="json")
