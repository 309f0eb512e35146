"""`center_on_path`: astrocut's function that makes one moving cutout from cutouts along a path."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from astropy.table import Table
from astropy.wcs import WCS

from tessera.compat.moving.path_files import image_cards, shared_cards
from tessera.compat.moving.path_focus import FocusOptions, follow_path
from tessera.compat.moving.path_to_footprints import image_shape
from tessera.cutouts.output_names import check_replaceable
from tessera.errors import DataWarning
from tessera.fits.hdus import CardTuple
from tessera.io.files import write_pieces
from tessera.io.filesystems import in_filesystem
from tessera.io.locations import shown
from tessera.io.outputs import check_output, create_folder
from tessera.io.outputs import output_path as parse_output_path
from tessera.io.sources import Location, check_locations
from tessera.moving.ephemeris import Clock, Ephemeris
from tessera.narrator import Narrator
from tessera.tpf.moving import MovingTpf, borrowed_cards, filled_card, moving_cards, moving_pieces

_MAX_NAME = 100
"""Characters of the name of a target in the name of a file."""


def center_on_path(  # noqa: PLR0917 - astrocut's signature
    path: Table,
    size: Any,
    cutout_fles: Sequence[Location],
    target: str | None = None,
    img_wcs: WCS | None = None,
    target_pixel_file: str | None = None,
    output_path: Location = ".",
    verbose: bool = True,
    *,
    clock: Clock = "observer",
    options: FocusOptions | None = None,
    cubes: Sequence[Location] | None = None,
    filesystem: Any = None,
) -> str:
    """Make one target pixel file that follows a moving target through cutouts.

    Parameters
    ----------
    path : Table
        Path of the target: columns ``time`` (Time, in any scale) and ``position`` (SkyCoord), at least two rows in any
        order.
    size : int, or (int, int)
        Size of the box around the target in pixels: one number for both axes, or (columns, rows).
    cutout_fles : list of str or Path
        Target pixel files that the path crosses. A frame that is in several files becomes one cadence of the result,
        with the pixels of all these files.
    target : str, optional
        Name of the target.
    img_wcs : WCS, optional
        WCS of the frames from which the cutouts were made, with the size of the frames. With it, positions include the
        distortion, and the third HDU of the result shows the path on the frame.
    target_pixel_file : str, optional
        File name of the result; by default it is made of target, times and size.
    output_path : str or Path, optional
        Folder of the result. It is created if it does not exist.
    verbose : bool, optional
        Whether to print progress on stderr. Messages that the logger ``tessera`` prints are not repeated.
    clock : {'observer', 'barycentre'}, optional
        Clock of the path's times; see `tessera.moving.ephemeris`.
    options : FocusOptions, optional
        Options of the result, such as placement and choice of cadences.
    cubes : list of str or Path, optional
        Cubes from which the files were cut. With them, the position in each cadence follows the WCS of its frame.
        Otherwise it follows `img_wcs` or the WCS of the cutout, moved by POS_CORR1 and POS_CORR2 of the file, which are
        zero in files of TESSCut and astrocut. In a sector whose pointing jumps, give the cubes.
    filesystem : fsspec file system, optional
        File system of `cutout_fles` and `cubes`; see docs/guide/locations.md.

    Returns
    -------
    str
        Path of the result. The file appears only when it is complete. If pixels are filled, a `DataWarning` says in how
        many cadences.

    Raises
    ------
    InvalidInputError
        When an argument has a value that is not allowed.
    InvalidQueryError
        When no file contains the target.
    KeptFileError
        When the file exists and is not a target pixel file of the same creator.
    """
    narrator = Narrator(__name__, verbose=verbose)
    cutout_fles = in_filesystem(filesystem, check_locations("cutout_fles", cutout_fles))
    _check_path(output_path, target_pixel_file, cutout_fles)
    for location in cutout_fles:
        narrator.say("Processing file: %s", shown(location))
    aperture_shape = None if img_wcs is None else image_shape(img_wcs)
    ephemeris = Ephemeris.from_table(path, clock, target or "")
    focused, files = follow_path(ephemeris, size, cutout_fles, img_wcs, options, cubes=in_filesystem(filesystem, cubes))
    for file in files:
        file.source.check_unchanged()
    time = next(column for column in focused.columns if column.name == "TIME").values
    if focused.n_filled:
        message = f"{focused.n_filled} of {len(time)} cadences have pixels that are in no cutout; they are filled."
        warnings.warn(message, DataWarning, stacklevel=2)
    start, stop = float(time.min()), float(time.max())
    today = datetime.now(UTC).date().isoformat()  # noqa: TID251 - dates the file that it makes
    primary = moving_cards(_dated(shared_cards([file.primary for file in files]), today), target or "", start, stop)
    added = [filled_card(focused.n_filled), *borrowed_cards(focused.n_borrowed)]
    image = [*image_cards([file.header for file in files]), *added]
    boxes = focused.image_boxes
    aperture = None if aperture_shape is None else (img_wcs, boxes.footprint(*aperture_shape))
    tpf = MovingTpf(primary, image, focused.columns, (boxes.n_rows, boxes.n_columns), aperture)
    return _write(tpf, output_path, target_pixel_file or _name(target, start, stop, (boxes.n_columns, boxes.n_rows)))


def _dated(cards: list[CardTuple], today: str) -> list[CardTuple]:
    dated: list[CardTuple] = [("DATE", today, card[2]) if card[0] == "DATE" else card for card in cards]
    if all(card[0] != "DATE" for card in cards):
        dated.append(("DATE", today, "file creation date"))
    return dated


def _check_path(folder: Location, name: str | None, inputs: Sequence[Location]) -> None:
    path = create_folder(folder, "output_path")
    if name:
        check_output("target_pixel_file", path / parse_output_path("target_pixel_file", name), inputs)


def _name(target: str | None, start: float, stop: float, size: tuple[int, int]) -> str:
    name = f"{(target or 'path')[:_MAX_NAME]}_{start}-{stop}_{size[0]}-x-{size[1]}_astrocut.fits"
    return re.sub(r"[\x00-\x1f/]", "-", name).replace(" ", "_")


def _write(tpf: MovingTpf, folder: Location, name: str) -> str:
    path = create_folder(folder, "output_path") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    creator = next((str(value) for keyword, value, _ in tpf.primary if keyword == "CREATOR"), "")
    check_replaceable(path, creator=creator)
    return write_pieces(path, moving_pieces(tpf)).as_posix()
