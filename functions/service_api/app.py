"""API of everything that does not cut: jobs, the catalogue, builds, and the documentation of the API."""

from tessera_cloud.bootstrap import services
from tessera_cloud.http.builds import routes as build_routes
from tessera_cloud.http.catalogue import coverage_routes, map_routes, measure_routes, portal_routes
from tessera_cloud.http.catalogue import routes as catalogue_routes
from tessera_cloud.http.cutouts import job_routes
from tessera_cloud.http.documents import routes as page_routes
from tessera_cloud.http.framework.app import build_handler
from tessera_cloud.snapshot import preload

preload("astropy.wcs.utils")
lambda_handler = build_handler(
    job_routes.group,
    catalogue_routes.group,
    map_routes.group,
    coverage_routes.group,
    measure_routes.group,
    build_routes.group,
    portal_routes.group,
    page_routes.group,
    services=services,
)
