"""Hold a client until its job ends. Many clients wait at the same time, so this function is small."""

from tessera_cloud.bootstrap import services
from tessera_cloud.http.cutouts import wait_routes
from tessera_cloud.http.framework.app import build_handler

lambda_handler = build_handler(wait_routes.group, services=services, counts_time=True)
