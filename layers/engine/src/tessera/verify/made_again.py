"""Makes products again, by their records."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tessera.cutouts.differences.reference_file import open_reference
from tessera.cutouts.open_cube import CubeFile, open_cube
from tessera.cutouts.origin.recipe import TpfRecipe
from tessera.errors import ProvenanceError
from tessera.io.sources import Location
from tessera.measures.records import KINDS
from tessera.moving.batch import read_track
from tessera.moving.read_plan import plan_track_reads
from tessera.moving.recipe import MovingRecipe
from tessera.moving.track import follow_target, track_tpf
from tessera.provenance.record import Record
from tessera.tpf.fixed import build_tpf
from tessera.tpf.moving import moving_pieces
from tessera.verify.origins import origin_problems
from tessera.verify.products.asdf import cut_asdf_again
from tessera.verify.products.images import image_again
from tessera.verify.products.listed import curve_file_again, curves_again
from tessera.verify.products.measures import measure_again
from tessera.verify.products.previews import frames_again, picture_again, preview_again
from tessera.verify.products.product import MadeAgain, following
from tessera.verify.report import Problem
from tessera.verify.vectors import Find


def make_again(record: Record, location: Location, find: Find) -> MadeAgain:
    """Make a product again.

    Parameters
    ----------
    record : Record
        Record of the product.
    location : str or Path
        Where its source is.
    find : callable
        Finds further sources; see `tessera.verify.vectors.Find`.

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
        "image cutout": image_again,
        "ASDF image cutout": cut_asdf_again,
        "light curves": partial(curves_again, find=find),
        "light curve of a list": partial(curve_file_again, find=find),
        "preview": partial(preview_again, find=find),
        "preview frames": frames_again,
        "preview picture": partial(picture_again, find=find),
        **dict.fromkeys(KINDS.values(), measure_again),
    }
    maker = makers.get(record.kind)
    if maker is None:
        raise ProvenanceError(f"a {record.kind} cannot be made again from its record")
    with following():
        return maker(record, location)


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
