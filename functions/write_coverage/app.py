"""Bring the coverage of the sky up to date with the index."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.coverage.write_coverage import write_coverage
from tessera_cloud.bootstrap import Provider, services
from tessera_cloud.observability import count, logger


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext, services: Provider = services) -> dict[str, Any]:
    svc = services()
    summary = write_coverage(store=svc.store, settings=svc.settings, now=svc.now().timestamp())
    logger.info("wrote the coverage", **summary.model_dump(mode="json"))
    count("CoverageMade", summary.made)
    return summary.model_dump(mode="json")
