"""Adds the records to the target pixel files of one cube."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from tessera.cutouts.origin.cube_record import cube_origin, cube_record
from tessera.provenance.fits_files import FitsDigest, add_provenance, digest_fits, format_provenance
from tessera.tpf.fixed import TpfInMemory, TpfRequest, tpf_pieces

if TYPE_CHECKING:
    from tessera.cutouts.open_cube import CubeFile
    from tessera.cutouts.origin.recipe import TpfRecipe
    from tessera.provenance.record import Record


class NoRecorder:
    """Leaves files as they are."""

    def n_bytes(self, _recipe: TpfRecipe) -> int:
        """Bytes that a record takes behind a file in memory."""
        return 0

    def finish(self, content: TpfInMemory, _recipe: TpfRecipe) -> bytearray:
        """The file in memory, with its record."""
        return content.finish()

    def pieces(self, content: TpfRequest, _recipe: TpfRecipe) -> Iterator[bytes]:
        """Pieces of the file, with its record."""
        return tpf_pieces(content)


class TpfRecorder(NoRecorder):
    """Adds records.

    Parameters
    ----------
    location : str or Path
        The cube, as it was given.
    file : CubeFile
        The open cube.
    """

    def __init__(self, location: object, file: CubeFile) -> None:
        self._origin = cube_origin(location, file.source, file.cube)

    def _describe(self, recipe: TpfRecipe, data: dict[str, Any]) -> Record:
        return cube_record("target pixel file", self._origin, recipe.document, data)

    def n_bytes(self, recipe: TpfRecipe) -> int:
        """See `NoRecorder`. Checksums have the same length in all files."""
        return len(format_provenance(self._describe(recipe, FitsDigest().data)))

    def finish(self, content: TpfInMemory, recipe: TpfRecipe) -> bytearray:
        """See `NoRecorder`. The file has room for the record."""
        data, n_bytes = content.finish(), content.n_bytes
        found = digest_fits(memoryview(data)[:n_bytes])
        data[n_bytes:] = format_provenance(self._describe(recipe, found))
        return data

    def pieces(self, content: TpfRequest, recipe: TpfRecipe) -> Iterator[bytes]:
        """See `NoRecorder`."""
        return add_provenance(tpf_pieces(content), partial(self._describe, recipe))
