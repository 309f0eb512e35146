"""`TessCubeCutout`: cutouts of cubes under the names that users of astrocut know, without its faults."""

from __future__ import annotations

import io
import os
import warnings
import zipfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from time import monotonic
from typing import Any, TypeAlias

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits

from tessera.compat.narrator import Narrator
from tessera.compat.tess.cube_cutout import CubeCutoutInstance, parse_table_wcs
from tessera.compat.tess.windows_and_names import cutout_name, legacy_cutout_name, rounded_window, zip_name
from tessera.cubes.read_ahead import MemoryBudget
from tessera.cutouts.batching import CUBES_AT_ONCE, PIXEL_BYTES
from tessera.cutouts.open_cube import CubeFile, open_cube
from tessera.errors import UNUSABLE, DataWarning, InputWarning, InvalidInputError, InvalidQueryError, NoOverlapError
from tessera.inputs import (
    Coordinates,
    CutoutSize,
    check_fill_value,
    check_rounding,
    check_threads,
    parse_coordinates,
    parse_size_input,
    sky_text,
)
from tessera.io.files import write_pieces
from tessera.io.ranges import REQUESTS_IN_FLIGHT
from tessera.io.sources import Location, check_locations
from tessera.tess.products import parse_product
from tessera.tpf.fixed import tpf_pieces
from tessera.tpf.primary import CREATOR
from tessera.windows import Side


@dataclass(frozen=True)
class _Skipped:
    file: Location
    reason: Exception
    message: str


_Item: TypeAlias = "CubeCutoutInstance | _Skipped"


