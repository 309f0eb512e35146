"""API of the Virtual Observatory: SIA finds cubes and images, DataLink shows what belongs to them, SODA cuts them."""

from tessera_cloud.bootstrap import services
from tessera_cloud.http.framework.app import build_handler
from tessera_cloud.http.vo.datalink import routes as datalink_routes
from tessera_cloud.http.vo.errors import complain
from tessera_cloud.http.vo.sia import routes as sia_routes
from tessera_cloud.http.vo.soda import routes as soda_routes
from tessera_cloud.http.vo.uws import routes as uws_routes
from tessera_cloud.http.vo.vosi import routes as vosi_routes
from tessera_cloud.snapshot import preload

preload("astropy.wcs.utils", "tessera_cloud.http.vo.uws.documents")
lambda_handler = build_handler(
    sia_routes.group,
    datalink_routes.group,
    soda_routes.group,
    uws_routes.group,
    vosi_routes.group,
    services=services,
    counts_time=True,
    complain=complain,
)
