"""Make the tree of an ASDF cutout: the tree of the image with other pixels, another WCS and the cutout's origin."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from tessera.errors import InvalidInputError
from tessera.images.sizes import fill_for
from tessera.roman.file import MISSION, AsdfArray, AsdfImage, is_array
from tessera.roman.wcs import GeneralWcs, slice_gwcs, update_wcsinfo
from tessera.windows import Overlap


def integer_fill(value: float, dtype: np.dtype[Any], *, needed: bool = True) -> Any:
    """Convert a fill value to a data type. For integers, the fraction is dropped and NaN becomes 0. Text becomes empty.

    Parameters
    ----------
    value : float
        Fill value that the user gave.
    dtype : dtype
        Data type of the array.
    needed : bool, optional
        Whether a value that the type cannot represent is an error. Otherwise it becomes 0.

    Raises
    ------
    InvalidInputError
        When the data type cannot represent the value.
    """
    if dtype.kind in "fc":
        return fill_for(value, dtype)
    if dtype.kind == "b":
        return bool(np.nan_to_num(value))
    if dtype.kind not in "iu":
        return np.zeros((), dtype)[()]
    try:
        return fill_for(float(int(value)) if np.isfinite(value) else 0.0, dtype)
    except InvalidInputError:
        if needed:
            raise
        return dtype.type(0)


def aligned_arrays(image: AsdfImage, *, lite: bool) -> dict[int, AsdfArray]:
    """Arrays of a tree to cut, by the identity of their nodes. With `lite`, only the image is cut."""
    found = {id(image.branch["data"]): image.data}

    def visit(node: Any) -> None:
        if image.is_aligned(node):
            found.setdefault(id(node), image.array(node))
        elif isinstance(node, Mapping):
            for value in node.values():
                visit(value)
        elif isinstance(node, (list, tuple)):
            for value in node:
                visit(value)

    if not lite:
        visit(image.branch)
    return found


@dataclass(frozen=True)
class AsdfTarget:
    """Target and window of a cutout, for its tree.

    Parameters
    ----------
    overlap : Overlap
        Window of the cutout.
    coordinate : str
        Position of the target: "ra dec" in degrees.
    file : str
        Name of the image's file.
    """

    overlap: Overlap
    coordinate: str
    file: str

    def slice_wcs(self, wcs: GeneralWcs) -> GeneralWcs:
        """WCS of the cutout, from the WCS of the image."""
        window = self.overlap.window
        return slice_gwcs(wcs, window.first_column, window.first_row, window.shape)


def lite_tree(target: AsdfTarget, data: NDArray[Any], wcs: GeneralWcs) -> dict[str, Any]:
    """Make a tree with only the image and its WCS."""
    meta = {"wcs": wcs, "orig_file": target.file, "coordinate": target.coordinate}
    return {MISSION: {"meta": meta, "data": data}}


def full_tree(
    template: Mapping[str, Any], target: AsdfTarget, pixels: Mapping[int, NDArray[Any]], wcs: GeneralWcs
) -> dict[str, Any]:
    """Make the whole tree of a cutout.

    Parameters
    ----------
    template : mapping
        Tree of the image, from `detached_tree`.
    target : AsdfTarget
        Target and window of the cutout.
    pixels : mapping
        Identity of a node of the image's tree, to the cut array that replaces it.
    wcs : gwcs.WCS
        WCS of the cutout.
    """

    def leaf(node: Any) -> Any:
        return pixels[node.key] if isinstance(node, CutHere) else node

    tree: dict[str, Any] = dict(map_tree(template, leaf))
    meta = tree[MISSION]["meta"]
    meta["wcs"] = wcs
    if isinstance(meta.get("wcsinfo"), Mapping):
        meta["wcsinfo"] = _like(meta["wcsinfo"], update_wcsinfo(dict(meta["wcsinfo"]), wcs))
    meta["orig_file"] = target.file
    meta["coordinate"] = target.coordinate
    return tree


@dataclass(frozen=True)
class CutHere:
    """Placeholder of a cut array in a tree.

    Parameters
    ----------
    key : int
        Identity of the array's node in the tree of the image.
    """

    key: int


def detached_tree(image: AsdfImage, arrays: Mapping[int, AsdfArray]) -> dict[str, Any]:
    """Copy the tree of an image, so that it can be used after the file is closed.

    `CutHere` replaces the arrays that are cut. The other arrays are read.
    """

    def leaf(node: Any) -> Any:
        if id(node) in arrays:
            return CutHere(id(node))
        if is_array(node) and not isinstance(node, u.Quantity):
            return np.array(node)
        return copy.copy(node) if isinstance(node, u.Quantity) else node

    without = {key: value for key, value in image.tree.items() if key not in ("asdf_library", "history")}
    tree = dict(map_tree(without, leaf))
    entries = (image.tree.get("history") or {}).get("entries")
    return {**tree, "history": {"entries": list(entries)}} if entries else tree


def map_tree(node: Any, leaf: Callable[[Any], Any]) -> Any:
    """Copy a tree and replace its leaves by ``leaf(node)``. Mappings and lists keep their types and tags."""
    if isinstance(node, Mapping):
        return _like(node, {key: map_tree(value, leaf) for key, value in node.items()})
    if isinstance(node, Sequence) and not isinstance(node, (str, bytes)) and not is_array(node):
        return _like_list(node, [map_tree(value, leaf) for value in node])
    return leaf(node)


def _like(node: Mapping[str, Any], values: dict[str, Any]) -> Any:
    if type(node) is dict or not isinstance(node, MutableMapping):
        return values
    made = copy.copy(node)
    if hasattr(made, "data") and isinstance(made.data, dict):  # a tagged mapping of asdf: the copy shares its data
        made.data = values
        return made
    try:
        for key, value in values.items():
            made[key] = value
    except (TypeError, ValueError):
        return values
    return made


def _like_list(node: Sequence[Any], values: list[Any]) -> Any:
    if isinstance(node, tuple):
        return tuple(values)
    made = copy.copy(node)
    if type(node) is list or not isinstance(getattr(made, "data", None), list):
        return values
    made.data = values  # type: ignore[attr-defined] # a tagged list of asdf
    return made
