"""Delete cubes that were superseded more than a day ago, and report unfinished uploads."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.builds.clean_up import delete_superseded, find_forgotten
from tessera_cloud.bootstrap import Provider, services
from tessera_cloud.observability import logger


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext, services: Provider = services) -> dict[str, Any]:
    svc = services()
    bucket, now = svc.settings.cube_bucket, svc.now().timestamp()
    deleted = delete_superseded(store=svc.store, bucket=bucket, now=now)
    forgotten = find_forgotten(store=svc.store, bucket=bucket, now=now)
    logger.info("cleaned", deleted=deleted, unfinished_uploads=forgotten)
    return {"deleted": deleted}
