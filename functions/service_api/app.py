"""What does not cut: jobs, the catalogue, builds, and the API's documentation."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.http import build_routes, catalogue_routes, job_routes, map_routes, page_routes, portal_routes
from tessera_cloud.http.app import make_handler
from tessera_cloud.observability import logger

handle = make_handler(
    job_routes.door,
    catalogue_routes.door,
    map_routes.door,
    build_routes.door,
    portal_routes.door,
    page_routes.door,
)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return handle(event, context)
