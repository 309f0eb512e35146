"""The operations of a client, written once for `tessera.Client` and `tessera.AsyncClient`."""

from __future__ import annotations

from tessera.checks import check_integer
from tessera.client.bulk.operations import ListOperations
from tessera.client.cuts.cutting import Delivery, cut, resolve, settle_position
from tessera.client.cuts.jobs import JobsOperations
from tessera.client.cuts.orders import Sectors, check_form, check_product, read_size
from tessera.client.cuts.results import ServiceCutout
from tessera.client.images import ImageOperations
from tessera.client.lightcurves import LightCurveOperations
from tessera.client.neighbours import NeighbourOperations
from tessera.client.places import Region, TargetInput, check_name, check_radius
from tessera.client.previews import PreviewOperations
from tessera.client.records import CubeFootprint, MapSector, ServiceCube, ServiceHealth, Sighting
from tessera.client.wire.documents import Fields, ask, each
from tessera.client.wire.failures import DamagedAnswerError
from tessera.client.wire.steps import Service, Steps
from tessera.cutouts.results import CutoutOptions, Size
from tessera.errors import InvalidInputError
from tessera.io.outputs import output_folder
from tessera.io.sources import Location
from tessera.progress import ProgressInput, counting
from tessera.targets.places import NamedPlace

_PAGE = 1000


def _page(fields: Fields) -> tuple[list[ServiceCube], str]:
    """Cubes of a page, and the address of the next one, if there is one."""
    return [ServiceCube.read(item) for item in fields.each("cubes")], fields.optional_text("next")


