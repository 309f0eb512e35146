"""Put the files of a job into one archive."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.jobs.archive import finish_job, require_cutouts
from tessera_cloud.application.jobs.records import JobRef
from tessera_cloud.bootstrap import Provider, services
from tessera_cloud.observability import count, logger


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext, services: Provider = services) -> dict[str, Any]:
    ref = JobRef.model_validate(event)
    outcome = finish_job(ref, services())
    logger.info("job ended", job=ref.job, attempt=ref.attempt, **outcome.model_dump(exclude={"finished"}))
    count("Cutouts", outcome.n_succeeded)
    count("CutoutBytes", outcome.bytes)
    require_cutouts(outcome)
    return outcome.model_dump(mode="json")
