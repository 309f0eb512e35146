"""Light curves of all sectors from a service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tessera.checks import check_switch
from tessera.client.cuts.orders import Sectors, check_product, read_sectors
from tessera.client.places import TargetInput, check_cube, read_position
from tessera.client.previews import aperture_digits, read_sides
from tessera.client.wire.exchange import check_kind, exchange
from tessera.client.wire.failures import NothingFoundError, RefusedRequestError
from tessera.client.wire.steps import Service, Steps
from tessera.cutouts.results import Size
from tessera.lightcurves.background import BackgroundModel, check_background
from tessera.lightcurves.detrending.vector_files import VECTORS_END, read_vectors
from tessera.lightcurves.detrending.vectors import CotrendingVectors
from tessera.lightcurves.detrending.words import Detrending, check_detrend
from tessera.lightcurves.quality import Quality, quality_bits
from tessera.stitching.curve import LeftOut, StitchedCurve
from tessera.stitching.levels import GAP_DAYS, Level, check_gap, check_level
from tessera.stitching.parts import join_parts
from tessera.tess.ids import cube_stem

_WORDS = ("all", "default")


class LightCurveOperations:
    """Operations for light curves of all sectors and their cotrending vectors, as steps for a transport."""

    service: Service

    def lightcurve(
        self,
        target: TargetInput,
        size: Size = 11,
        *,
        sectors: Sectors = None,
        product: str = "SPOC",
        aperture: Any = None,
        background: bool | BackgroundModel = True,
        quality: Quality = "default",
        detrend: Detrending = "none",
        level: Level = "divide",
        gap: float = GAP_DAYS,
        flags: bool = False,
    ) -> Steps[StitchedCurve]:
        """Ask for one light curve of all sectors of a target.

        If the windows of all sectors are too large for one answer, the client asks for some sectors at a time.

        Parameters
        ----------
        target : (ra, dec), SkyCoord or str
            Position in degrees, or name.
        size : int or (int, int), optional
            Pixels, at most 100: one value for both axes, or (rows, columns).
        sectors : int or list of int, optional
            Sectors; all by default.
        product : {'SPOC', 'TICA'}, optional
            Kind of frames.
        aperture : array of bool, shape (n_rows, n_columns), or str, optional
            Pixels that are summed in each sector: an array, hexadecimal digits, or ``all``. By default, the pixels of
            the star in each sector.
        background : bool, 'median', 'rows' or 'components', optional
            Background that is subtracted from every cadence, see `TargetPixels.to_lightcurve`.
        quality : {'default', 'hard', 'hardest', 'none'} or int, optional
            Cadences with one of these quality bits are left out.
        detrend : {'none', 'pld', 'cbv'}, optional
            How each sector is detrended, see `TargetPixels.to_lightcurve`; the service has the vectors for 'cbv'.
        level : {'divide', 'shift', 'none'}, optional
            What brings the sectors to one level; see `tessera.stitch`.
        gap : float, optional
            Longest time in days between two points that is not called a gap.
        flags : bool, optional
            Whether quality bits of Tessera are set, and collateral pixels left out; see `CutoutOptions`.

        Returns
        -------
        StitchedCurve
            The light curve, with what was done to each sector, the gaps, and what is left out.

        Raises
        ------
        InvalidInputError
            When an argument has a value that is not allowed.
        NothingFoundError
            When nobody knows the name, or no sector can be used; the error says why.
        ServiceError
            When the service cannot answer.
        """
        pair, place = read_sides(size), read_position(target)
        query: dict[str, Any] = {"size": pair, "product": check_product(product)}
        query |= {"background": check_background(background) or "none", "quality": quality_bits(quality)}
        query |= {"detrend": check_detrend(detrend), "level": check_level(level), "gap": check_gap(gap)}
        query |= {"ra": place.ra, "dec": place.dec} if place.is_known else {"name": place.name}
        query |= {"flags": True} if check_switch("flags", flags) else {}
        if sectors is not None:
            query["sectors"] = read_sectors(sectors)
        if aperture is not None:
            is_word = isinstance(aperture, str) and aperture in _WORDS
            query["aperture"] = aperture if is_word else aperture_digits(aperture, pair)
        try:
            return (yield from self._stitched(query))
        except RefusedRequestError as error:
            if len(error.parts) < 2:
                raise
            asked = error.parts
        return (yield from self._in_parts(query, asked))

    def _stitched(self, query: dict[str, Any]) -> Steps[StitchedCurve]:
        """The light curve of one request."""
        request = self.service.get("/v1/lightcurve.fits", **query)
        with (yield from exchange(request, self.service)) as answer:
            check_kind(answer, self.service, ["application/fits"], "a FITS file")
            return StitchedCurve.read(answer.read())

    def _in_parts(self, query: dict[str, Any], asked: Sequence[Sequence[int]]) -> Steps[StitchedCurve]:
        """The light curve of several requests, each for some sectors."""
        parts: list[StitchedCurve] = []
        left_out: list[LeftOut] = []
        self.service.narrator.say("one answer cannot have all sectors; they are asked for in %d parts", len(asked))
        for sectors in asked:
            try:
                parts.append((yield from self._stitched(query | {"sectors": list(sectors)})))
            except NothingFoundError as error:
                left_out += [LeftOut(sector, 0, 0, "", str(error), failed=True) for sector in sectors]
                if len(left_out) == sum(map(len, asked)):
                    raise
        return join_parts(parts, query["level"], query["gap"], left_out)

    def cotrending_vectors(self, cube: str) -> Steps[CotrendingVectors]:
        """Ask for the cotrending vectors of a cube, which `TargetPixels.to_lightcurve` takes as `vectors`.

        Parameters
        ----------
        cube : str
            Name of a cube that the service has built.

        Returns
        -------
        CotrendingVectors
            What the light curves of the CCD have in common.

        Raises
        ------
        InvalidInputError
            When the argument is no name of a cube.
        NothingFoundError
            When the service does not have the cube, or vectors of it.
        ServiceError
            When the service cannot answer.
        """
        path = f"/v1/cubes/{check_cube(cube)}/vectors.fits"
        with (yield from exchange(self.service.get(path), self.service)) as answer:
            check_kind(answer, self.service, ["application/fits"], "a FITS file")
            found = read_vectors(path, answer.read())
        return replace(found, location=f"{cube_stem(cube)}{VECTORS_END}")
