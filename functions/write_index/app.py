"""Bring the footprint index up to date with a run."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.index.write_index import require_outcomes, write_index
from tessera_cloud.application.indexing import RunRef
from tessera_cloud.bootstrap import Provider, services
from tessera_cloud.observability import count, logger


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext, services: Provider = services) -> dict[str, Any]:
    ref = RunRef.model_validate(event)
    summary = write_index(ref, store=services().store)
    log = logger.warning if summary.failed or summary.removed else logger.info
    log("wrote the index", run=ref.run, **summary.model_dump(mode="json"))
    count("CubesRead", summary.read)
    count("CubesRemoved", summary.removed)
    count("CubesUnreadable", summary.failed)
    require_outcomes(summary)
    return summary.model_dump(mode="json")
