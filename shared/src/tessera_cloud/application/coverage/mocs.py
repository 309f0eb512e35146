"""MOCs of footprints, and their files. Only this module imports mocpy, which takes a second."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
from mocpy import MOC, STMOC

from tessera.sky.footprint import Footprint
from tessera.tess.clock import Time
from tessera.tess.times import to_utc_mjd
from tessera_cloud.application.coverage.parts import SPACE_ORDER, TIME_ORDER, Cubes
from tessera_cloud.contracts import PublishedCube


def footprint_moc(s_region: str) -> MOC:
    """MOC of the cells that share a point with a footprint.

    Parameters
    ----------
    s_region : str
        Polygon with any number of vertices, as the index has it. Its edges are great circles.
    """
    lon, lat = Footprint.parse_s_region(s_region).vertices.T
    (moc,) = MOC.from_polygons([lon % 360.0, lat], max_depth=SPACE_ORDER, n_threads=1)
    return moc


def cube_mocs(cubes: Cubes) -> dict[str, MOC]:
    """MOC of each footprint, by obs_id."""
    return {cube.obs_id: footprint_moc(cube.s_region) for cube in cubes}


def space_moc(cubes: Cubes, mocs: Mapping[str, MOC]) -> MOC:
    """MOC of all footprints of some cubes."""
    first, *others = (mocs[cube.obs_id] for cube in cubes)
    return first.union(*others) if others else first


def _span(cube: PublishedCube) -> tuple[float, float]:
    """Begin and end of a cube in order, MJD in UTC."""
    first, last = sorted(to_utc_mjd(cube.cube_id.kind, mjd) for mjd in (cube.t_min, cube.t_max))
    return first, last


def space_time_moc(cubes: Cubes, mocs: Mapping[str, MOC]) -> STMOC:
    """Space-time MOC of some cubes: each footprint in the time from the cube's begin to its end."""
    starts, ends = (Time(mjd, format="mjd", scale="utc").tcb for mjd in np.array([_span(cube) for cube in cubes]).T)
    covers = [mocs[cube.obs_id] for cube in cubes]
    return STMOC.from_spatial_coverages(starts, ends, covers, time_depth=TIME_ORDER)


def _to_fits(moc: MOC | STMOC) -> bytes:
    """FITS file of version 2.0 of the standard.

    MOCs of space are lists of cells (NUNIQ), as in version 1.1. stilts 3.4.7 finds no position in lists of ranges, the
    other form of version 2.0, and says nothing.
    """
    file = io.BytesIO()
    moc.serialize("fits", v1_compatible=isinstance(moc, MOC)).writeto(file)
    return file.getvalue()


def make_files(part: str, cubes: Cubes, mocs: Mapping[str, MOC]) -> tuple[dict[str, bytes], float]:
    """Make the files of a part.

    Parameters
    ----------
    part : str
        Name of the part.
    cubes : tuple of PublishedCube
        Its cubes, at least one.
    mocs : mapping
        MOCs of at least these cubes, by obs_id.

    Returns
    -------
    files : dict of str to bytes
        Name of each file to its bytes. The same cubes give the same bytes.
    sky_fraction : float
        Part of the sky that the cubes cover, 0 to 1.
    """
    space, space_time = space_moc(cubes, mocs), space_time_moc(cubes, mocs)
    files = {}
    for moc, kind in ((space, ""), (space_time, "-st")):
        files[f"{part}{kind}.fits"] = _to_fits(moc)
        files[f"{part}{kind}.json"] = moc.to_string(format="json").encode()
    return files, float(space.sky_fraction)
