"""`TessCubeCutout`: astrocut's class for cutouts of cubes, without its defects."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from time import monotonic
from typing import Any, TypeAlias

import numpy as np
from astropy.io import fits

from tessera.checks import check_switch
from tessera.compat.tess.cube_cutout import CubeCutoutInstance, parse_table_wcs
from tessera.compat.tess.tpf_archive import write_tpf_archive
from tessera.compat.tess.windows_and_names import cutout_name, legacy_cutout_name, rounded_window, zip_name
from tessera.cubes.read_ahead import MemoryBudget
from tessera.cutouts.batching import CUBES_AT_ONCE, PIXEL_BYTES
from tessera.cutouts.cadences import middle_time
from tessera.cutouts.open_cube import CubeFile, open_cube
from tessera.cutouts.output_names import check_replaceable
from tessera.errors import (
    UNUSABLE,
    CubeFormatError,
    DataWarning,
    InputWarning,
    InvalidInputError,
    InvalidQueryError,
    NoOverlapError,
    reason_of,
)
from tessera.inputs import (
    CutoutSize,
    check_cube_fill,
    check_rounding,
    check_threads,
    parse_coordinates,
    parse_size_input,
    sky_text,
)
from tessera.io.files import write_files
from tessera.io.filesystems import in_filesystem
from tessera.io.locations import shown
from tessera.io.outputs import create_folder, file_in_folder, output_path
from tessera.io.ranges import REQUESTS_IN_FLIGHT
from tessera.io.sources import Location, ReplacedError, check_locations
from tessera.narrator import Narrator
from tessera.sky.coordinates import Coordinates
from tessera.sky.motion import read_targets
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
    """Cutouts of one or several targets from one or several cubes. The constructor makes them.

    Parameters
    ----------
    input_files : str, Path or list of them
        Cubes of SPOC or TICA frames: local paths, ``s3://`` or ``https://`` URLs. Only the headers and the pixels of
        the cutouts are read.
    coordinates : SkyCoord, str, or list of them
        Positions of the targets, in any frame that does not depend on an observer. docs/guide/cutouts.md lists the
        texts. Every position of a list or an array gets a cutout. Targets with a proper motion are cut where they are
        in the middle of a cube's times; this needs obstime.
    cutout_size : int, array, list, tuple or Quantity, optional
        Size in pixels or as angle: one value for both axes, or (columns, rows).
    fill_value : float, optional
        Value of pixels beyond the frame.
    limit_rounding_method : {'round', 'ceil', 'floor'}, optional
        Rule that rounds the limits of the window to integers. 'round' is the default, as in astrocut. It puts the
        target one pixel off the centre of most windows of odd size; 'ceil' centres these windows. See also
        `tessera.cutouts.batch.make_cutouts`.
    threads : int or 'auto', optional
        A number above 1 is the largest number of simultaneous requests to one remote cube. With 1 or 'auto', Tessera
        chooses the number.
    verbose : bool, optional
        Whether to print progress on stderr. Messages that the logger ``tessera`` prints are not repeated.
    product : {'SPOC', 'TICA'}, optional
        Kind of frames that every cube must have; by default both kinds are allowed.
    filesystem : fsspec file system, optional
        File system of the cubes, such as an `s3fs.S3FileSystem`; see docs/guide/locations.md.

    Attributes
    ----------
    cutouts_by_file : dict
        Cube, as it was given, to its `CubeCutoutInstance`. With several targets: cube to a dict of
        "ra dec" (degrees with eight decimals) to `CubeCutoutInstance`.
    tpf_cutouts_by_file : dict
        The same with a target pixel file (HDUList) for each cutout; they are made at the first access.

    Raises
    ------
    InvalidInputError
        When an argument has a value that is not allowed.
    InvalidQueryError
        When no cutout has pixels. A cube that cannot be read or does not cover a target is skipped with a
        `DataWarning`. When the only cube cannot be read, the error of that cube is raised.
    """

    CubeCutoutInstance = CubeCutoutInstance
    parse_table_wcs = staticmethod(parse_table_wcs)
    parse_size_input = staticmethod(parse_size_input)
    creator = CREATOR
    """Value of the CREATOR card. Some programs recognize cutouts by the value 'astrocut'."""
    check = True
    """Whether damaged cubes are refused; see `tessera.CutoutOptions`."""

    def __init__(  # noqa: PLR0917 - astrocut's signature
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
        filesystem: Any = None,
    ) -> None:
        self._narrator = Narrator(__name__, verbose=verbose)
        single = isinstance(input_files, (str, os.PathLike))
        files = in_filesystem(filesystem, [input_files] if single else input_files)
        self._files = list(dict.fromkeys(check_locations("input_files", files)))  # type: ignore[arg-type] # a list now
        self._coordinates = parse_coordinates(coordinates)
        self._places = read_targets(self._coordinates)
        self._size: tuple[Side, Side] = parse_size_input(cutout_size)
        self._fill_value = check_cube_fill(fill_value)
        self._rounding = check_rounding(limit_rounding_method)
        self._row_reads = check_threads(threads) or REQUESTS_IN_FLIGHT
        self._product = None if product is None else parse_product(product)
        self._memory = MemoryBudget(PIXEL_BYTES)
        self._narrator.say("Coordinates: %s", ", ".join(sky_text(sky) for sky in self._coordinates))
        self._narrator.say("Cutout size: [%s %s]", *self._size)
        self.cutout()

    def cutout(self) -> None:
        """Make the cutouts. The constructor calls this method."""
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

    def _targets(self, file: Location) -> Sequence[int]:  # noqa: ARG002 - subclasses use it
        """Numbers of the targets to cut out of one cube."""
        return range(len(self._coordinates))

    def _cut_cube(self, location: Location) -> list[_Item]:
        try:
            try:
                return self._cut_targets(location)
            except ReplacedError:  # another file took the cube's place: start again
                return self._cut_targets(location)
        except UNUSABLE as error:
            reason = self._reason(location, error)
            return [_Skipped(location, reason, f"Cube {shown(location)} is skipped: {reason_of(reason)}")]

    def _cut_targets(self, location: Location) -> list[_Item]:
        with open_cube(location, row_reads=self._row_reads, check=self.check, tried_again=True) as file:
            self._check_cube(file)
            self._narrator.say("Using WCS from row %d out of %d", file.cube.wcs_cadence, file.cube.layout.n_cadences)
            ra, dec = self._places.at(middle_time(file.cube))
            return [self._cut_target(location, file, n, (float(ra[n]), float(dec[n]))) for n in self._targets(location)]

    def _reason(self, location: Location, error: Exception) -> Exception:
        """Why a cube is not used. That it is of another kind says more than a checksum that is wrong since an edit."""
        if self.check and isinstance(error, CubeFormatError):
            try:
                with open_cube(location, check=False) as file:
                    self._check_cube(file)
            except InvalidInputError as kind:
                return kind
            except UNUSABLE:
                pass
        return error

    def _cut_target(self, location: Location, file: CubeFile, number: int, place: tuple[float, float]) -> _Item:
        sky = self._coordinates[number]
        self._narrator.say("Cutout center coordinate: %s, %s", sky.ra.deg, sky.dec.deg)
        try:
            window = rounded_window(file.cube, place, self._size, self._rounding)
            with self._memory.taken(window.n_rows * window.n_columns * file.cube.layout.pixel_bytes):
                cutout = file.read_window(window, self._fill_value)
            file.source.check_unchanged()
            position, star = self._places.catalogued(number), self._places.with_motion(number)
            instance = CubeCutoutInstance(location, sky, file.cube, cutout, position, star)
        except NoOverlapError as reason:
            where = f" at {sky_text(sky)}" if len(self._coordinates) > 1 else ""
            message = f"Cutout footprint does not overlap with data in {shown(location)}{where}, skipping..."
            return _Skipped(location, reason, message)
        self._narrator.say("Original image shape: %s", (file.cube.layout.n_rows, file.cube.layout.n_columns))
        self._narrator.say("Image cutout cube shape: %s", instance.shape)
        return instance

    def _check_cube(self, file: CubeFile) -> None:
        product, n_planes = file.cube.product, file.cube.layout.n_planes
        if self._product not in (None, product):
            raise InvalidInputError("product", self._product.name, f"{product.name!r}, the kind of this cube's frames")
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
        """Target pixel files, ordered by cube and then by target, each in the order in which it was given."""
        contents = (b"".join(self._pieces(index)) for index in range(len(self.cutouts)))
        return [fits.open(io.BytesIO(content)) for content in contents]

    @cached_property
    def tpf_cutouts_by_file(self) -> dict[Location, Any]:
        """See the class."""
        return self._by_file(self.tpf_cutouts)

    def _pieces(self, index: int) -> Iterable[bytes]:
        """A target pixel file in pieces. It has the user's changes if `tpf_cutouts` was used before."""
        if "tpf_cutouts" not in self.__dict__:
            return tpf_pieces(self.cutouts[index].tpf_request(self.creator))
        content = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", fits.verify.VerifyWarning)
            self.tpf_cutouts[index].writeto(content, checksum=True)
        return [content.getvalue()]

    def _names(self, legacy: bool) -> list[str]:
        """File names, all different: cubes of the same name get a number."""
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
            Folder of the files. It is created if it does not exist.
        output_file : str or Path, optional
            File name, if there is only one cutout. With several cutouts it is ignored with an `InputWarning`.
        legacy_filenames : bool, optional
            Whether to name the files as the TESSCut service does: coordinates with six decimals, then columns x rows
            of the window.

        Returns
        -------
        list of str
            Paths, in the order of `cutouts`. Each file appears only when it is complete.

        Raises
        ------
        KeptFileError
            When a file exists that is not a target pixel file of the same creator. If the name was not given by
            `output_file`, it must also be of the same CCD, sector and kind of frames. No file is written then.
        """
        names = self._names(check_switch("legacy_filenames", legacy_filenames))
        given = output_file is not None and len(names) == 1
        if output_file is not None and not given:
            warnings.warn(f"{output_file} is not used: there are {len(names)} cutouts.", InputWarning, stacklevel=2)
        folder = create_folder(output_dir)
        paths = [file_in_folder(output_dir, output_file, "output_file")] if given else [folder / name for name in names]
        for path, item in zip(paths, self.cutouts, strict=True):
            check_replaceable(path, None if given else item.cube, self.creator)
        write_files((path, self._pieces(index)) for index, path in enumerate(paths))
        self._narrator.say("Cutout filepaths: %s", [str(path) for path in paths])
        return [path.as_posix() for path in paths]

    def write_as_zip(
        self,
        output_dir: Location = ".",
        filename: Location | None = None,
        legacy_filenames: bool = False,
        *,
        provenance: bool = False,
    ) -> str:
        """Write the target pixel files into an archive.

        Parameters
        ----------
        output_dir : str or Path, optional
            Folder of the archive. It is created if it does not exist.
        filename : str or Path, optional
            File name; ``.zip`` is added if it is missing. The default is made of target and size, or is
            ``astrocut_tess_cutouts.zip`` for several targets.
        legacy_filenames : bool, optional
            See `write_as_tpf`.
        provenance : bool, optional
            Whether the last member says what the others were made from; see docs/explanation/provenance.md.

        Returns
        -------
        str
            Path of the archive. The archive appears only when it is complete.

        Raises
        ------
        KeptFileError
            When a file exists that is not an archive.
        """
        name = zip_name(self._coordinates, self._size) if filename is None else str(output_path("filename", filename))
        path = file_in_folder(output_dir, name if name.lower().endswith(".zip") else f"{name}.zip", "filename")
        names = self._names(check_switch("legacy_filenames", legacy_filenames))
        return write_tpf_archive(path, names, self.cutouts, self._pieces, provenance=provenance)
