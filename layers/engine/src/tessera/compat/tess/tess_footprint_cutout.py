"""`TessFootprintCutout`: cutouts of targets from all cubes that cover them, found in an index of footprints.

Tessera's own index has the columns bucket and key, which give the address of each cube. With an index without these
columns, all cubes are in one folder and are found by their names.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table

from tessera.checks import check_switch
from tessera.compat.tess.cube_cutout import CubeCutoutInstance
from tessera.compat.tess.footprint_search import ARCSEC_PER_PX, ra_dec_crossmatch
from tessera.compat.tess.tess_cube_cutout import TessCubeCutout
from tessera.coverage.footprint_index import INDEXES, ccd_ids
from tessera.errors import DataWarning, InvalidInputError, InvalidQueryError
from tessera.inputs import CutoutSize, parse_coordinates, parse_size_input, sky_text
from tessera.io.sources import Location, check_locations
from tessera.narrator import Narrator
from tessera.sky.coordinates import Coordinates
from tessera.tess.ids import CcdId
from tessera.tess.products import SPOC, parse_product


def get_ffis(s3_footprint_cache: Location) -> Table:
    """Read an index of footprints. It stays in memory for 15 minutes.

    Parameters
    ----------
    s3_footprint_cache : str or Path
        Local path, ``s3://`` or ``https://`` URL of the index.

    Returns
    -------
    Table
        Columns of the index, and ``polygon``: the corners as unit vectors, shape (n, 4, 3).

    Raises
    ------
    OSError
        When the index cannot be read.
    """
    return INDEXES.read(s3_footprint_cache)


def get_tess_sectors(coordinates: Coordinates, cutout_size: CutoutSize, *, footprints: Location | None = None) -> Table:
    """Find the sectors and the CCDs that cover a target.

    Parameters
    ----------
    coordinates : SkyCoord or str
        Position of one target.
    cutout_size : int, array, list, tuple or Quantity
        See `ra_dec_crossmatch`.
    footprints : str or Path, optional
        Path or URL of the index of footprints; by default MAST's index.

    Returns
    -------
    Table
        Columns sectorName, sector, camera and ccd. The table is empty when no sector covers the target.

    Raises
    ------
    InvalidInputError
        When more than one target is given, or the position or the size is not allowed.
    """
    given = _check_location("footprints", footprints)
    index = get_ffis(given or TessFootprintCutout.S3_FOOTPRINT_CACHE)
    found = ccd_ids(ra_dec_crossmatch(index, coordinates, cutout_size, TessFootprintCutout.ARCSEC_PER_PX))
    rows = [(str(row["obs_id"]), ccd.sector, ccd.camera, ccd.ccd) for row, ccd in found]
    names = ["sectorName", "sector", "camera", "ccd"]
    return Table(rows=rows or None, names=names, dtype=["S20", "i4", "i4", "i4"])


def _parse_sequence(sequence: int | Sequence[int] | None) -> list[int] | None:
    if sequence is None:
        return None
    several = isinstance(sequence, Iterable) and not isinstance(sequence, (str, bytes)) and np.ndim(sequence) > 0
    listed: list[Any] = list(sequence) if several else [sequence]  # type: ignore[arg-type] # it is iterable
    integers = all(isinstance(item, (int, np.integer)) and not isinstance(item, bool) for item in listed)
    if not listed or not integers:
        raise InvalidInputError("sequence", sequence, "the number of a sector, a list of them, or None for all")
    return [int(item) for item in listed]


def _check_location(argument: str, location: Location | None) -> Location | None:
    return None if location is None else check_locations(argument, [location])[0]


class _MatchedCubeCutout(TessCubeCutout):
    """Cutouts of cubes, when the targets that each cube covers are known."""

    def __init__(self, matches: dict[Location, list[int]], coordinates: list[SkyCoord], *options: Any) -> None:
        self._matches = matches
        super().__init__(list(matches), coordinates, *options)

    def _targets(self, file: Location) -> Sequence[int]:
        return self._matches[file]


class TessFootprintCutout:
    """Cutouts of one or several targets from every cube that covers them. The constructor makes them.

    Parameters
    ----------
    coordinates, cutout_size, fill_value, limit_rounding_method, verbose
        See `TessCubeCutout`.
    sequence : int or list of int, optional
        Numbers of the sectors to search; by default all.
    product : {'SPOC', 'TICA'}, optional
        Kind of the frames.
    footprints : str or Path, optional
        Local path, ``s3://`` or ``https://`` URL of the index of footprints; by default MAST's index. The index stays
        in memory for 15 minutes.
    cubes : str or Path, optional
        Folder of the cubes. By default the addresses in the index are used, or MAST's folder if the index has none.

    Attributes
    ----------
    tess_cube_cutout : TessCubeCutout
        Object that made the cutouts.
    cutouts, cutouts_by_file, tpf_cutouts, tpf_cutouts_by_file
        See `TessCubeCutout`. The files are addresses of cubes.

    Raises
    ------
    InvalidInputError
        When an argument has a value that is not allowed.
    InvalidQueryError
        When no cube covers a target. A cube that does not exist is skipped with a `DataWarning`.
    """

    ARCSEC_PER_PX = ARCSEC_PER_PX
    S3_FOOTPRINT_CACHE = SPOC.mast_footprints
    S3_BASE_FILE_PATH = SPOC.mast_cubes

    def __init__(  # noqa: PLR0917 - astrocut's signature
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
        self._footprints = _check_location("footprints", footprints)
        self._cubes = _check_location("cubes", cubes)
        self._options = (self._size, fill_value, limit_rounding_method, "auto", verbose)
        self.cutout()

    def cutout(self) -> None:
        """Make the cutouts. The constructor calls this method."""
        matches = self._find_cubes()
        self._narrator.say("Found %d matching files.", len(matches))
        self._narrator.say("Generating cutouts...")
        self.tess_cube_cutout: TessCubeCutout = _MatchedCubeCutout(matches, self._coordinates, *self._options)

    def _find_cubes(self) -> dict[Location, list[int]]:
        """Map each cube to the numbers of the targets that it covers."""
        index = get_ffis(self._footprints or self._product.mast_footprints)
        self._narrator.say("Found %d footprint files.", len(index))
        if self._sequence is not None:
            sectors = ", ".join(map(str, self._sequence))
            index = index[np.isin(index["sequence_number"], self._sequence)]
            if len(index) == 0:
                raise InvalidQueryError(f"No files were found for sequences: {sectors}")
            self._narrator.say("Filtered to %d footprints for sequences: %s", len(index), sectors)
        matches: dict[Location, list[int]] = {}
        missing = []
        for number, sky in enumerate(self._coordinates):
            found = ccd_ids(ra_dec_crossmatch(index, sky, self._size, self.ARCSEC_PER_PX), self._product)
            for row, ccd in found:
                matches.setdefault(self._cube_location(row, ccd), []).append(number)
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
        self,
        output_dir: Location = ".",
        filename: Location | None = None,
        legacy_filenames: bool = False,
        *,
        provenance: bool = False,
    ) -> str:
        """Write the target pixel files into an archive; see `TessCubeCutout.write_as_zip`."""
        return self.tess_cube_cutout.write_as_zip(output_dir, filename, legacy_filenames, provenance=provenance)


def cube_cut_from_footprint(  # noqa: PLR0917 - astrocut's signature
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
        Whether to return the target pixel files and write nothing.
    output_dir : str or Path, optional
        Folder of the files. It is created if it does not exist.
    legacy_filenames : bool, optional
        Whether to name the files as the TESSCut service does.

    Returns
    -------
    list of str or list of HDUList
        Paths of the files; with `memory_only`, the target pixel files themselves.

    Raises
    ------
    InvalidInputError, InvalidQueryError
        See `TessFootprintCutout`.
    """
    in_memory = check_switch("memory_only", memory_only)
    made = TessFootprintCutout(
        coordinates,
        cutout_size,
        sequence=sequence,
        verbose=verbose,
        product=product,
        footprints=footprints,
        cubes=cubes,
    )
    return made.tpf_cutouts if in_memory else made.write_as_tpf(output_dir, legacy_filenames)
