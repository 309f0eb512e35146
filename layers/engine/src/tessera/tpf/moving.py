"""Target pixel files of moving targets: the twelve columns of a fixed target, and four with its positions.

TGT_X and TGT_Y count columns and rows of the box from the centre of its first pixel, 0; TGT_RA and TGT_DEC are ICRS
degrees. The aperture is the path on the whole frame. Columns have no WCS, because the boxes move. Source: astrocut
1.4 and the products of the live TESSCut service (docs/explanation/formats.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from astropy.wcs import WCS
from numpy.typing import NDArray

from tessera.cubes.reader import Cube
from tessera.fits.hdus import CardTuple
from tessera.tess.detector import science_pixels
from tessera.tpf.cards import NOT_SCIENCE, WIDE_QUALITY
from tessera.tpf.columns import Column, aperture_hdu, cube_columns, frame_cards
from tessera.tpf.flags import Flags
from tessera.tpf.primary import CREATOR, format_utc, object_text, primary_cards
from tessera.tpf.rows import PixelTable


@dataclass(frozen=True)
class Boxes:
    """Pixels around a moving target, and positions of the target, in n cadences.

    Parameters
    ----------
    planes : ndarray, shape (n_planes, n, n_rows, n_columns)
        Flux, and its error if the product has errors.
    x, y : ndarray, shape (n,)
        Column and row of the target in its box; the centre of the first pixel is 0.
    ra, dec : ndarray, shape (n,)
        Position of the target, ICRS degrees.
    n_filled : int
        Number of cadences whose box has filled pixels.
    n_borrowed : int, optional
        Number of cadences whose frame has no WCS, so that the WCS of another frame gives the position.
    flags : Flags, optional
        What marks collateral pixels and cadences without a new picture; by default nothing is marked.
    fill_value : float, optional
        Value of collateral pixels, if they are marked.
    """

    planes: NDArray[Any]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    ra: NDArray[np.float64]
    dec: NDArray[np.float64]
    n_filled: int
    n_borrowed: int = 0
    flags: Flags | None = None
    fill_value: float = np.nan


@dataclass(frozen=True)
class MovingTpf:
    """Content of the target pixel file of a moving target.

    Parameters
    ----------
    primary, image : list of cards
        Cards of the primary header, and cards of the table's header that do not describe a column.
    columns : list of Column
        Columns of the table.
    shape : (int, int)
        Rows and columns of the boxes.
    aperture : (WCS, ndarray of int32), optional
        WCS of the frame, and the path on it. By default there is no third HDU.
    """

    primary: list[CardTuple]
    image: list[CardTuple]
    columns: list[Column]
    shape: tuple[int, int]
    aperture: tuple[WCS, NDArray[np.int32]] | None = None


def target_columns(boxes: Boxes) -> list[Column]:
    """The four columns with the positions of the target."""
    return [
        Column("TGT_X", "D", "pixel", boxes.x),
        Column("TGT_Y", "D", "pixel", boxes.y),
        Column("TGT_RA", "D", "deg", boxes.ra),
        Column("TGT_DEC", "D", "deg", boxes.dec),
    ]


def moving_cards(cards: Iterable[CardTuple], target: str, start: float, stop: float) -> list[CardTuple]:
    """Change the primary header of a fixed target to that of a moving target: without position, with name and times.

    Parameters
    ----------
    cards : iterable of cards
        Cards of the fixed target.
    target : str
        Name of the moving target, or empty. Characters that FITS does not allow become question marks.
    start, stop : float
        First and last TIME, BTJD.
    """
    new: dict[str, CardTuple] = {
        "OBJECT": ("OBJECT", object_text(target), "Moving target object name/identifier"),
        "TSTART": ("TSTART", start, "TIME of the first cadence"),
        "TSTOP": ("TSTOP", stop, "TIME of the last cadence"),
        "TELAPSE": ("TELAPSE", stop - start, "[d] TSTOP - TSTART"),
        "DATE-OBS": ("DATE-OBS", format_utc(start), "TSTART as UTC calendar date"),
        "DATE-END": ("DATE-END", format_utc(stop), "TSTOP as UTC calendar date"),
    }
    if not target:
        del new["OBJECT"]
    kept = [card for card in cards if card[0] not in ("RA_OBJ", "DEC_OBJ")]
    known = {card[0] for card in kept}
    kept = [new.get(card[0], card) for card in kept]
    return kept + [card for keyword, card in new.items() if keyword not in known and keyword in ("TSTART", "TSTOP")]


def filled_card(n_filled: int) -> CardTuple:
    """Card with the number of cadences that have filled pixels."""
    return ("NPARTIAL", n_filled, "cadences with pixels that no frame has")


def borrowed_cards(n_borrowed: int) -> list[CardTuple]:
    """Card with the number of cadences whose frame has no WCS; no card if there are none."""
    return [("NBORROW", n_borrowed, "cadences placed by the WCS of another frame")] if n_borrowed else []


def cube_tpf(
    cube: Cube,
    cadences: NDArray[np.int64],
    boxes: Boxes,
    path: NDArray[np.int32],
    *,
    target: str = "",
    version: str = "",
    creator: str = CREATOR,
) -> MovingTpf:
    """Collect the content of the target pixel file of a moving target on one cube.

    Parameters
    ----------
    cube : Cube
        Cube of the pixels.
    cadences : ndarray of int, shape (n,)
        Cadences of the file.
    boxes : Boxes
        Pixels and positions of the target in these cadences.
    path : ndarray of int32, shape (n_rows, n_columns) of the frame
        1 for pixels in the box of any cadence, 0 elsewhere.
    target, version, creator : str, optional
        Values of the cards OBJECT, PROCVER and CREATOR.
    """
    flags, planes = boxes.flags, list(boxes.planes)
    if flags is not None:
        planes = [flags.blanked(plane, boxes.fill_value) for plane in planes]
    columns = [*cube_columns(cube, planes, cadences), *target_columns(boxes)]
    time = columns[0].values
    primary = primary_cards(cube, 0.0, 0.0, version, creator)
    primary = moving_cards(primary, target, float(time.min()), float(time.max()))
    if flags is not None:
        found = flags.cadences(boxes.planes[0])
        columns = [
            replace(one, values=one.values | found, display=WIDE_QUALITY) if one.name == "QUALITY" else one
            for one in columns
        ]
        science = science_pixels(path.shape, 0, 0, path.shape)
        primary += flags.cards(int((science & (path > 0)).sum()))
        path = np.where(science, path, path * np.int32(NOT_SCIENCE))
    image = [*frame_cards(cube), filled_card(boxes.n_filled), *borrowed_cards(boxes.n_borrowed)]
    return MovingTpf(primary, image, columns, boxes.planes.shape[2:], (cube.wcs, path))


def moving_pieces(tpf: MovingTpf) -> Iterator[bytes]:
    """Build a target pixel file, piece by piece.

    Yields
    ------
    bytes
        Pieces of a FITS file, in order. The file has the HDUs PRIMARY, PIXELS and, if there is an aperture,
        APERTURE, each with checksums.
    """
    table = PixelTable(tpf.columns, tpf.shape)
    yield table.front(tpf.primary, tpf.image).sealed(table.data_sum())
    yield from table.pieces()
    if tpf.aperture is not None:
        wcs, path = tpf.aperture
        header = wcs.to_header(relax=True)
        yield aperture_hdu(path, ((card.keyword, card.value, card.comment) for card in header.cards))
