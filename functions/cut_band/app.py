"""Make the products of one band of a list of targets."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.bulk.order import BandTask
from tessera_cloud.bootstrap import Provider, services
from tessera_cloud.observability import count, count_usd, logger


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext, services: Provider = services) -> dict[str, Any]:
    from tessera_cloud.application.bulk.cut_band import cut_band  # noqa: PLC0415 - a start is light

    task = BandTask.model_validate(event)
    record = cut_band(task, services())
    say = logger.error if record.reason else logger.info
    say("band ended", job=task.job, **record.model_dump(exclude={"files"}))
    if record.attempt == task.attempt:  # an earlier attempt has counted its bands
        count("BandsEnded")
        count("BulkCutouts", record.n_ok)
        count("BulkFailures", record.n_failed)
        count_usd(gets=record.n_requests)
    return {"made": record.n_ok}
