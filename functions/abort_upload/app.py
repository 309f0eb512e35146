"""End a failed build: abort its upload, or keep the upload for the next execution."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.builds.uploads import abort_upload
from tessera_cloud.bootstrap import Provider, services
from tessera_cloud.contracts import FailedState
from tessera_cloud.observability import logger


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext, services: Provider = services) -> dict[str, Any]:
    state = FailedState.model_validate(event)
    failure, aborted = abort_upload(state, store=services().store)
    answer = failure.model_dump(mode="json", by_alias=True) | {"aborted": aborted}
    logger.error("build failed", ccd=state.plan.ccd, build_id=state.plan.build_id, error=answer)
    return answer
