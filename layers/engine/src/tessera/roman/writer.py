"""Write ASDF files of many cutouts of one image, with little more work than for one file.

asdf needs about 40 ms to write a tree, mostly for validating the WCS. Cutouts of one image differ only in a few numbers
and in their pixels. So asdf writes one file per image and shape, with marks in place of these values. The files of the
cutouts are copies in which the marks are replaced. If a mark does not occur exactly once, asdf writes every file.

Source of the format: ASDF Standard 1.6, low-level file layout.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.extras import import_extra
from tessera.inputs import sky_text
from tessera.roman.cut import AsdfPart
from tessera.roman.file import MISSION
from tessera.roman.products import SOFTWARE, asdf_bytes, asdf_object, history_text
from tessera.roman.wcs import slice_gwcs, update_wcsinfo

_END_OF_TREE = b"\n...\n"
_MAGIC = b"\xd3BLK"
_BLOCK = struct.Struct(">I4sQQQ16s")
"""Flags, compression, allocated, used and data size, checksum."""
_INDEX = b"#ASDF BLOCK INDEX\n%YAML 1.1\n---\n"
_MARK_COLUMN, _MARK_ROW = 8_765_432, 9_753_126
_FLOAT_MARK = 7.0e9


@dataclass(frozen=True)
class _Block:
    """A block of a file. `key` is the array that it contains, or None for a block that is the same in all files."""

    data: bytes
    key: int | None


@dataclass(frozen=True)
class _Mould:
    """A file with marks in place of values.

    Parameters
    ----------
    text : bytes
        Text of the tree.
    marks : dict
        Mark to the name of the value that replaces it.
    blocks : list of _Block
        Blocks, in the order of the file.
    """

    text: bytes
    marks: dict[bytes, str]
    blocks: list[_Block]

    def fill(self, values: Mapping[str, str], pixels: Mapping[int, NDArray[Any]]) -> bytes:
        """Make the file of a cutout."""
        text = self.text
        for mark, name in self.marks.items():
            text = text.replace(mark, values[name].encode("ascii"))
        pieces, places, position = [text], [], len(text)
        for block in self.blocks:
            data = block.data if block.key is None else np.ascontiguousarray(pixels[block.key]).tobytes()
            checksum = hashlib.md5(data, usedforsecurity=False).digest()
            head = _BLOCK.pack(0, b"\0\0\0\0", len(data), len(data), len(data), checksum)
            places.append(position)
            pieces += [_MAGIC, struct.pack(">H", len(head)), head, data]
            position += len(_MAGIC) + 2 + len(head) + len(data)
        if places:
            pieces += [_INDEX, "".join(f"- {place}\n" for place in places).encode("ascii"), b"...\n"]
        return b"".join(pieces)


class AsdfWriter:
    """Writes ASDF files of cutouts.

    Parameters
    ----------
    meta_only : bool, optional
        Whether to write only the metadata, without arrays.
    """

    def __init__(self, *, meta_only: bool = False) -> None:
        self._meta_only = meta_only
        self._moulds: dict[tuple[str, tuple[int, ...]], _Mould | None] = {}

    def write(self, part: AsdfPart) -> bytes:
        """Make the bytes of the ASDF file of a cutout."""
        assert part.cutout is not None
        assert part.source is not None
        place = (str(part.file), part.cutout.shape)
        if place not in self._moulds:
            self._moulds[place] = self._mould(part)
        mould = self._moulds[place]
        if mould is None:
            return asdf_bytes(self._object(part, part.tree()))
        return mould.fill(_values(part), part.source.pixels)

    def _object(self, part: AsdfPart, tree: dict[str, Any]) -> Any:
        asdf = import_extra("asdf", "ASDF files")
        if self._meta_only:
            return asdf.AsdfFile({MISSION: {"meta": tree[MISSION]["meta"]}})
        return asdf_object(part, tree)

    def _mould(self, part: AsdfPart) -> _Mould | None:
        marked, pixels = _marked(part, noise=not self._meta_only)
        tree = marked.tree()
        values, marks = _values(part), {}
        meta = tree[MISSION]["meta"]
        for number, name in enumerate(name for name in values if name.startswith("wcsinfo.")):
            key = name.removeprefix("wcsinfo.")
            mark = f"@{key}@" if isinstance(meta["wcsinfo"][key], str) else _FLOAT_MARK + 2 * number + 0.0625
            meta["wcsinfo"][key] = mark
            marks[_text(mark).encode("ascii")] = name
        assert part.source is not None
        meta["wcs"] = slice_gwcs(part.source.wcs, _MARK_COLUMN, _MARK_ROW, part.source.target.overlap.window.shape)
        marks |= {f"{_MARK_COLUMN}.0".encode(): "column", f"{_MARK_ROW}.0".encode(): "row"}
        marks |= {b"@coordinate@": "coordinate"}
        file = self._object(part, tree)
        if not self._meta_only:
            description = history_text(part).replace(values["ra"], "@ra@").replace(values["dec"], "@dec@")
            file["history"]["entries"].pop()
            file.add_history_entry(description, software=dict(SOFTWARE))
            marks |= {b"@ra@": "ra", b"@dec@": "dec"}
        return _parse(asdf_bytes(file), marks, {} if self._meta_only else pixels)


def _marked(part: AsdfPart, *, noise: bool) -> tuple[AsdfPart, dict[int, NDArray[Any]]]:
    """Copy a cutout with a mark in place of its target, and with recognizable pixels if they are noise."""
    assert part.cutout is not None
    assert part.source is not None
    pixels = dict(part.source.pixels)
    if noise:
        random = np.random.default_rng(0)
        pixels = {
            key: np.frombuffer(random.bytes(array.nbytes), array.dtype).reshape(array.shape)
            for key, array in pixels.items()
        }
    target = replace(part.source.target, coordinate="@coordinate@")
    return replace(part, source=replace(part.source, target=target, pixels=pixels)), pixels


def _values(part: AsdfPart) -> dict[str, str]:
    """Values that replace the marks, by name."""
    assert part.cutout is not None
    assert part.source is not None
    window = part.source.target.overlap.window
    coordinate = sky_text(part.sky)
    ra, dec = coordinate.split()
    values = {"column": _text(float(window.first_column)), "row": _text(float(window.first_row))}
    values |= {"coordinate": coordinate, "ra": ra, "dec": dec}
    wcsinfo = (part.source.template or {}).get(MISSION, {}).get("meta", {}).get("wcsinfo")
    if isinstance(wcsinfo, Mapping):
        updated = update_wcsinfo(dict(wcsinfo), part.cutout.gwcs)
        changed = ("s_region", "x_ref", "y_ref", "ra", "dec", "pixel_scale", "orientation")
        names = [name for name in changed if name in updated and (name == "s_region" or "image_shape" in updated)]
        values |= {f"wcsinfo.{name}": _text(updated[name]) for name in names}
    return values


def _text(value: str | float) -> str:
    """Format a value in YAML 1.1."""
    if isinstance(value, str):
        return value
    text = repr(float(value))
    return text.replace("e", ".0e", 1) if "e" in text and "." not in text else text


def _parse(content: bytes, marks: dict[bytes, str], pixels: Mapping[int, NDArray[Any]]) -> _Mould | None:
    """Parse a file that asdf wrote into a `_Mould`; None if the file does not have the expected structure."""
    end = content.find(_END_OF_TREE) + len(_END_OF_TREE)
    text = content[:end]
    if end < len(_END_OF_TREE) or any(text.count(mark) != 1 for mark in marks):
        return None
    keys: dict[bytes, int] = {np.ascontiguousarray(array).tobytes(): key for key, array in pixels.items()}
    blocks, position = [], content.find(_MAGIC, end)
    while position >= 0 and content[position : position + 4] == _MAGIC:
        (size,) = struct.unpack_from(">H", content, position + 4)
        flags, compression, allocated, used, n_bytes, _ = _BLOCK.unpack_from(content, position + 6)
        if flags or compression.strip(b"\0") or used != n_bytes:
            return None
        start = position + 6 + size
        data = content[start : start + used]
        blocks.append(_Block(data, keys.get(data)))
        position = start + allocated
    found = [block.key for block in blocks if block.key is not None]
    return _Mould(text, marks, blocks) if sorted(found) == sorted(pixels) else None
