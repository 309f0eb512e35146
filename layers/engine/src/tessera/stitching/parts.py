"""Stitched light curves of some sectors each become one of all sectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tessera.stitching.curve import LeftOut, StitchedCurve
from tessera.stitching.join import Piece, join
from tessera.stitching.made import join_made


def join_parts(
    parts: Sequence[StitchedCurve], level: object, gap: object, left_out: Sequence[LeftOut] = ()
) -> StitchedCurve:
    """Join stitched light curves of a target in different sectors, as if they had been made as one.

    Parameters
    ----------
    parts : sequence of StitchedCurve
        One or more, which were stitched by the same rule.
    level, gap
        See `tessera.stitch`.
    left_out : sequence of LeftOut, optional
        What is left out besides what the parts leave out.

    Raises
    ------
    InvalidInputError
        When two parts have the same sector, or an argument has a value that is not allowed.
    """
    pieces = [
        Piece(curve, one.sector, one.camera, one.ccd, one.cube, one.row, one.column, one.edge)
        for part in parts
        for one, curve in zip(part.sectors, part.curves, strict=True)
    ]
    left = [*(one for part in parts for one in part.left_out), *left_out]
    curve = join(pieces, level, gap, left)
    made = join_made([(part.made, _sectors(part)) for part in parts], _sectors(curve))
    return replace(curve, made=made)


def _sectors(curve: StitchedCurve) -> list[int]:
    return [one.sector for one in curve.sectors]