class Operations(
    JobsOperations, PreviewOperations, LightCurveOperations, NeighbourOperations, ImageOperations, ListOperations
):
    """Operations of a service, as steps for a transport.

    Parameters
    ----------
    service : Service
        The service.
    """

    def __init__(self, service: Service) -> None:
        self.service = service

    def health(self) -> Steps[ServiceHealth]:
        """Ask whether the service works.

        Returns
        -------
        ServiceHealth
            Status, version, and number of cubes.

        Raises
        ------
        ServiceError
            When the service does not answer, or the server is no Tessera service.
        """
        return ask(self.service.get("/v1/health"), self.service, ServiceHealth.read)

    def cubes(
        self,
        *,
        sector: int | None = None,
        camera: int | None = None,
        ccd: int | None = None,
        product: str | None = None,
    ) -> Steps[list[ServiceCube]]:
        """List the cubes of the service.

        Parameters
        ----------
        sector, camera, ccd : int, optional
            Only cubes of this sector, camera and CCD.
        product : {'SPOC', 'TICA'}, optional
            Only cubes of these frames.

        Returns
        -------
        list of ServiceCube
            All such cubes, by name.

        Raises
        ------
        InvalidInputError
            When an argument has a value that is not allowed.
        ServiceError
            When the service cannot answer.
        """
        limits = {"sector": (sector, 99_999), "camera": (camera, 4), "ccd": (ccd, 4)}
        query: dict[str, object] = {
            name: check_integer(name, value, 1, most) for name, (value, most) in limits.items() if value is not None
        }
        query |= {} if product is None else {"product": check_product(product)}
        found: list[ServiceCube] = []
        after = None
        while True:
            request = self.service.get("/v1/cubes", limit=_PAGE, after=after, **query)
            page, following = yield from ask(request, self.service, _page)
            found += page
            if not following:
                return found
            if not page or page[-1].name <= (after or ""):
                raise DamagedAnswerError(f"{self.service.address} lists its cubes without an end")
            after = page[-1].name

    def footprints(
        self, place: TargetInput, *, radius: float = 0.0, product: str = "SPOC"
    ) -> Steps[list[CubeFootprint]]:
        """Find the cubes whose footprint sees a place.

        Parameters
        ----------
        place : (ra, dec), SkyCoord, str or Region
            Position in degrees, name, or convex region.
        radius : float, optional
            Half the side of a square around the position, in degrees, at most 30. A region goes without it.
        product : {'SPOC', 'TICA'}, optional
            Kind of frames.

        Returns
        -------
        list of CubeFootprint
            The cubes, by sector, camera and CCD.

        Raises
        ------
        InvalidInputError
            When an argument has a value that is not allowed.
        ServiceError
            When the service cannot answer.
        """
        word = check_product(product)
        degrees = check_radius(radius)
        query: dict[str, object] = {"product": word}
        if isinstance(place, Region):
            if degrees:
                raise InvalidInputError("radius", radius, "0 with a Region, or a position with a radius")
            query |= {"region": place.text}
        else:
            found = yield from settle_position(place, self.service, "place")
            query |= {"ra": found.ra, "dec": found.dec, "radius": degrees}
        request = self.service.get("/v1/footprints", **query)
        return (yield from ask(request, self.service, each("footprints", CubeFootprint.read)))

    def sky_map(self, product: str = "SPOC") -> Steps[list[MapSector]]:
        """Ask for the footprints of all cubes, by sector.

        Parameters
        ----------
        product : {'SPOC', 'TICA'}, optional
            Kind of frames.

        Returns
        -------
        list of MapSector
            The sectors, each with its dates and the corners of its CCDs.

        Raises
        ------
        InvalidInputError
            When an argument has a value that is not allowed.
        ServiceError
            When the service cannot answer.
        """
        request = self.service.get("/v1/map", product=check_product(product))
        return ask(request, self.service, each("sectors", MapSector.read))

    def targets(
        self, ra: TargetInput, dec: float | None = None, *, product: str = "SPOC", size: Size | None = None
    ) -> Steps[list[Sighting]]:
        """Find the cubes that have a pixel at a position. The WCS of each cube decides.

        Parameters
        ----------
        ra, dec : float
            Position, ICRS degrees. Without `dec`, `ra` is a whole position or a name: a pair, a SkyCoord or a text.
        product : {'SPOC', 'TICA'}, optional
            Kind of frames.
        size : int or (int, int), optional
            Pixels of a window around the position, or (rows, columns). Then the answer counts its science pixels.

        Returns
        -------
        list of Sighting
            The cubes by sector, camera and CCD, with the pixel of each.

        Raises
        ------
        InvalidInputError
            When an argument has a value that is not allowed.
        ServiceError
            When the service cannot answer.
        """
        word = check_product(product)
        target, argument = (ra, "ra") if dec is None else ((ra, dec), "(ra, dec)")
        window = {} if size is None else {"size": read_size(size)}
        if isinstance(window.get("size"), dict):
            raise InvalidInputError("size", size, "pixels: one number, or (rows, columns)")
        place = yield from settle_position(target, self.service, argument)
        request = self.service.get("/v1/targets", ra=place.ra, dec=place.dec, product=word, **window)
        return (yield from ask(request, self.service, each("cubes", Sighting.read)))

    def resolve(self, name: str) -> Steps[NamedPlace]:
        """Find the position of a name. The service also reads written positions.

        Parameters
        ----------
        name : str
            Name, such as ``pi Men`` or ``TIC 261136679``.

        Returns
        -------
        NamedPlace
            The position, and who knew the name.

        Raises
        ------
        InvalidInputError
            When the name is no text.
        NothingFoundError
            When nobody knows the name.
        ServiceError
            When the service cannot answer.
        """
        return resolve(check_name("name", name), self.service)

    def resolve_moving(self, name: str) -> Steps[str]:
        """Find the full name of a body of the solar system.

        Parameters
        ----------
        name : str
            Name, number or designation, such as ``Eleonora`` or ``354``.

        Returns
        -------
        str
            The full name, which `MovingTarget` takes.

        Raises
        ------
        InvalidInputError
            When the name is no text.
        ServiceError
            When JPL Horizons does not know the name, or the service cannot answer.
        """
        request = self.service.get("/v1/resolve", name=check_name("name", name), moving=True)
        return ask(request, self.service, lambda fields: fields.text("name"))

    def cutouts(
        self,
        target: TargetInput,
        size: Size | None = None,
        *,
        sectors: Sectors = None,
        product: str = "SPOC",
        options: CutoutOptions | None = None,
        aperture: str | None = None,
        output_dir: Location | None = None,
        progress: ProgressInput = None,
    ) -> Steps[list[ServiceCutout]]:
        """Cut a target out of all cubes that see it.

        Small cutouts come at once. For large ones the service begins a job, and the client waits for it.

        Parameters
        ----------
        target : (ra, dec), SkyCoord, str, Region, MovingTarget or Ephemeris
            Position in degrees, name, written position, region, body of the solar system, or path as seen from TESS.
        size : int, (int, int) or Quantity, optional
            Size in pixels or as angle: one value for both axes, or (rows, columns). 10 pixels by default. A region has
            its own size.
        sectors : int or list of int, optional
            Sectors; all by default.
        product : {'SPOC', 'TICA'}, optional
            Kind of frames.
        options : CutoutOptions, optional
            Times, cadences, quality flags, layout and placement. The service has no other options.
        aperture : str, optional
            Aperture that the files mark, where ``mask="pipeline"`` finds it: ``default`` as in previews, ``all``, or
            hexadecimal digits of the pixels of a preview. Cubes have others by name, after a comma:
            ``default,tess-s0001-4-2:0e38e0``.
        output_dir : str or Path, optional
            Folder of the files. Without it, the results contain the files as bytes. A file that exists is replaced only
            if it is a target pixel file of the same target, CCD, sector and kind of frames that Tessera made.
        progress : bool or callable, optional
            How the progress of a job is shown; see `tessera.progress.ProgressInput`. It counts cubes.

        Returns
        -------
        list of ServiceCutout
            One result per cube.

        Raises
        ------
        InvalidInputError
            When an argument has a value that is not allowed.
        NothingFoundError
            When nobody knows the name, or no cube has pixels there; the error says why.
        ServiceError
            When the service cannot make the cutouts.
        """
        order = check_form(size, sectors, product, options, aperture).order(target)
        with counting(progress, "cube") as show:
            delivery = Delivery(output_folder(output_dir), target=target, show=show)
            return (yield from cut(order, delivery, self.service))
