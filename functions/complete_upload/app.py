"""Check the parts of a cube, complete its upload, and publish it."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.cube_build import complete_upload
from tessera_cloud.bootstrap import services
from tessera_cloud.contracts import BuildState
from tessera_cloud.observability import logger


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    state = BuildState.model_validate(event)
    cube = complete_upload(state, store=services().store)
    logger.info("published", obs_id=cube.obs_id, build_id=cube.build_id, bytes=cube.size, cadences=cube.n_cadences)
    return cube.model_dump(mode="json")
