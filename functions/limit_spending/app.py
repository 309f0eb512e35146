"""Pause the service when an alarm says that its budget is spent, and let it go on later."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.limit_spending import look_after, take_alarm
from tessera_cloud.bootstrap import Provider, services
from tessera_cloud.observability import count, logger


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext, services: Provider = services) -> dict[str, Any]:
    alarm = event.get("detail", {})
    rings = alarm.get("state", {}).get("value") == "ALARM"
    outcome = take_alarm(services()) if rings else look_after(services())
    logger.info("looked after spending", outcome=outcome, alarm=alarm.get("alarmName"))
    count("ServicePaused", int(outcome in ("paused", "still paused")))
    return {"outcome": outcome}
