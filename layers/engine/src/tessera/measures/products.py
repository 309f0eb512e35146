"""Make the files of a measured cube from the measures of its blocks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tessera import __version__
from tessera.cubes.reader import Cube
from tessera.cubes.reference.frame import REFERENCE_END, ReferenceFrame, cube_hash, format_reference
from tessera.cutouts.cadences import mid_times
from tessera.fits.hdus import CardTuple, format_hdu, table_cards
from tessera.lightcurves.detrending.vector_files import VECTORS_END, vectors_fits
from tessera.lightcurves.detrending.vectors import CotrendingVectors, cotrending_vectors
from tessera.measures.bins import GOOD_BITS, TimeBins, good_cadences
from tessera.measures.block import BlockMeasures
from tessera.measures.change_list import CHANGES_END, format_changes
from tessera.measures.changes import find_changes
from tessera.measures.stars import BrightStar, brightest_of_cells
from tessera.measures.statistics import IMAGES
from tessera.measures.thresholds import Thresholds

CREATOR = "tessera measures"
"""Value of CREATOR in files of measures."""


@dataclass(frozen=True)
class MeasuredCube:
    """Measures of a whole cube.

    Parameters
    ----------
    frame : ReferenceFrame
        Its reference frame.
    stars : list of BrightStar
        The brightest star of each cell.
    """

    frame: ReferenceFrame
    stars: list[BrightStar]


def join_blocks(blocks: Iterable[BlockMeasures]) -> MeasuredCube:
    """Join the measures of all blocks of a cube, in the order of their rows."""
    listed = sorted(blocks, key=lambda block: block.first_row)
    images = {name: np.concatenate([getattr(block, name) for block in listed]) for name in IMAGES}
    stars = brightest_of_cells([star for block in listed for star in block.stars])
    return MeasuredCube(ReferenceFrame(**images), stars)


def about_cards(cube: Cube, bins: TimeBins, version: str = __version__) -> list[CardTuple]:
    """Cards of a primary header that say which cube was measured, and how."""
    ccd_id = cube.ccd_id
    return [
        ("TELESCOP", "TESS", "telescope"),
        ("SECTOR", ccd_id.sector, "observing sector"),
        ("CAMERA", ccd_id.camera, "camera number"),
        ("CCD", ccd_id.ccd, "CCD chip number"),
        ("FFI_TYPE", cube.product.name, "the FFI type of the cube"),
        ("CREATOR", CREATOR, "software used to produce this file"),
        ("PROCVER", version, "software version"),
        ("CUBE", cube.name, "file name of the cube"),
        ("CUBEHASH", cube_hash(cube), "hash of its header and names of frames"),
        ("NCADENCE", cube.layout.n_cadences, "cadences of the cube"),
        ("NGOOD", len(bins.good), "cadences that were measured"),
        ("QUALMASK", GOOD_BITS, "quality bits of the other cadences"),
    ]


def _star_table(stars: list[BrightStar]) -> bytes:
    rows = np.empty(len(stars), [("ROW", ">i4"), ("COLUMN", ">i4"), ("FLUX", ">f8")])
    rows["ROW"], rows["COLUMN"] = [star.row for star in stars], [star.column for star in stars]
    rows["FLUX"] = [float(np.nanmedian(star.curve)) for star in stars]
    cards: list[CardTuple] = table_cards(rows.dtype.itemsize, len(rows), 3)
    for number, (name, form) in enumerate((("ROW", "J"), ("COLUMN", "J"), ("FLUX", "D")), 1):
        cards += [(f"TTYPE{number}", name, ""), (f"TFORM{number}", form, "")]
    return format_hdu([*cards, ("EXTNAME", "STARS", "stars that gave the vectors")], rows.tobytes())


def build_products(
    cube: Cube,
    measured: MeasuredCube,
    bins: TimeBins,
    differences: NDArray[np.float32],
    thresholds: Thresholds,
    *,
    version: str = __version__,
) -> dict[str, bytes]:
    """Make all files of a cube: end of the name to content. Without enough stars, there are no cotrending vectors.

    Parameters
    ----------
    cube : Cube
        The cube.
    measured : MeasuredCube
        Its measures.
    bins : TimeBins
        Good cadences and bins of time.
    differences : ndarray, shape (n_bins, n_rows, n_columns)
        Median difference from the reference in each bin. It is changed.
    thresholds : Thresholds
        What counts as a change.
    version : str, optional
        Version of the software that the files name.
    """
    about, frame = about_cards(cube, bins, version), measured.frame
    vectors = cotrending_vectors(_curves(cube, measured.stars), good_cadences(cube))
    changes = find_changes(frame, bins, differences, thresholds.n_sigma)
    meta = {"creator": f"{CREATOR} {version}", "cube_hash": cube_hash(cube), "n_good": len(bins.good)}
    products = {
        REFERENCE_END: format_reference(cube, frame, about),
        CHANGES_END: format_changes(cube, changes, thresholds, meta),
    }
    if len(vectors):
        products[VECTORS_END] = _vector_file(cube, vectors, measured.stars, about, version)
    return products


def _curves(cube: Cube, stars: list[BrightStar]) -> NDArray[np.float32]:
    """Light curves of the stars, of shape (n_stars, n_cadences)."""
    return np.array([star.curve for star in stars], np.float32).reshape(len(stars), cube.layout.n_cadences)


def _vector_file(
    cube: Cube, vectors: NDArray[np.float64], stars: list[BrightStar], about: list[CardTuple], version: str
) -> bytes:
    numbers = cube.series["cadence_number"]
    known = CotrendingVectors(mid_times(cube), numbers if numbers.any() else None, ~good_cadences(cube), vectors)
    cards = [*about, ("NSTARS", len(stars), "stars whose light curves were measured")]
    return vectors_fits(known, cards, cube.ccd_id.camera, cube.ccd_id.ccd, version) + _star_table(stars)
