"""Read the headers and the table of one cube for the index, and write its sidecar."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.index.messages import CubeTask
from tessera_cloud.application.index.read_cube import read_cube_row
from tessera_cloud.bootstrap import Provider, services
from tessera_cloud.observability import logger


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext, services: Provider = services) -> dict[str, Any]:
    task = CubeTask.model_validate(event)
    svc = services()
    outcome = read_cube_row(task, store=svc.store, cube_bucket=svc.settings.cube_bucket)
    if outcome.row is None:
        logger.warning("a cube cannot be read", run=task.run, obs_id=task.cube.obs_id, reason=outcome.reason)
    else:
        logger.info("read a cube", run=task.run, obs_id=task.cube.obs_id, cadences=outcome.row.n_cadences)
    return {"obs_id": task.cube.obs_id, "read": outcome.row is not None}
