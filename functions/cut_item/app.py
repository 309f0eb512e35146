"""Make the target pixel file of one cube of a job."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.jobs.steps import CutTask, cut_item
from tessera_cloud.bootstrap import Provider, services
from tessera_cloud.observability import logger


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext, services: Provider = services) -> dict[str, Any]:
    task = CutTask.model_validate(event)
    record = cut_item(task, services())
    say = logger.info if record.status == "succeeded" else logger.error
    say("item ended", job=task.job, **record.model_dump(exclude={"name"}))
    return record.model_dump(mode="json")
