"""Turn notifications and scheduled events into listings of sectors, and listings into builds."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.ingest.ccds import IngestPorts
from tessera_cloud.application.ingest.sweeps import IngestLog, send_sweeps, take_messages
from tessera_cloud.bootstrap import Provider, services
from tessera_cloud.ingest_log import write_log
from tessera_cloud.observability import logger

LISTING_MS = 150_000
"""Time that must be left for one more listing. The longest known listing, with 188,400 frames, takes less."""


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext, services: Provider = services) -> dict[str, Any]:
    svc = services()
    ports = IngestPorts(svc.store, svc.state, svc.queue, svc.executions, svc.settings)
    if "Records" not in event:
        asked = send_sweeps(ports=ports, now=svc.now().timestamp())
        logger.info("listings requested", sweeps=[str(sweep) for sweep in asked])
        return {"asked": len(asked)}
    log = IngestLog()
    try:
        failed = take_messages(
            {record["messageId"]: record["body"] for record in event["Records"]},
            ports=ports,
            clock=lambda: svc.now().timestamp(),
            has_time=lambda: context.get_remaining_time_in_millis() > LISTING_MS,
            log=log,
        )
    finally:
        write_log(log)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
