"""Makes target pixel files and image cutouts again, by their records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord

from tessera.cutouts.differences.reference_file import open_reference
from tessera.cutouts.open_cube import CubeFile, open_cube
from tessera.cutouts.origin.recipe import TpfRecipe
from tessera.errors import ProvenanceError, TesseraError
from tessera.images.batch import quiet_fits
from tessera.images.cut import ImageCut, ImageCutoutOptions, cut_file
from tessera.images.hdus import cut_hdu, cutout_file, write_bytes
from tessera.images.inputs import ImagePixel
from tessera.io.sources import Location
from tessera.moving.batch import read_track
from tessera.moving.read_plan import plan_track_reads
from tessera.moving.recipe import MovingRecipe
from tessera.moving.track import follow_target, track_tpf
from tessera.provenance.record import Origin, Record, from_number
from tessera.tpf.fixed import build_tpf
from tessera.tpf.moving import moving_pieces
from tessera.verify.compare import Locate
from tessera.verify.origins import origin_problems
from tessera.verify.report import Problem
from tessera.windows import Placement, Window


@dataclass(frozen=True)
class MadeAgain:
    """A product that was made again.

    Parameters
    ----------
    content : bytes
        The file without its record.
    locate : callable
        See `tessera.verify.compare.Locate`.
    problems : list of Problem
        What differs about its source.
    """

    content: bytes
    locate: Locate
    problems: list[Problem] = field(default_factory=list)


def make_again(record: Record, location: Location) -> MadeAgain:
    """Make a product again.

    Parameters
    ----------
    record : Record
        Record of the product.
    location : str or Path
        Where its source is.

    Raises
    ------
    ProvenanceError
        When products of this kind cannot be made again, or the record says too little.
    OSError
        When the source cannot be read.
    TesseraError
        When the source does not fit the record.
    """
    makers: dict[str, Callable[[Record, Location], MadeAgain]] = {
        "target pixel file": _fixed,
        "moving target pixel file": _moving,
        "image cutout": _image,
    }
    maker = makers.get(record.kind)
    if maker is None:
        raise ProvenanceError(f"a {record.kind} cannot be made again from its record")
    try:
        return maker(record, location)
    except (LookupError, MemoryError, TypeError, ValueError) as error:
        if isinstance(error, TesseraError):
            raise
        raise ProvenanceError(f"the request in the record cannot be followed: {error!r}") from error


def _changes(record: Record, file: CubeFile) -> list[Problem]:
    return origin_problems(record.origin, file.source, file.cube.digest)


def _fixed(record: Record, location: Location) -> MadeAgain:
    recipe = TpfRecipe.from_document(dict(record.request))
    with open_cube(location) as file:
        cutout = file.read_window(recipe.window, recipe.fill_value)
        if recipe.reference is not None:
            with open_reference(location, file.cube) as reference:
                reference.read_window(recipe.window).subtract(cutout.planes)
        chosen = recipe.chosen(file.cube)
        request = recipe.tpf(file.cube, cutout, chosen, record.engine, lambda: file.info)
        problems, n_cadences = _changes(record, file), file.cube.layout.n_cadences
        content = bytes(build_tpf(request))
    cadences, window = np.arange(n_cadences) if chosen is None else chosen, recipe.window

    def locate(index: tuple[int, ...]) -> dict[str, int]:
        if len(index) == 2:
            return {"row": window.first_row + index[0], "column": window.first_column + index[1]}
        found = {"cadence": int(cadences[index[0]])}
        if len(index) == 3:
            found |= {"row": window.first_row + index[1], "column": window.first_column + index[2]}
        return found

    return MadeAgain(content, locate, problems)


def _moving(record: Record, location: Location) -> MadeAgain:
    recipe = MovingRecipe.from_document(dict(record.request))
    options = recipe.options
    with open_cube(location) as file:
        target = follow_target(file.cube, file.info, recipe.ephemeris, recipe.shape, options)
        boxes = target.boxes
        reads = plan_track_reads(file.cube.layout, file.cube.data_offset, boxes, options.cost)
        planes = read_track(file, boxes, reads, options.fill_value)
        how: Any = {"flags": options.flags, "fill_value": options.fill_value}
        tpf = track_tpf(file.cube, target, planes, recipe.ephemeris.name, record.engine, **how)
        content, problems = b"".join(moving_pieces(tpf)), _changes(record, file)

    def locate(index: tuple[int, ...]) -> dict[str, int]:
        if len(index) == 2:
            return {"row": index[0], "column": index[1]}
        number = index[0]
        found = {"cadence": int(boxes.cadences[number])}
        if len(index) == 3:
            found |= {
                "row": int(boxes.first_row[number]) + index[1],
                "column": int(boxes.first_column[number]) + index[2],
            }
        return found

    return MadeAgain(content, locate, problems)


def _image(record: Record, location: Location) -> MadeAgain:
    request = record.request
    sky = SkyCoord(from_number(request["ra"]), from_number(request["dec"]), unit="deg")
    windows = [Window(**item["window"]) for item in request["cuts"]]
    numbers = [int(item["extension"]) for item in request["cuts"]]
    fill_value = from_number(request["fill_value"])
    pairs = list(zip(numbers, windows, strict=True))
    with quiet_fits():
        found = [_cut_again(location, number, window, fill_value) for number, window in pairs]
        day = date.fromisoformat(request["date"])
        hdus = cutout_file([(cut, cut_hdu(cut)) for cut, _ in found], sky, day)
        hdus[0].header["PROCVER"] = record.engine
        content = write_bytes(hdus)
    window = windows[0]
    now = found[0][1]
    then = record.origin
    problems = []
    if now is not None and then.size and (then.size, then.etag) != (now.size, now.etag if then.etag else ""):
        text = f"the source {then.location} was replaced: it had {then.size:,} bytes and has {now.size:,}"
        problems.append(Problem("source", text, {"location": then.location}))

    def locate(index: tuple[int, ...]) -> dict[str, int]:
        if len(index) < 2:
            return {}
        return {"row": window.first_row + index[-2], "column": window.first_column + index[-1]}

    return MadeAgain(content, locate, problems)


def _cut_again(location: Location, number: int, window: Window, fill_value: float) -> tuple[ImageCut, Origin | None]:
    options = ImageCutoutOptions(extension=number, placement=Placement.CENTRE, fill_value=fill_value)
    middle = ImagePixel(window.first_row + (window.n_rows - 1) / 2, window.first_column + (window.n_columns - 1) / 2)
    cuts = cut_file(location, location, [middle], (window.n_columns * u.pix, window.n_rows * u.pix), options)
    part = next(iter(cuts.parts), None)
    if part is None or part.cut is None:
        reason = cuts.error if part is None else part.reason
        if isinstance(reason, OSError):
            raise reason
        raise ProvenanceError(f"extension {number} of {location} cannot be cut: {reason}")
    if part.cut.overlap.window != window:
        raise ProvenanceError(f"the window {window} has no place on extension {number} of {location}")
    return part.cut, cuts.origin
