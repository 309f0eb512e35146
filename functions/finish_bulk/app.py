"""Complete the products of a list of targets, and record how it ended."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.bulk.documents import FinishTask
from tessera_cloud.application.jobs.archive import require_cutouts
from tessera_cloud.bootstrap import Provider, services
from tessera_cloud.observability import count, logger


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext, services: Provider = services) -> dict[str, Any]:
    from tessera_cloud.application.bulk.finish_bulk import finish_bulk  # noqa: PLC0415 - a start is light

    task = FinishTask.model_validate(event)
    outcome = finish_bulk(task, services())
    logger.info("list ended", job=task.job, attempt=task.attempt, **outcome.model_dump(exclude={"finished"}))
    count("BulkBytes", outcome.bytes)
    require_cutouts(outcome)
    return outcome.model_dump(mode="json")
