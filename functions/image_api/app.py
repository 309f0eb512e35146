"""API of images: our own API, and Zcut and Hapcut v0.1."""

from tessera_cloud.bootstrap import services
from tessera_cloud.http.framework.app import build_handler
from tessera_cloud.http.images import routes as image_routes
from tessera_cloud.http.images import zcut_hapcut_routes as mast_image_routes
from tessera_cloud.snapshot import preload

preload("tessera_cloud.application.images.cut", "tessera_cloud.application.images.files")
lambda_handler = build_handler(image_routes.group, mast_image_routes.group, services=services, counts_time=True)
