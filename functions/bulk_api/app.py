"""API of lists of targets: their price, jobs that work on them, and uploads."""

from tessera_cloud.bootstrap import services
from tessera_cloud.http.bulk import routes as bulk_routes
from tessera_cloud.http.framework.app import build_handler
from tessera_cloud.snapshot import preload

preload("tessera.bulk.lists.read", "tessera.bulk.plan.price", "tessera.bulk.plan.whole")
lambda_handler = build_handler(bulk_routes.group, services=services, counts_time=True)
