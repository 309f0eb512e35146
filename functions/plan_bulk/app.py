"""Plan a list of targets: find their cubes and pixels, and divide the work into bands."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.jobs.records import JobRef
from tessera_cloud.bootstrap import Provider, services
from tessera_cloud.observability import logger


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext, services: Provider = services) -> dict[str, Any]:
    from tessera_cloud.application.bulk.plan_bulk import plan_bulk  # noqa: PLC0415 - a start is light

    ref = JobRef.model_validate(event)
    items = plan_bulk(ref, services())
    facts: dict[str, Any] = items.model_dump(include={"n_bands", "refused"})
    logger.info("list planned", job=ref.job, attempt=ref.attempt, **facts)
    return items.model_dump(mode="json")
