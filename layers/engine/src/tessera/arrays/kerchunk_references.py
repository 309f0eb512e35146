"""References in the format of kerchunk: one JSON document. Its arrays are of Zarr version 2, which all readers know.

Source: https://fsspec.github.io/kerchunk/spec.html, version 1.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

from tessera.arrays.references import Referenced
from tessera.arrays.zarr_metadata import DOCUMENT, PIXELS

_ORDERS = {"big": ">", "little": "<"}
_KINDS = {"float": "f", "int": "i"}


def reference_pieces(cube: Referenced, done: Callable[[], object]) -> Iterator[bytes]:
    """Write the references piece by piece.

    Parameters
    ----------
    cube : Referenced
        The cube.
    done : callable
        Is called after each row.
    """
    templates, url = ({"u": cube.url}, "{{u}}") if "{{" not in cube.url else ({}, cube.url)  # a path may have braces
    head = {"version": 1, "templates": templates, "refs": _documents(cube)}
    yield json.dumps(head)[:-2].encode()
    text = json.dumps(url)
    for row in range(cube.layout.n_rows):
        refs = (f',"{PIXELS}/{row}.{n}.0.0":[{text},{start},{cube.chunk_bytes}]' for n, start in cube.row(row))
        yield "".join(refs).encode()
        done()
    yield b"}}"


def _documents(cube: Referenced) -> dict[str, str]:
    """Documents of version 2, and the values of the coordinates."""
    found = {}
    for key, text in cube.group.documents.items():
        name, document = key.removesuffix(DOCUMENT), json.loads(text)
        attributes = document["attributes"]
        if document["node_type"] == "group":
            found[f"{name}.zgroup"] = json.dumps({"zarr_format": 2})
        else:
            found[f"{name}.zarray"] = json.dumps(_array(document))
            attributes = {**attributes, "_ARRAY_DIMENSIONS": document["dimension_names"]}
        found[f"{name}.zattrs"] = json.dumps(attributes)
    for name, values in cube.group.small.items():
        found[f"{name}/0"] = f"base64:{base64.b64encode(values.tobytes()).decode()}"
    return found


def _array(document: dict[str, Any]) -> dict[str, Any]:
    kind = document["data_type"].rstrip("0123456789")
    order = _ORDERS[document["codecs"][0]["configuration"]["endian"]]
    return {
        "zarr_format": 2,
        "shape": document["shape"],
        "chunks": document["chunk_grid"]["configuration"]["chunk_shape"],
        "dtype": f"{order}{_KINDS[kind]}{int(document['data_type'].removeprefix(kind)) // 8}",
        "compressor": None,
        "filters": None,
        "order": "C",
        "fill_value": None,
    }
