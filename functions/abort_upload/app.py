"""Throw away the upload of a build that failed."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.cube_build import abort_upload
from tessera_cloud.bootstrap import services
from tessera_cloud.contracts import BuildState
from tessera_cloud.observability import logger


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    state = BuildState.model_validate(event)
    abort_upload(state, store=services().store)
    logger.error("build failed", ccd=state.plan.ccd, build_id=state.plan.build_id, error=event.get("error"))
    return {"aborted": state.upload.key}
