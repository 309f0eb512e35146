"""Tessera: full-frame images in, time-series cubes and cutouts out.

The modules below this package are pure: bytes, arrays and callables in, values out. See docs/architecture.md.
"""

__version__ = "0.1.0"
