"""Plan a job: find the cubes that have pixels for it."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.jobs.records import JobRef
from tessera_cloud.application.jobs.steps import plan_job
from tessera_cloud.bootstrap import Provider, services
from tessera_cloud.observability import logger


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext, services: Provider = services) -> dict[str, Any]:
    ref = JobRef.model_validate(event)
    items = plan_job(ref, services())
    logger.info("job planned", job=ref.job, cubes=len(items.items))
    return items.model_dump(mode="json")
