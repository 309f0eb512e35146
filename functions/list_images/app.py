"""List the files of all datasets of images, and write the list of those that must be read."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.images.list_images import list_images
from tessera_cloud.application.indexing import RunRequest
from tessera_cloud.bootstrap import Provider, services
from tessera_cloud.observability import logger


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext, services: Provider = services) -> dict[str, Any]:
    ref = list_images(RunRequest.model_validate(event), services())
    logger.info("listed images", run=ref.run, found=ref.n_found, to_read=ref.n_to_read)
    return ref.model_dump(mode="json")
