"""API of cutouts: TESSCut v0.1, and cutouts, previews, light curves and neighbouring stars in our own API."""

from tessera_cloud.bootstrap import services
from tessera_cloud.http.cutouts import routes as cutout_routes
from tessera_cloud.http.framework.app import build_handler
from tessera_cloud.http.lightcurves import routes as lightcurve_routes
from tessera_cloud.http.neighbours import routes as neighbour_routes
from tessera_cloud.http.previews import routes as preview_routes
from tessera_cloud.http.tesscut import routes as tesscut_routes
from tessera_cloud.snapshot import preload

preload("astropy.wcs.utils", "PIL.Image")
lambda_handler = build_handler(
    tesscut_routes.group,
    cutout_routes.group,
    preview_routes.group,
    lightcurve_routes.group,
    neighbour_routes.group,
    services=services,
)
