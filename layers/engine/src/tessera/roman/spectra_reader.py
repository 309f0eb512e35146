"""Read spectra of sources from Roman's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from tessera.errors import UNUSABLE, InvalidInputError, reason_of
from tessera.io.file_objects import ImageInput
from tessera.io.locations import shown
from tessera.roman.file import MISSION, is_array, open_tree
from tessera.roman.tree import map_tree

if TYPE_CHECKING:
    from tessera.io.sources import Location

LITE_KEYS = ("wl", "flux", "flux_error")
"""Keys of a source in the small form."""


@dataclass
class FileSpectra:
    """Spectra of one file.

    Parameters
    ----------
    file : str
        Name of the file in results.
    tree : dict
        Tree of the file without sources and history.
    sources : dict
        Identifier of a source, as text, to the data of this source.
    messages : list of str
        Messages about missing sources, each with the reason.
    """

    file: str
    tree: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    @property
    def branch(self) -> dict[str, Any]:
        """Branch of the mission in the tree, without sources."""
        branch: dict[str, Any] = self.tree[MISSION]
        return branch


def check_range(wl_range: Any) -> tuple[Any, Any] | None:
    """Return a range of wavelengths as two values, or None.

    Raises
    ------
    InvalidInputError
        When `wl_range` is not two finite wavelengths, the smaller one first.
    """
    if wl_range is None:
        return None
    allowed = "two wavelengths, the smaller one first, ends included"
    try:
        low, high = wl_range
        if low <= high and np.isfinite(u.Quantity(low).value) and np.isfinite(u.Quantity(high).value):
            return low, high
    except (TypeError, ValueError, u.UnitsError) as error:
        raise InvalidInputError("wl_range", wl_range, allowed) from error
    raise InvalidInputError("wl_range", wl_range, allowed)


def read_spectra(
    item: ImageInput, label: Location, source_ids: Sequence[str], wl_range: tuple[Any, Any] | None, *, lite: bool
) -> FileSpectra:
    """Read sources from a file. An error of the file is stored as a message and not raised.

    Parameters
    ----------
    item : str, Path or file object
        ASDF file. Its ``roman.data`` maps identifiers to sources.
    label : str or Path
        Name of the file in results.
    source_ids : sequence of str
        Identifiers of the sources.
    wl_range : (float, float) or None
        Smallest and largest wavelength, ends included, in the unit of the file or as Quantity.
    lite : bool
        Whether to keep only wavelengths, flux and its error.
    """
    found = FileSpectra(str(label))
    try:
        with open_tree(item, {"memmap": True}) as (tree, _):
            _read_tree(found, tree, source_ids, wl_range, lite=lite)
    except UNUSABLE as error:
        found.sources.clear()
        found.messages.append(f"File {shown(label)} is skipped: {reason_of(error)}")
    return found


def _read_tree(
    found: FileSpectra, tree: Mapping[str, Any], source_ids: Sequence[str], wl_range: Any, *, lite: bool
) -> None:
    if MISSION not in tree or not isinstance(tree[MISSION].get("data"), Mapping):
        raise ValueError(f"it has no sources in '{MISSION}.data'")
    branch = tree[MISSION]
    data = branch["data"]
    found.tree = {
        key: _detached(value) for key, value in tree.items() if key not in (MISSION, "history", "asdf_library")
    }
    found.tree[MISSION] = {key: _detached(value) for key, value in branch.items() if key != "data"}
    found.branch.setdefault("meta", {})
    unit = found.branch["meta"].get("unit_wl", "")
    for name in source_ids:
        key: Any = name if name in data else int(name) if name.lstrip("-").isdigit() and int(name) in data else None
        if key is None:
            message = f"Source ID {name} not found in file {found.file}. Skipping this source for this file."
            found.messages.append(message)
            continue
        try:
            found.sources[name] = cut_source(data[key], wl_range, unit, lite=lite)
        except LookupError as error:
            message = f"{error.args[0]} for source ID {name} and file {found.file}."
            found.messages.append(f"{message} {' '.join(error.args[1:])} Skipping this source for this file.")


def _detached(node: Any) -> Any:
    return map_tree(node, lambda leaf: np.array(leaf) if is_array(leaf) and not isinstance(leaf, u.Quantity) else leaf)


def cut_source(source: Mapping[str, Any], wl_range: Any, unit: str = "", *, lite: bool = False) -> dict[str, Any]:
    """Cut the data of a source to a range of wavelengths.

    Parameters
    ----------
    source : mapping
        Data of the source: wavelengths ``wl``, arrays of the same length, and other data, which are kept as they are.
    wl_range : (float, float) or None
        Smallest and largest wavelength, ends included; None for all.
    unit : str, optional
        Unit of the wavelengths. It is used if the range has a unit and the wavelengths have none.
    lite : bool, optional
        Whether to keep only wavelengths, flux and its error.

    Raises
    ------
    LookupError
        When the source has no wavelengths, or none in the range. Its arguments are parts of a message.
    """
    if "wl" not in source:
        raise LookupError("There are no wavelengths, 'wl',")
    wavelengths = source["wl"] if isinstance(source["wl"], u.Quantity) else np.asarray(source["wl"])
    keep: Any = slice(None)
    if wl_range is not None:
        keep = _within(wavelengths, wl_range, unit)
        if not keep.any():
            reach = f"[{wavelengths.min()}, {wavelengths.max()}]" if len(wavelengths) else "none"
            message = f"Wavelength range {wl_range} is out of bounds"
            raise LookupError(message, f"Available wavelength range: {reach}.")
    keys = [key for key in LITE_KEYS if key in source] if lite else list(source)
    return {key: _part(source[key], len(wavelengths), keep) for key in keys}


def _within(wavelengths: Any, wl_range: Any, unit: str) -> NDArray[np.bool_]:
    low, high = wl_range
    if isinstance(low, u.Quantity) or isinstance(high, u.Quantity):
        own = wavelengths.unit if isinstance(wavelengths, u.Quantity) else u.Unit(unit)
        low, high = (u.Quantity(end, own).to_value(own) for end in (low, high))
    values = wavelengths.value if isinstance(wavelengths, u.Quantity) else wavelengths
    return np.asarray((values >= low) & (values <= high), bool)


def _part(value: Any, length: int, keep: Any) -> Any:
    if isinstance(value, u.Quantity) and value.ndim and len(value) == length:
        return value[keep].copy()
    if is_array(value) and len(value.shape) and value.shape[0] == length:
        return np.array(np.asarray(value)[keep])
    numbers = isinstance(value, list) and all(isinstance(item, (int, float)) for item in value)
    if numbers and len(value) == length:
        return np.array(value)[keep]
    return _detached(value)
