"""Build one block of a cube and upload its parts."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.builds.build_block import build_block
from tessera_cloud.bootstrap import Provider, services
from tessera_cloud.contracts import BlockTask
from tessera_cloud.observability import count, count_usd, logger


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext, services: Provider = services) -> dict[str, Any]:
    task = BlockTask.model_validate(event)
    svc = services()
    pace = svc.pace(tasks=task.plan.max_concurrency)
    outcome = build_block(task, store=svc.store, pace=pace, memory_mb=svc.settings.memory_mb)
    sent: dict[str, Any] = {"requests": pace.requests, "repeats": pace.repeats, "refusals": pace.refusals}
    logger.info("block done", build=task.plan.prefix, **outcome.model_dump(), **sent)
    count("BlocksBuilt" if outcome.built else "BlocksFound")
    count("BlockBytes", outcome.size if outcome.built else 0)
    count("FrameGets", pace.requests)
    count_usd(gets=pace.requests)
    count("FrameGetsRepeated", pace.repeats)
    count("FrameGetsRefused", pace.refusals)
    return outcome.model_dump(mode="json")
