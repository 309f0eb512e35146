"""Cutouts of many targets from many cubes: Tessera's own function for this."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from tessera.cutouts.pairs import OnResult, cut_pairs
from tessera.cutouts.results import CutoutOptions, CutoutResult, Size
from tessera.cutouts.stars import Stars
from tessera.io.filesystems import in_filesystem
from tessera.io.sources import Location, check_locations
from tessera.progress import ProgressInput
from tessera.sky.coordinates import Coordinates
from tessera.sky.motion import Targets, read_targets


def make_cutouts(
    cubes: Location | Iterable[Location],
    coordinates: Coordinates | Targets,
    size: Size,
    *,
    options: CutoutOptions | None = None,
    output_dir: Location | None = None,
    filesystem: Any = None,
    stars: Stars | None = None,
    progress: ProgressInput = None,
    on_result: OnResult | None = None,
) -> list[CutoutResult]:
    """Make target pixel files of many targets from many cubes.

    Parameters
    ----------
    cubes : str, Path, or several of them
        Cubes: local paths, ``s3://`` or ``https://`` URLs.
    coordinates : SkyCoord, str, or several of them
        Positions of one or many targets, in any frame that does not depend on an observer. docs/guide/cutouts.md lists
        the texts. Targets with a proper motion are cut where they are in the middle of a cube's times; this needs
        obstime.
    size : int, (int, int), or Quantity
        Size of a cutout in pixels or as angle: one value for both axes, or (rows, columns).
    options : CutoutOptions, optional
        Options of the cutouts, such as placement and cadences.
    output_dir : str or Path, optional
        Folder of the files. Without it, the results contain the files as bytes. A file that exists is replaced only if
        it is a target pixel file of the same CCD, sector and kind of frames that Tessera made.
    filesystem : fsspec file system, optional
        File system of the cubes, such as an `s3fs.S3FileSystem`; see docs/guide/locations.md.
    stars : Table, mapping, or sequence of mappings and None, optional
        What is known about the targets, for the headers: one row per target with columns of the TESS Input Catalog (ID,
        Tmag, pmRA, pmDEC, Teff, logg, MH, rad), a `name`, or `TICVER`. Other columns are ignored. The positions are
        `coordinates`, and a proper motion in `coordinates` takes precedence.
    progress : bool or callable, optional
        True shows a bar or lines on stderr. A function is called with (done, total) after each cutout, by one thread
        at a time. An error that it raises ends the work.
    on_result : callable, optional
        Function that is called with (number, result) after each cutout, by one thread at a time, where number is the
        place of the result in the list. A file of `output_dir` may appear some moments later. Cutouts of a cube that
        is replaced meanwhile are made again, and reported again.

    Returns
    -------
    list of CutoutResult
        One result per cube and target, ordered by cube and then by target, as they were given. A cutout that fails has
        its reason in its result; the other cutouts are still made. Of equal file names, the later ones have a number.

    Raises
    ------
    InvalidInputError
        When an argument has a value that is not allowed, or there is no cube or no target.
    """
    listed = check_locations("cubes", [cubes] if isinstance(cubes, (str, os.PathLike)) else cubes)
    targets = read_targets(coordinates)
    everyone = [range(len(targets))] * len(listed)
    listed = in_filesystem(filesystem, listed)
    results = cut_pairs(
        listed,
        everyone,
        targets,
        size,
        options=options,
        output_dir=output_dir,
        stars=stars,
        progress=progress,
        on_result=on_result,
    )
    return [result for some in results for result in some]
