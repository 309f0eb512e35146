"""Turn notifications and scheduled events into listings of sectors, listings into builds, and frames into facts."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.ingest.ccds import IngestPorts
from tessera_cloud.application.ingest.sweeps import IngestLog, send_sweeps, take_messages
from tessera_cloud.bootstrap import Provider, services
from tessera_cloud.ingest_log import list_frames, write_log
from tessera_cloud.observability import logger

LISTING_MS = 150_000
"""Time that must be left for one more listing, or for the headers of one more CCD. The longest take less."""


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext, services: Provider = services) -> dict[str, Any]:
    def has_time() -> bool:
        return context.get_remaining_time_in_millis() > LISTING_MS

    svc = services()
    if event.get("task") == "frames":
        return list_frames(svc, has_time)
    ports = IngestPorts(svc.store, svc.state, svc.queue, svc.executions, svc.settings)
    if "Records" not in event:
        asked = send_sweeps(ports=ports, now=svc.now().timestamp())
        logger.info("listings requested", sweeps=[str(sweep) for sweep in asked])
        return {"asked": len(asked)}
    log, messages = IngestLog(), {record["messageId"]: record["body"] for record in event["Records"]}
    try:
        failed = take_messages(messages, ports=ports, clock=lambda: svc.now().timestamp(), has_time=has_time, log=log)
    finally:
        write_log(log)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
