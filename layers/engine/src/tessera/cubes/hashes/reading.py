"""Read the record of a cube, and check that it is that of the cube."""

from __future__ import annotations

from typing import Any

from tessera.cubes.checks import read_end
from tessera.cubes.frames import ReadBytes
from tessera.cubes.hashes.making import digest_headers
from tessera.cubes.reader import read_cube_layout
from tessera.errors import ProvenanceError
from tessera.fits.headers import padded
from tessera.provenance.fits_files import FitsProvenance, data_problems, read_provenance
from tessera.provenance.record import Record


def record_of(file: Any) -> Record | None:
    """The record of a cube in an open file, which has `name`, `size` and `read`; None if it has none."""
    found = read_record(file.name, file.size, file.read)
    return None if found is None else found.record


def read_record(name: str, file_size: int, read: ReadBytes) -> FitsProvenance | None:
    """Read the record of a cube; None if it has none.

    Parameters
    ----------
    name, file_size, read
        See `tessera.cubes.reader.read_cube`.

    Raises
    ------
    CubeFormatError
        When the file is not a cube.
    ProvenanceError
        When the record is damaged, or is not of this cube.
    """
    _, layout, data_offset = read_cube_layout(name, file_size, read, check=False)
    info, behind = read_end(name, file_size, read, data_offset + padded(layout.data_bytes))
    if not behind:
        return None
    if broken := data_problems(behind):
        raise ProvenanceError(f"{name}: {broken[0]}")
    found = read_provenance(behind)
    if found is None or found.record.kind != "cube" or "frames" not in found.record.source:
        raise ProvenanceError(f"{name}: the record is not that of a cube")
    if found.record.data != digest_headers(read(0, data_offset), info):
        raise ProvenanceError(f"{name}: the record is of another file: the SHA-256 of its headers differs")
    return found
