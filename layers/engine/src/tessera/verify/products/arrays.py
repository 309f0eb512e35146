"""Arrays of products that were made again, as the bytes of NumPy files."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray


def save_array(array: NDArray[Any]) -> bytes:
    """An array as bytes."""
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def load_array(content: bytes) -> NDArray[Any]:
    """The array that `save_array` wrote."""
    return np.asarray(np.load(io.BytesIO(content)))
