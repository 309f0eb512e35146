"""API of lists of targets: their price, jobs that work on them, and uploads."""

from tessera_cloud.bootstrap import services
from tessera_cloud.http.framework.app import build_handler

lambda_handler = build_handler(services=services)
