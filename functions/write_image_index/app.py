"""Bring the indexes of all datasets of images up to date."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.images.write_index import require_images, write_image_indexes
from tessera_cloud.application.indexing import RunRef
from tessera_cloud.bootstrap import Provider, services
from tessera_cloud.observability import count, logger


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext, services: Provider = services) -> dict[str, Any]:
    ref, svc = RunRef.model_validate(event), services()
    summary = write_image_indexes(ref, store=svc.store, now=svc.now())
    log = logger.warning if summary.failed or summary.removed else logger.info
    log("wrote the indexes of images", run=ref.run, **summary.model_dump(mode="json"))
    count("ImagesRead", summary.read)
    count("ImagesRemoved", summary.removed)
    count("ImagesUnreadable", summary.failed)
    require_images(summary)
    return summary.model_dump(mode="json")
