"""Check the parts of a cube, complete its upload, and publish it."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.builds.complete_upload import complete_upload
from tessera_cloud.bootstrap import Provider, services
from tessera_cloud.contracts import BuildState
from tessera_cloud.observability import logger


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext, services: Provider = services) -> dict[str, Any]:
    state = BuildState.model_validate(event)
    cube = complete_upload(state, store=services().store)
    outcome = "published" if cube.build_id == (state.plan.grown_id or state.plan.build_id) else "superseded"
    logger.info(outcome, obs_id=cube.obs_id, build_id=cube.build_id, bytes=cube.size, left_out=len(cube.left_out))
    return {"outcome": outcome, **cube.model_dump(mode="json")}
