"""Plan the cube of one CCD."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.builds.plan_cube import plan_cube
from tessera_cloud.bootstrap import Provider, services
from tessera_cloud.contracts import BuildRequest
from tessera_cloud.observability import logger


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext, services: Provider = services) -> dict[str, Any]:
    request = BuildRequest.model_validate(event)
    svc = services()
    plan = plan_cube(request, store=svc.store, settings=svc.settings, now=svc.now, pace=svc.pace(tasks=1))
    answer = plan.model_dump(mode="json")
    chosen = {"memory_mb": plan.memory_mb, "sizes": answer["sizes"]}
    logger.info("planned", cube=str(request.cube_id), build_id=plan.build_id, blocks=len(plan.blocks), **chosen)
    return answer
