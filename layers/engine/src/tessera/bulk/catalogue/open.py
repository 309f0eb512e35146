"""Read light curves of a list from its catalogue."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from tessera.bulk.catalogue.curves import curve_of, stitch
from tessera.bulk.catalogue.files import CatalogueFile, find_files
from tessera.bulk.catalogue.index import AT, FILE, GROUP, best_by_sector, read_index, touched, within, without_places
from tessera.bulk.catalogue.parts import ParquetParts
from tessera.bulk.products.columns import PURPOSE
from tessera.checks import check_integer, check_number, check_switch
from tessera.errors import InvalidInputError
from tessera.extras import import_extra
from tessera.io.sources import open_source
from tessera.lightcurves.light_curve import LightCurve

if TYPE_CHECKING:
    from astropy.table import Table

_LAST_ROW = 2**62
_HALF_CIRCLE = 180 * 3600


def open_catalogue(path: str | os.PathLike[str]) -> Catalogue:
    """Open the light curves that a list of targets left as Parquet files.

    Parameters
    ----------
    path : str or Path
        Folder of the results, or ``lightcurves`` in it; or the ``s3://`` or ``https://`` URL of a folder that has
        ``manifest.json``. A folder of this machine can be read before the list is finished.

    Returns
    -------
    Catalogue
        The catalogue. Nothing but the names of its files is read yet.

    Raises
    ------
    InvalidInputError
        When there is no catalogue.
    MissingPackageError
        When Arrow is not installed.
    """
    import_extra("arro3.io", PURPOSE)
    return Catalogue(find_files(path))


class Catalogue:
    """Light curves of a list of targets; `open_catalogue` makes it.

    A light curve is read by itself. Of the others, only what `targets` has is read, once.

    Parameters
    ----------
    files : list of CatalogueFile
        Parquet files.
    """

    def __init__(self, files: list[CatalogueFile]) -> None:
        self._files = files

    def __len__(self) -> int:
        """Number of light curves."""
        return len(self._index)

    def __repr__(self) -> str:
        return f"<Catalogue: {len(self)} light curves of {len(self.rows)} targets>"

    @property
    def rows(self) -> list[int]:
        """Rows of the list that have light curves."""
        return sorted(set(self._index["row"].tolist()))

    @cached_property
    def targets(self) -> Table:
        """Table of the light curves, by row of the list, sector, camera and CCD.

        Its columns are those of the files that are no lists, without ``_healpix_29``. Units and descriptions say what
        they are.
        """
        return without_places(self._index)

    def near(self, ra: float, dec: float, radius: float) -> Table:
        """Find the light curves around a position. Only the files of partitions that the circle touches are read.

        Parameters
        ----------
        ra, dec : float
            Centre of the circle, ICRS degrees.
        radius : float
            Radius in arcseconds, from 0 to 648,000.

        Returns
        -------
        Table
            Rows of `targets` and their ``separation`` in arcseconds, the nearest first.

        Raises
        ------
        InvalidInputError
            When the position or the radius is not one.
        """
        centre = check_number("ra", ra), check_number("dec", dec)
        if not np.isfinite(centre[0]):
            raise InvalidInputError("ra", ra, "a number of degrees")
        if not -90 <= centre[1] <= 90:
            raise InvalidInputError("dec", dec, "degrees from -90 to 90")
        if not 0 <= check_number("radius", radius) <= _HALF_CIRCLE:
            raise InvalidInputError("radius", radius, f"arcseconds from 0 to {_HALF_CIRCLE:,}")
        degrees = float(radius) / 3600
        return within(read_index(self._files, touched(self._files, *centre, degrees)), *centre, degrees)

    def curve(
        self, row: int, sector: int | Sequence[int] | None = None, *, cube: str | None = None, stitched: bool = False
    ) -> LightCurve:
        """Read the light curve of a target.

        Of two CCDs that see a target in a sector, the better one is used: see the column ``best`` of `targets`.

        Parameters
        ----------
        row : int
            Number of the target's row in the list, from 1.
        sector : int or sequence of int, optional
            Sector; several with `stitched`. By default the only one, or with `stitched` all.
        cube : str, optional
            Cube, such as ``tess-s0001-4-2``, in place of a sector.
        stitched : bool, optional
            Whether the sectors are joined in order of time, each divided by the median of its cadences without quality
            bits.

        Returns
        -------
        LightCurve
            The light curve, with all cadences. A stitched one has no unit, no background and no aperture.

        Raises
        ------
        InvalidInputError
            When there is no such light curve, or several and it is not said which; or when a sector cannot be stitched,
            because its median is not above 0.
        UnreadableFileError
            When a file is damaged or cannot be read.
        """
        check_integer("row", row, 1, _LAST_ROW)
        check_switch("stitched", stitched)
        entries = self._index[np.asarray(self._index["row"]) == row]
        if not len(entries):
            raise InvalidInputError("row", row, f"a row with a light curve: {_shown(self.rows) or 'there is none'}")
        if cube is not None:
            entries = entries[np.asarray(entries["cube"]) == cube] if isinstance(cube, str) else entries[:0]
            if not len(entries):
                raise InvalidInputError("cube", cube, "a cube of this row, as in the table `targets`")
        best = best_by_sector(entries)
        if stitched:
            return stitch([self._read(best[each]) for each in _sectors(sector, best)])
        wanted = _sectors(sector, best)
        if len(wanted) != 1:
            raise InvalidInputError("sector", sector, f"one of {_shown(best)}, or several with stitched=True")
        return self._read(best[wanted[0]])

    def _read(self, entry: Any) -> LightCurve:
        with closing(open_source(self._files[int(entry[FILE])].location)) as source:
            parts = ParquetParts(source)
            table = parts.read([int(entry[GROUP])])
            return curve_of(table, int(entry[AT]), parts.key_values, source.name)

    @cached_property
    def _index(self) -> Table:
        return read_index(self._files, range(len(self._files)))


def _sectors(given: object, known: dict[int, Any]) -> list[int]:
    """Sectors that a user named, or all."""
    if given is None:
        return sorted(known)
    given = given.tolist() if isinstance(given, np.ndarray) else given
    wanted = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    allowed = f"a sector of this row: {_shown(known)}"
    numbers = [check_integer("sector", each, 1, _LAST_ROW, f"; {allowed}") for each in wanted]
    if unknown := [each for each in numbers if each not in known]:
        raise InvalidInputError("sector", unknown[0], allowed)
    if not numbers:
        raise InvalidInputError("sector", given, f"at least one sector of this row: {_shown(known)}")
    return sorted(set(numbers))


def _shown(numbers: Sequence[int] | dict[int, Any]) -> str:
    some = list(numbers)
    return ", ".join(map(str, some)) if len(some) <= 12 else f"{len(some):,} from {some[0]} to {some[-1]}"