class TessCubeCutout:
    """Cutouts of one or several targets from one or several cubes; they are made at once.

    Parameters
    ----------
    input_files : str, Path or list of them
        Cubes of SPOC or TICA frames: local paths, ``s3://`` or ``https://``. Only the pixels of the cutouts are read.
    coordinates : SkyCoord, str, or list of them
        Targets; text is "ra dec" in degrees. All of a list, or of an array, are cut.
    cutout_size : int, array, list, tuple or Quantity, optional
        Pixels or angles: one for both axes, or (columns, rows).
    fill_value : float, optional
        Of pixels beyond the frame.
    limit_rounding_method : {'round', 'ceil', 'floor'}, optional
        How the window's limits are made integers. With 'round', the default as in astrocut, the target is one pixel off
        the centre of most windows of odd size; 'ceil' centres these. See also `tessera.cutouts.batch.make_cutouts`.
    threads : int or 'auto', optional
        More than 1 limits the requests to one remote cube that are in flight at the same time; otherwise they are
        as many as are good for speed.
    verbose : bool, optional
        Print what is done on stderr, unless the logger ``tessera`` shows it.
    product : {'SPOC', 'TICA'}, optional
        The kind of frames that the cubes must be of; by default any.

    Attributes
    ----------
    cutouts_by_file : dict
        Cube, as it was given, to its `CubeCutoutInstance`; with several targets, to a dict of them by "ra dec" with
        eight decimals.
    tpf_cutouts_by_file : dict
        The same for target pixel files as HDULists, made when they are first asked for.

    Raises
    ------
    InvalidInputError
        For something that cannot be worked with.
    InvalidQueryError
        When no cutout has pixels. A cube that cannot be read, or that a target is not on, is skipped with a
        `DataWarning`; if there is but one cube, its own error is raised.
    """

    CubeCutoutInstance = CubeCutoutInstance
    parse_table_wcs = staticmethod(parse_table_wcs)
    parse_size_input = staticmethod(parse_size_input)
    creator = CREATOR
    """What CREATOR says in the files. Programs that know cutouts by this card look for 'astrocut'."""

    def __init__(  # noqa: PLR0917 - the signature that users know
        self,
        input_files: Location | Sequence[Location],
        coordinates: Coordinates,
        cutout_size: CutoutSize = 25,
        fill_value: float = np.nan,
        limit_rounding_method: str = "round",
        threads: int | str = 1,
        verbose: bool = False,
        *,
        product: str | None = None,
    ) -> None:
        self._narrator = Narrator(__name__, verbose=verbose)
        single = isinstance(input_files, (str, os.PathLike))
        files = [input_files] if single else input_files
        self._files = list(dict.fromkeys(check_locations("input_files", files)))  # type: ignore[arg-type] # a list now
        self._coordinates = parse_coordinates(coordinates)
        self._size: tuple[Side, Side] = parse_size_input(cutout_size)
        self._fill_value = check_fill_value(fill_value)
        self._rounding = check_rounding(limit_rounding_method)
        self._row_reads = check_threads(threads) or REQUESTS_IN_FLIGHT
        self._product = None if product is None else parse_product(product)
        self._memory = MemoryBudget(PIXEL_BYTES)
        self._narrator.say("Coordinates: %s", ", ".join(sky_text(sky) for sky in self._coordinates))
        self._narrator.say("Cutout size: [%s %s]", *self._size)
        self.cutout()

    def cutout(self) -> None:
        """Make the cutouts; the constructor does."""
        started = monotonic()
        with ThreadPoolExecutor(CUBES_AT_ONCE) as pool:
            items = [item for found in pool.map(self._cut_cube, self._files) for item in found]
        self.cutouts = [item for item in items if isinstance(item, CubeCutoutInstance)]
        skipped = [item for item in items if isinstance(item, _Skipped)]
        if len(items) == len(skipped) == 1 and not isinstance(skipped[0].reason, NoOverlapError):
            raise skipped[0].reason
        for item in skipped:
            warnings.warn(item.message, DataWarning, stacklevel=3)
        if not self.cutouts:
            raise InvalidQueryError("Cube cutout contains no data! (Check image footprint.)") from skipped[0].reason
        self._narrator.say("Total time: %.2f sec", monotonic() - started)

    def _targets(self, file: Location) -> Sequence[SkyCoord]:  # noqa: ARG002 - for those who know which are where
        """Targets that are looked for in a cube."""
        return self._coordinates

    def _cut_cube(self, location: Location) -> list[_Item]:
        try:
            with open_cube(location, row_reads=self._row_reads) as file:
                self._check_cube(file)
                self._narrator.say(
                    "Using WCS from row %d out of %d", file.cube.wcs_cadence, file.cube.layout.n_cadences
                )
                return [self._cut_target(location, file, sky) for sky in self._targets(location)]
        except UNUSABLE as reason:
            return [_Skipped(location, reason, f"Cube {location} is skipped: {reason}")]

    def _cut_target(self, location: Location, file: CubeFile, sky: SkyCoord) -> _Item:
        self._narrator.say("Cutout center coordinate: %s, %s", sky.ra.deg, sky.dec.deg)
        try:
            window = rounded_window(file.cube, sky, self._size, self._rounding)
            with self._memory.taken(window.n_rows * window.n_columns * file.cube.layout.pixel_bytes):
                cutout = file.read_window(window, self._fill_value)
            instance = CubeCutoutInstance(location, sky, file.cube, cutout)
        except NoOverlapError as reason:
            place = f" at {sky_text(sky)}" if len(self._coordinates) > 1 else ""
            message = f"Cutout footprint does not overlap with data in {location}{place}, skipping..."
            return _Skipped(location, reason, message)
        self._narrator.say("Original image shape: %s", (file.cube.layout.n_rows, file.cube.layout.n_columns))
        self._narrator.say("Image cutout cube shape: %s", instance.shape)
        return instance

    def _check_cube(self, file: CubeFile) -> None:
        product, n_planes = file.cube.product, file.cube.layout.n_planes
        if self._product not in (None, product):
            raise InvalidInputError(
                "product", self._product.name, f"{product.name!r}, which the frames of this cube are"
            )
        if n_planes < product.n_planes:
            message = f"Cube must have at least {product.n_planes} planes (image and uncertainty data)."
            raise InvalidInputError("input_files", file.source.name, f"{product.name} cubes of two planes", message)

    def _by_file(self, values: Iterable[Any]) -> dict[Location, Any]:
        pairs = list(zip(self.cutouts, values, strict=True))
        if len(self._coordinates) == 1:
            return {item.cube_filename: value for item, value in pairs}
        found: dict[Location, Any] = {}
        for item, value in pairs:
            found.setdefault(item.cube_filename, {})[sky_text(item.coordinates)] = value
        return found

    @cached_property
    def cutouts_by_file(self) -> dict[Location, Any]:
        """See the class."""
        return self._by_file(self.cutouts)

    @cached_property
    def tpf_cutouts(self) -> list[fits.HDUList]:
        """Target pixel files, cubes first, in the order in which cubes and targets were given."""
        contents = (b"".join(self._pieces(index)) for index in range(len(self.cutouts)))
        return [fits.open(io.BytesIO(content)) for content in contents]

    @cached_property
    def tpf_cutouts_by_file(self) -> dict[Location, Any]:
        """See the class."""
        return self._by_file(self.tpf_cutouts)

    def _pieces(self, index: int) -> Iterable[bytes]:
        """A target pixel file in pieces; with the changes that the user made to it, if it was asked for before."""
        if "tpf_cutouts" not in self.__dict__:
            return tpf_pieces(self.cutouts[index].tpf_request(self.creator))
        content = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", fits.verify.VerifyWarning)
            self.tpf_cutouts[index].writeto(content, checksum=True)
        return [content.getvalue()]

    def _names(self, legacy: bool) -> list[str]:
        """File names, none of them twice: cubes of the same name get a number."""
        names: dict[str, None] = {}
        for item in self.cutouts:
            number, name = 1, ""
            while not name or name in names:
                stem = item.cube.obs_id if number == 1 else f"{item.cube.obs_id}-{number}"
                sky, window = item.coordinates, item.cutout.window
                name = legacy_cutout_name(stem, sky, window) if legacy else cutout_name(stem, sky, self._size)
                number += 1
            names[name] = None
        return list(names)

    def write_as_tpf(
        self, output_dir: Location = ".", output_file: Location | None = None, legacy_filenames: bool = False
    ) -> list[str]:
        """Write the target pixel files.

        Parameters
        ----------
        output_dir : str or Path, optional
            Folder; it is made where it does not exist.
        output_file : str or Path, optional
            File name of a single cutout.
        legacy_filenames : bool, optional
            Name the files as the TESSCut service does: six decimals, columns x rows of the window.

        Returns
        -------
        list of str
            Paths, in the order of `cutouts`. Each appears when the file is whole.
        """
        names: list[Location] = [*self._names(legacy_filenames)]
        if output_file is not None and len(names) == 1:
            names = [output_file]
        elif output_file is not None:
            warnings.warn(f"{output_file} is not used: there are {len(names)} cutouts.", InputWarning, stacklevel=2)
        folder = Path(output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        paths = [write_pieces(folder / name, self._pieces(index), flush=False) for index, name in enumerate(names)]
        self._narrator.say("Cutout filepaths: %s", [str(path) for path in paths])
        return [path.as_posix() for path in paths]

    def write_as_zip(
        self, output_dir: Location = ".", filename: Location | None = None, legacy_filenames: bool = False
    ) -> str:
        """Write the target pixel files into an archive.

        Parameters
        ----------
        output_dir : str or Path, optional
            Folder; it is made where it does not exist.
        filename : str or Path, optional
            File name; ``.zip`` is added where it is missing. By default target and size, or
            ``astrocut_tess_cutouts.zip`` for several targets.
        legacy_filenames : bool, optional
            See `write_as_tpf`.

        Returns
        -------
        str
            Path. It appears when the archive is whole.
        """
        name = os.fspath(filename) if filename is not None else zip_name(self._coordinates, self._size)
        path = Path(output_dir) / (name if name.lower().endswith(".zip") else f"{name}.zip")
        path.parent.mkdir(parents=True, exist_ok=True)
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            for index, member in enumerate(self._names(legacy_filenames)):
                with archive.open(member, "w", force_zip64=True) as file:
                    for piece in self._pieces(index):
                        file.write(piece)
        return write_pieces(path, [content.getbuffer()]).as_posix()
