"""Find the unfinished upload of a planned cube, or begin it."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.builds.uploads import begin_upload
from tessera_cloud.bootstrap import Provider, services
from tessera_cloud.contracts import PlanRef
from tessera_cloud.observability import logger


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext, services: Provider = services) -> dict[str, Any]:
    plan = PlanRef.model_validate(event)
    upload = begin_upload(plan, store=services().store)
    logger.info("upload ready", key=upload.key, upload_id=upload.upload_id)
    return upload.model_dump(mode="json")
