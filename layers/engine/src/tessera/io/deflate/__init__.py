"""Deflate and zip archives: with ISA-L where the package isal is installed, otherwise with zlib.

No other package imports isal.
"""

from tessera.io.deflate.archives import ZIP_START, ZipArchive, zip_pieces
from tessera.io.deflate.blocks import pack_gzip

__all__ = ["ZIP_START", "ZipArchive", "pack_gzip", "zip_pieces"]
