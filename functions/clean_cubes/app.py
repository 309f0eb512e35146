"""Delete cubes that were superseded more than a day ago."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.builds.clean_up import delete_superseded
from tessera_cloud.bootstrap import Provider, services
from tessera_cloud.observability import logger


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext, services: Provider = services) -> dict[str, Any]:
    svc = services()
    deleted = delete_superseded(store=svc.store, bucket=svc.settings.cube_bucket, now=svc.now().timestamp())
    logger.info("cleaned", deleted=deleted)
    return {"deleted": deleted}
