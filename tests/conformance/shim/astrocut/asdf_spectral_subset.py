"""See the package. Tessera reads files in threads and pickles nothing; this is here for its test alone."""

from typing import Any

import numpy as np

from tessera.roman.tree import map_tree


def _make_pickle_safe(value: Any) -> Any:
    return map_tree(value, lambda leaf: leaf.item() if isinstance(leaf, np.generic) else leaf)
