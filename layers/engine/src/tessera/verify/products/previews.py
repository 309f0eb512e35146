"""Previews of the service: the JSON, all frames as a NumPy file, and pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.reader import Cube
from tessera.cutouts.open_cube import open_cube
from tessera.errors import ProvenanceError
from tessera.io.sources import Location
from tessera.lightcurves.detrending.vectors import AlignedVectors
from tessera.lightcurves.photometry import PixelSeries
from tessera.lightcurves.preview import series_of
from tessera.lightcurves.previews.frames import FramesRecipe, build_frames, digest_frames, read_frames_file
from tessera.lightcurves.previews.pictures import PreviewPicture
from tessera.lightcurves.previews.preview import OTHERS, PROVENANCE, build_preview, digest_preview
from tessera.lightcurves.previews.recipe import PreviewRecipe
from tessera.provenance.png_files import digest_levels, read_png
from tessera.provenance.record import Record, canonical_json
from tessera.verify.compare import Locate, compare_arrays
from tessera.verify.origins import origin_problems
from tessera.verify.products.arrays import load_array, save_array
from tessera.verify.products.product import MadeAgain, Product, in_window
from tessera.verify.report import Problem
from tessera.verify.vectors import Find, told, vectors_again
from tessera.windows import Window

FRAMES_START = b"\x93NUMPY"
"""First bytes of a NumPy file."""
_ROUNDING = 2e-6
"""Relative difference of numbers that processors round differently: previews have seven digits."""
_FRAMES = ("aperture", "median", "difference")


# ---------------------------------------------------------------- JSON


def preview_in(content: bytes) -> dict[str, Any] | None:
    """A preview from the text of its JSON; None if it is none."""
    try:
        found = json.loads(content, parse_constant=_no_number) if content.lstrip()[:1] == b"{" else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and {"lightcurve", "median", "window"} <= found.keys() else None


def _no_number(word: str) -> None:
    """Refuse NaN and infinity, which JSON does not have."""
    raise ValueError(word)


def read_preview(preview: dict[str, Any]) -> Product:
    """Read a preview.

    Raises
    ------
    ProvenanceError
        When its record is damaged.
    """
    named = preview.get(PROVENANCE)
    parts = [named.get(name) for name in ("record", "sha256", "signature")] if isinstance(named, Mapping) else None
    record = None if parts is None else Record.read(*parts)
    problems = _digest_problems(record, digest_preview(preview))
    product = {name: value for name, value in preview.items() if name not in OTHERS}

    def compare(again: MadeAgain) -> tuple[list[Problem], list[str]]:
        comparison = _Comparison(again.locate)
        comparison.values("", product, json.loads(again.content))
        return comparison.problems, comparison.rounded

    return Product(record, b"", problems, compare)


def _digest_problems(record: Record | None, found: dict[str, Any]) -> list[Problem]:
    if record is None or found == record.data:
        return []
    return [Problem("record", "the record is of another product: the SHA-256 of its data differs")]


class _Comparison:
    """Compares the values of two previews by their names."""

    def __init__(self, locate: Locate) -> None:
        self._locate = locate
        self.problems: list[Problem] = []
        self.rounded: list[str] = []

    def values(self, path: str, found: Any, wanted: Any) -> None:
        if found == wanted:
            return
        if isinstance(found, dict) and isinstance(wanted, dict):
            for name in dict.fromkeys([*wanted, *found]):
                self.values(f"{path}.{name}" if path else name, found.get(name), wanted.get(name))
            return
        ours, theirs = _numbers(found), _numbers(wanted)
        if ours is None or theirs is None or ours.shape != theirs.shape:
            text = f"{path} is {found!r:.200}, not {wanted!r:.200}"
            self.problems.append(Problem("value", text, {"field": path}))
            return
        near = np.isclose(ours, theirs, rtol=_ROUNDING, atol=0, equal_nan=True)
        if near.all():
            self.rounded.append(path)
        ours = np.where(near, theirs, ours)
        self.problems += compare_arrays(ours, theirs, self._place(path), name=path, place={"field": path})

    def _place(self, path: str) -> Locate:
        if path in _FRAMES:
            return self._locate
        return lambda index: {"point": index[0]} if len(index) == 1 and path.startswith("lightcurve.") else {}


def _numbers(value: Any) -> NDArray[np.float64] | None:
    """A number, or lists of numbers, as an array; None is NaN."""
    if isinstance(value, (bool, str, dict)) or value is None:
        return None
    try:
        return np.atleast_1d(np.array(value, np.float64))
    except (TypeError, ValueError):
        return None


def preview_again(record: Record, location: Location, find: Find) -> MadeAgain:
    """Make a preview again; see `tessera.verify.made_again.make_again`."""
    recipe = PreviewRecipe.from_document(record.request)
    preview, problems = _build(recipe, record, location, find)
    return MadeAgain(canonical_json(preview).encode(), in_window(recipe.window), problems)


def _build(
    recipe: PreviewRecipe, record: Record, location: Location, find: Find
) -> tuple[dict[str, Any], list[Problem]]:
    vectors, replaced = vectors_again(recipe.vectors, location, find)
    cube, series, problems = _read_window(recipe.window, record, location)
    if vectors is None:
        return build_preview(recipe, cube, series), problems
    with told(replaced):
        if len(vectors.time) != cube.layout.n_cadences:
            raise ProvenanceError(f"the cotrending vectors {vectors.location} have the cadences of another cube")
    return build_preview(recipe, cube, series, AlignedVectors(vectors.vectors, vectors.gap)), problems + replaced


def _read_window(window: Window, record: Record, location: Location) -> tuple[Cube, PixelSeries, list[Problem]]:
    with open_cube(location) as file:
        series = series_of(file.read_window(window))
        return file.cube, series, origin_problems(record.origin, file.source, file.cube.digest)


# ---------------------------------------------------------------- frames


def read_frames(content: bytes) -> Product:
    """Read frames.

    Raises
    ------
    ProvenanceError
        When the file or its record is damaged.
    """
    frames, record = read_frames_file(content)

    def compare(again: MadeAgain) -> tuple[list[Problem], list[str]]:
        wanted = load_array(again.content)
        if (frames.dtype, frames.shape) != (wanted.dtype, wanted.shape):
            return [Problem("structure", "its array has another shape or type")], []
        problems: list[Problem] = []
        for name in frames.dtype.names or ():
            problems += compare_arrays(frames[name], wanted[name], again.locate, name=name, place={"field": name})
        return problems, []

    return Product(record, b"", _digest_problems(record, digest_frames(frames)), compare)


def frames_again(record: Record, location: Location) -> MadeAgain:
    """Make frames again; see `tessera.verify.made_again.make_again`."""
    recipe = FramesRecipe.from_document(record.request)
    cube, series, problems = _read_window(recipe.window, record, location)
    frames = build_frames(cube, series.flux)[recipe.first : recipe.first + recipe.count]
    pixel = in_window(recipe.window)
    return MadeAgain(
        save_array(frames), lambda index: {"cadence": recipe.first + index[0], **pixel(index[1:])}, problems
    )


# ---------------------------------------------------------------- pictures


def read_picture(content: bytes) -> Product:
    """Read a PNG.

    Raises
    ------
    ProvenanceError
        When the file or its record is damaged.
    MissingPackageError
        When Pillow is not installed.
    """
    levels, record = read_png(content)

    def compare(again: MadeAgain) -> tuple[list[Problem], list[str]]:
        wanted = load_array(again.content)
        if (levels.dtype, levels.shape) != (wanted.dtype, wanted.shape):
            return [Problem("structure", "the picture has another shape or type")], []
        return list(compare_arrays(levels, wanted, again.locate, name="grey value", place={})), []

    return Product(record, b"", _digest_problems(record, digest_levels(levels)), compare)


def picture_again(record: Record, location: Location, find: Find) -> MadeAgain:
    """Draw a picture again; see `tessera.verify.made_again.make_again`."""
    request = dict(record.request)
    recipe = PreviewRecipe.from_document(request.pop("preview"))
    preview, problems = _build(recipe, record, location, find)
    levels = PreviewPicture(**request).draw(preview)
    scale, window = len(levels) // recipe.window.n_rows, recipe.window

    def locate(index: tuple[int, ...]) -> dict[str, int]:
        row, column = window.n_rows - 1 - index[0] // scale, index[1] // scale
        return {"row": window.first_row + row, "column": window.first_column + column}

    return MadeAgain(save_array(levels), locate, problems)
