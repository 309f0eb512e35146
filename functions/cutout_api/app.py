"""What cuts: TESSCut v0.1, and cutouts and previews in our own API."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.http.cutouts import routes as cutout_routes
from tessera_cloud.http.framework.app import make_handler
from tessera_cloud.http.previews import routes as preview_routes
from tessera_cloud.http.tesscut import routes as tesscut_routes
from tessera_cloud.observability import logger

handle = make_handler(tesscut_routes.group, cutout_routes.group, preview_routes.group)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return handle(event, context)
