"""Cut a small, known cutout through the service's own address, and compare its pixels."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.canary import Target, look
from tessera_cloud.bootstrap import Provider, services
from tessera_cloud.observability import logger, measure


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext, services: Provider = services) -> dict[str, Any]:
    svc = services()
    target = Target.model_validate_json(svc.settings.canary_target)
    seen = look(svc.settings.canary_url, target, fetch=svc.fetch, state=svc.state)
    log = logger.error if seen.outcome == "failed" else logger.info
    log("canary", url=svc.settings.canary_url, **seen.model_dump())
    measure("CanaryFailed", float(seen.outcome == "failed"))
    return seen.model_dump()
