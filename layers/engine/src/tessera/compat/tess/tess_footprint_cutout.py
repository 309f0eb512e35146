"""`TessFootprintCutout`: cutouts of targets from all cubes that cover them, found by an index of footprints.

Where the index has the columns bucket and key, as the one of Tessera has, they say where a cube is; otherwise cubes are
looked for in one folder, by their names.
"""

from __future__ import annotations

import numbers
import os
import threading
import warnings
from collections.abc import Callable, Sequence
from contextlib import closing
from time import monotonic
from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table

from tessera.compat.narrator import Narrator
from tessera.compat.tess.cube_cutout import CubeCutoutInstance
from tessera.compat.tess.footprint_search import ARCSEC_PER_PX, ccd_ids, parse_index, ra_dec_crossmatch
from tessera.compat.tess.tess_cube_cutout import TessCubeCutout
from tessera.errors import DataWarning, InvalidInputError, InvalidQueryError
from tessera.inputs import Coordinates, CutoutSize, parse_coordinates, parse_size_input, sky_text
from tessera.io.sources import Location, open_source
from tessera.tess.ids import CcdId
from tessera.tess.products import SPOC, parse_product

INDEX_SECONDS = 900.0
"""How long an index is kept before it is read again."""


class FootprintIndexes:
    """Indexes of footprints, each kept for a while.

    Parameters
    ----------
    clock : callable, optional
        Seconds from any beginning.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, Table]] = {}

    def read(self, location: Location) -> Table:
        """An index, from memory or from where it is; see `get_ffis`."""
        name = os.fspath(location)
        with self._lock:
            read_at, table = self._known.get(name, (-np.inf, None))
            if self._clock() - read_at >= INDEX_SECONDS:
                with closing(open_source(location)) as source:
                    table = parse_index(source.read(0, source.size))
                self._known[name] = self._clock(), table
        return table.copy()

    def forget(self) -> None:
        """Read every index again when it is next asked for."""
        with self._lock:
            self._known.clear()


INDEXES = FootprintIndexes()


def get_ffis(s3_footprint_cache: Location) -> Table:
    """Read an index of footprints; it is kept for 15 minutes.

    Parameters
    ----------
    s3_footprint_cache : str or Path
        A local path, ``s3://`` or ``https://``.

    Returns
    -------
    Table
        Its columns, and ``polygon``: the corners as unit vectors, shape (n, 4, 3).
    """
    return INDEXES.read(s3_footprint_cache)


def get_tess_sectors(coordinates: Coordinates, cutout_size: CutoutSize, *, footprints: Location | None = None) -> Table:
    """Tell in which sectors, and on which CCDs, a target is.

    Parameters
    ----------
    coordinates : SkyCoord or str
        One target.
    cutout_size : int, array, list, tuple or Quantity
        See `ra_dec_crossmatch`.
    footprints : str or Path, optional
        The index; by default MAST's.

    Returns
    -------
    Table
        sectorName, sector, camera, ccd; empty when no sector covers the target.
    """
    index = get_ffis(footprints or TessFootprintCutout.S3_FOOTPRINT_CACHE)
    found = ccd_ids(ra_dec_crossmatch(index, coordinates, cutout_size, TessFootprintCutout.ARCSEC_PER_PX))
    rows = [(str(row["obs_id"]), ccd.sector, ccd.camera, ccd.ccd) for row, ccd in found]
    names = ["sectorName", "sector", "camera", "ccd"]
    return Table(rows=rows or None, names=names, dtype=["S20", "i4", "i4", "i4"])


def _parse_sequence(sequence: int | Sequence[int] | None) -> list[int] | None:
    if sequence is None:
        return None
    listed = [sequence] if isinstance(sequence, numbers.Integral) else list(sequence)  # type: ignore[arg-type]
    if not listed or not all(isinstance(item, numbers.Integral) for item in listed):
        raise InvalidInputError("sequence", sequence, "a sector, a list of at least one, or None for all")
    return [int(item) for item in listed]


class _MatchedCubeCutout(TessCubeCutout):
    """Cutouts of cubes of which it is known which targets are on them."""

    def __init__(self, matches: dict[Location, list[SkyCoord]], coordinates: list[SkyCoord], *options: Any) -> None:
        self._matches = matches
        super().__init__(list(matches), coordinates, *options)

    def _targets(self, file: Location) -> Sequence[SkyCoord]:
        return self._matches[file]


class TessFootprintCutout:
    """Cutouts of one or several targets from every cube that covers them; they are made at once.

    Parameters
    ----------
    coordinates, cutout_size, fill_value, limit_rounding_method, verbose
        See `TessCubeCutout`.
    sequence : int or list of int, optional
        Sectors; by default all.
    product : {'SPOC', 'TICA'}, optional
        Kind of the frames.
    footprints : str or Path, optional
        The index of footprints: a local path, ``s3://`` or ``https://``. By default MAST's. It is kept for 15 minutes.
    cubes : str or Path, optional
        The folder of the cubes. By default what the index says, or MAST's.

    Attributes
    ----------
    tess_cube_cutout : TessCubeCutout
        What made the cutouts.
    cutouts, cutouts_by_file, tpf_cutouts, tpf_cutouts_by_file
        See `TessCubeCutout`; files are addresses of cubes.

    Raises
    ------
    InvalidInputError
        For something that cannot be worked with.
    InvalidQueryError
        When nothing covers the targets. A cube that is not there is skipped with a `DataWarning`.
    """

    ARCSEC_PER_PX = ARCSEC_PER_PX
    S3_FOOTPRINT_CACHE = SPOC.mast_footprints
    S3_BASE_FILE_PATH = SPOC.mast_cubes

    def __init__(  # noqa: PLR0917 - the signature that users know
        self,
        coordinates: Coordinates,
        cutout_size: CutoutSize = 25,
        fill_value: float = np.nan,
        limit_rounding_method: str = "round",
        sequence: int | Sequence[int] | None = None,
        verbose: bool = False,
        *,
        product: str = SPOC.name,
        footprints: Location | None = None,
        cubes: Location | None = None,
    ) -> None:
        self._narrator = Narrator(__name__, verbose=verbose)
        self._coordinates = parse_coordinates(coordinates)
        self._size = parse_size_input(cutout_size)
        self._sequence = _parse_sequence(sequence)
        self._product = parse_product(product)
        self._footprints = footprints
        self._cubes = cubes
        self._options = (self._size, fill_value, limit_rounding_method, "auto", verbose)
        self.cutout()

    def cutout(self) -> None:
        """Make the cutouts; the constructor does."""
        matches = self._find_cubes()
        self._narrator.say("Found %d matching files.", len(matches))
        self._narrator.say("Generating cutouts...")
        self.tess_cube_cutout: TessCubeCutout = _MatchedCubeCutout(matches, self._coordinates, *self._options)

    def _find_cubes(self) -> dict[Location, list[SkyCoord]]:
        """Cubes, each with the targets that it covers."""
        index = get_ffis(self._footprints or self._product.mast_footprints)
        self._narrator.say("Found %d footprint files.", len(index))
        if self._sequence is not None:
            sectors = ", ".join(map(str, self._sequence))
            index = index[np.isin(index["sequence_number"], self._sequence)]
            if len(index) == 0:
                raise InvalidQueryError(f"No files were found for sequences: {sectors}")
            self._narrator.say("Filtered to %d footprints for sequences: %s", len(index), sectors)
        matches: dict[Location, list[SkyCoord]] = {}
        missing = []
        for sky in self._coordinates:
            found = ccd_ids(ra_dec_crossmatch(index, sky, self._size, self.ARCSEC_PER_PX), self._product)
            for row, ccd in found:
                matches.setdefault(self._cube_location(row, ccd), []).append(sky)
            if not found:
                missing.append(sky_text(sky))
        if not matches:
            raise InvalidQueryError("The given coordinates were not found within the specified sequence(s).")
        for text in missing:
            warnings.warn(f"{text} was not found within the specified sequence(s).", DataWarning, stacklevel=4)
        return matches

    def _cube_location(self, row: dict[str, Any], ccd: CcdId) -> str:
        if self._cubes is None and "key" in row:
            return f"s3://{row['bucket']}/{row['key']}"
        folder = os.fspath(self._cubes or self._product.mast_cubes)
        return f"{folder.rstrip('/')}/{self._product.cube_name(ccd)}"

    @property
    def cutouts(self) -> list[CubeCutoutInstance]:
        """See `TessCubeCutout`."""
        return self.tess_cube_cutout.cutouts

    @property
    def cutouts_by_file(self) -> dict[Location, Any]:
        """See `TessCubeCutout`."""
        return self.tess_cube_cutout.cutouts_by_file

    @property
    def tpf_cutouts(self) -> list[fits.HDUList]:
        """See `TessCubeCutout`."""
        return self.tess_cube_cutout.tpf_cutouts

    @property
    def tpf_cutouts_by_file(self) -> dict[Location, Any]:
        """See `TessCubeCutout`."""
        return self.tess_cube_cutout.tpf_cutouts_by_file

    def write_as_tpf(self, output_dir: Location = ".", legacy_filenames: bool = False) -> list[str]:
        """Write the target pixel files; see `TessCubeCutout.write_as_tpf`."""
        return self.tess_cube_cutout.write_as_tpf(output_dir, legacy_filenames=legacy_filenames)

    def write_as_zip(
        self, output_dir: Location = ".", filename: Location | None = None, legacy_filenames: bool = False
    ) -> str:
        """Write the target pixel files into an archive; see `TessCubeCutout.write_as_zip`."""
        return self.tess_cube_cutout.write_as_zip(output_dir, filename, legacy_filenames)


def cube_cut_from_footprint(  # noqa: PLR0917 - the signature that users know
    coordinates: Coordinates,
    cutout_size: CutoutSize,
    sequence: int | Sequence[int] | None = None,
    memory_only: bool = False,
    output_dir: Location = ".",
    verbose: bool = False,
    legacy_filenames: bool = False,
    *,
    product: str = SPOC.name,
    footprints: Location | None = None,
    cubes: Location | None = None,
) -> list[str] | list[fits.HDUList]:
    """Cut targets out of every cube that covers them.

    Parameters
    ----------
    coordinates, cutout_size, sequence, verbose, product, footprints, cubes
        See `TessFootprintCutout`.
    memory_only : bool, optional
        Return the target pixel files and write nothing.
    output_dir : str or Path, optional
        Folder.
    legacy_filenames : bool, optional
        Name the files as the TESSCut service does.

    Returns
    -------
    list of str or HDUList
        Paths of the files, or the target pixel files themselves.
    """
    made = TessFootprintCutout(
        coordinates,
        cutout_size,
        sequence=sequence,
        verbose=verbose,
        product=product,
        footprints=footprints,
        cubes=cubes,
    )
    return made.tpf_cutouts if memory_only else made.write_as_tpf(output_dir, legacy_filenames)
