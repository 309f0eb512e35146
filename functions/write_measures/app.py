"""Write the reference frame of a cube, and what else was measured of it."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.builds.write_measures import write_measures
from tessera_cloud.application.measures.messages import MeasureState
from tessera_cloud.bootstrap import Provider, services
from tessera_cloud.observability import logger


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext, services: Provider = services) -> dict[str, Any]:
    state = MeasureState.model_validate(event)
    written = write_measures(state, store=services().store)
    logger.info("wrote measures", cube=state.cube.key, **written.model_dump(mode="json"))
    return written.model_dump(mode="json")
