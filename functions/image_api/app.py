"""Images: our own API, and Zcut and Hapcut v0.1."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.http.framework.app import make_handler
from tessera_cloud.http.images import routes as image_routes
from tessera_cloud.http.images import zcut_hapcut_routes as mast_image_routes
from tessera_cloud.observability import logger

handle = make_handler(image_routes.group, mast_image_routes.group)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return handle(event, context)
