"""Documents of Zarr (version 3) that describe a cube: a group with one array per coordinate, and one with all pixels.

Source: the Zarr core specification, version 3. The array of pixels has the axes of the file: row, column, time, plane.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.arrays.contents import attributes, coordinates, pixel_attributes
from tessera.cubes.layout import CubeLayout
from tessera.cubes.reader import Cube

PIXELS = "pixels"
"""Name of the array of pixels."""
PIXEL_DIMS = ("row", "column", "time", "plane")
CHUNK_COLUMNS = 8
"""Columns of a chunk. A window of 11 columns is in two or three of them, so at most 24 columns are read."""
DOCUMENT = "zarr.json"
"""Last part of the key of a document."""


@dataclass(frozen=True)
class StoredCube:
    """A cube as a group of Zarr.

    Parameters
    ----------
    documents : dict
        Key to the document.
    small : dict
        Name of an array that has a single chunk to its values, little-endian or text of fixed width.
    chunk_columns : int
        Columns of a chunk of the pixels.
    """

    documents: dict[str, bytes]
    small: dict[str, NDArray[Any]]
    chunk_columns: int


def describe_cube(cube: Cube, location: str, chunk_columns: int = CHUNK_COLUMNS) -> StoredCube:
    """Describe a cube in the words of Zarr.

    Parameters
    ----------
    cube : Cube
        The cube.
    location : str
        Its location, for the attributes.
    chunk_columns : int, optional
        Columns of a chunk. If it does not divide the columns of the cube, the last chunk of a row is padded with zeros.
    """
    planes = list(pixel_attributes(cube))
    found = coordinates(cube)
    small = {name: item.values.astype(item.values.dtype.newbyteorder("<")) for name, item in found.items()}
    arrays = {name: _array(values, (found[name].dim,), found[name].attrs) for name, values in small.items()}
    unit = pixel_attributes(cube)["flux"]["units"]
    others = " ".join(name for name in found if name not in PIXEL_DIMS)
    arrays[PIXELS] = _pixels(cube.layout, chunk_columns, {"planes": planes, "units": unit, "coordinates": others})
    group = {"zarr_format": 3, "node_type": "group", "attributes": attributes(cube, location)}
    inside = {"kind": "inline", "must_understand": False, "metadata": arrays}
    documents = {DOCUMENT: group | {"consolidated_metadata": inside}}
    documents |= {f"{name}/{DOCUMENT}": array for name, array in arrays.items()}
    return StoredCube({key: json.dumps(text).encode() for key, text in documents.items()}, small, chunk_columns)


def n_chunks(layout: CubeLayout, chunk_columns: int) -> int:
    """Number of chunks in a row of a cube."""
    return -(-layout.n_columns // chunk_columns)


def _array(values: NDArray[Any], dims: tuple[str, ...], attrs: dict[str, Any]) -> dict[str, Any]:
    return _document(values.dtype, values.shape, values.shape, dims, attrs)


def _pixels(layout: CubeLayout, chunk_columns: int, attrs: dict[str, Any]) -> dict[str, Any]:
    shape = (layout.n_rows, layout.n_columns, layout.n_cadences, layout.n_planes)
    chunk = (1, chunk_columns, layout.n_cadences, layout.n_planes)
    return _document(np.dtype(f">f{layout.word}"), shape, chunk, PIXEL_DIMS, attrs)


def _document(
    dtype: np.dtype[Any], shape: tuple[int, ...], chunk: tuple[int, ...], dims: tuple[str, ...], attrs: dict[str, Any]
) -> dict[str, Any]:
    endian = "big" if dtype.str.startswith(">") else "little"
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": shape,
        "data_type": dtype.name,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunk}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": "NaN" if dtype.kind == "f" else 0,
        "codecs": [{"name": "bytes", "configuration": {"endian": endian}}],
        "attributes": attrs,
        "dimension_names": dims,
    }
