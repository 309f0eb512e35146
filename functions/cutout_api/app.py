"""TESSCut v0.1: which sectors see a position, and cutouts of them."""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.http import tesscut_routes
from tessera_cloud.observability import logger

app = APIGatewayRestResolver(enable_validation=True)
app.include_router(tesscut_routes.router)
tesscut_routes.add_error_answers(app)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
