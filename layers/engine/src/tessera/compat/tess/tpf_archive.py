"""Zip archives of target pixel files."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tessera.checks import check_switch
from tessera.compat.tess.cube_cutout import CubeCutoutInstance
from tessera.cutouts.output_names import check_replaceable_archive
from tessera.io.deflate import zip_pieces
from tessera.io.files import write_pieces
from tessera.provenance.crate import Crate, Member
from tessera.provenance.record import Origin


def write_tpf_archive(
    path: Path,
    names: Sequence[str],
    cutouts: Sequence[CubeCutoutInstance],
    pieces: Callable[[int], Iterable[bytes]],
    *,
    provenance: bool,
) -> str:
    """Write target pixel files into an archive, and return its path. It appears only when it is complete.

    Parameters
    ----------
    path : Path
        Path of the archive.
    names : sequence of str
        Names of the files.
    cutouts : sequence of CubeCutoutInstance
        What they are made of.
    pieces : callable
        Gives the content of the file of a number, in pieces.
    provenance : bool
        Whether the last member says what the others were made from.

    Raises
    ------
    KeptFileError
        When a file exists that is not an archive.
    """
    check_replaceable_archive(path)
    sizes = [24 * math.prod(item.cutout.window.shape) * item.cube.layout.n_cadences for item in cutouts]
    members: Iterable[Member] = zip(names, map(pieces, range(len(names))), sizes, strict=True)
    if check_switch("provenance", provenance):
        origins = ([Origin.of(item.cube_filename, 0, digest=item.cube.digest)] for item in cutouts)
        members = Crate().describe(members, dict(zip(names, origins, strict=True)))
    return write_pieces(path, zip_pieces(members)).as_posix()
