"""Read the headers of one file of images for the index."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.images.messages import ImageTask
from tessera_cloud.bootstrap import Provider, services
from tessera_cloud.observability import logger


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext, services: Provider = services) -> dict[str, Any]:
    from tessera_cloud.application.images.read_image import read_image_row  # noqa: PLC0415 - takes most of a second

    task = ImageTask.model_validate(event)
    outcome = read_image_row(task, services())
    if outcome.row is None:
        logger.warning("an image cannot be read", dataset=task.dataset, key=task.image.key, reason=outcome.reason)
    return {"read": outcome.row is not None}
