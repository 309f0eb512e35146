"""`tessera.search`: which cubes see a target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tessera.coverage.own_cubes import CubeSearch, search_cubes
from tessera.coverage.public_cubes import search_footprints
from tessera.coverage.result import SearchResult
from tessera.coverage.rows import Missing, SearchRow, Wanted, check_wanted, failures
from tessera.coverage.served_cubes import Service, ServiceNames, check_service, opened, search_service
from tessera.cutouts.listing import list_cubes
from tessera.errors import InvalidInputError
from tessera.io.filesystems import check_filesystem
from tessera.io.sources import Location, check_locations
from tessera.narrator import Narrator
from tessera.progress import ProgressInput, check_progress
from tessera.targets.names import MAST_RESOLVER, MastNames
from tessera.targets.read import GivenTargets, read_given
from tessera.targets.target import TargetList
from tessera.tess.products import SPOC


def search(
    target: GivenTargets,
    *,
    sectors: Any = None,
    product: str | None = None,
    cubes: Any = None,
    service: Any = None,
    filesystem: Any = None,
    footprints: Location | None = None,
    resolver: str = MAST_RESOLVER,
    progress: ProgressInput = None,
    verbose: bool = False,
) -> SearchResult:
    """Find the cubes that see one or many targets.

    Parameters
    ----------
    target : str, SkyCoord, (float, float), or a list or table of them
        The targets: names such as ``"pi Men"`` and ``"TIC 261136679"``, written positions such as
        ``"88.95 -75.39"``, coordinates of astropy, or pairs of right ascension and declination in degrees. A table of
        astropy or pandas has the columns ``ra`` and ``dec``, or ``name``, or ``tic``. See docs/guide/search.md.
    sectors : int or list of int, optional
        Sectors to search; by default all.
    product : {'SPOC', 'TICA', 'any'}, optional
        Kind of frames. By default all kinds of your own cubes, and SPOC elsewhere.
    cubes : str, Path, or several of them, optional
        Your own cubes: local paths, folders of cubes, ``s3://`` or ``https://`` URLs. The WCS of each cube decides.
    service : str or Client, optional
        Address of a Tessera service. It finds names, too.
    filesystem : fsspec file system, optional
        File system of the cubes and of the index of footprints; see docs/guide/locations.md.
    footprints : str or Path, optional
        Path or URL of an index of footprints in MAST's form; by default MAST's.
    resolver : str, optional
        Address of the resolver that finds names; by default MAST's.
    progress : bool or callable, optional
        True shows a bar or lines on stderr. A function is called with (done, total) after each cube that is read, or
        after each target that a service answers.
    verbose : bool, optional
        Whether to write what happens to stderr. The logger ``tessera`` is always told.

    Returns
    -------
    SearchResult
        One row per target and CCD, and what is missing.

    Raises
    ------
    InvalidInputError
        When an argument has a value that is not allowed, or the only target has a name that the resolver does not know.
    NameResolverError
        When the resolver does not answer.
    OSError
        When the index of footprints, or every cube, cannot be read.

    Notes
    -----
    Without `cubes` and `service`, the public cubes at MAST are searched by their footprints. The pixel and the distance
    to the edge are then unknown until `SearchResult.locate` reads the headers of the cubes.

    Examples
    --------
    >>> found = tessera.search("pi Men", sectors=1)  # doctest: +SKIP
    >>> found.cut(size=11, output_dir="cutouts")  # doctest: +SKIP
    """
    if cubes is not None and service is not None:
        raise InvalidInputError("service", service, "None where cubes are given, because they say where to search")
    check_filesystem(filesystem)
    check_progress(progress)
    narrator = Narrator(__name__, verbose=verbose)
    wanted = check_wanted(sectors, product, None if cubes is not None else SPOC.name)
    if service is not None:
        found = _ask_service(target, check_service(service), wanted, progress)
    elif cubes is not None:
        listed = list_cubes(cubes, filesystem)
        targets = read_given(target, MastNames(resolver), show=progress is True)
        narrator.say("Reading the headers of %d cubes", len(listed))
        found = _of_cubes(search_cubes(listed, targets, wanted, progress), listed, targets, wanted)
    else:
        index = None if footprints is None else check_locations("footprints", [footprints])[0]
        targets = read_given(target, MastNames(resolver), show=progress is True)
        narrator.say("Searching the footprints of the public cubes for %d targets", len(targets))
        rows = search_footprints(targets, wanted, index, filesystem)
        found = _of_rows(rows, targets, wanted, "public {}")
    narrator.say("Found %d rows; %d of %d targets are on no cube", len(found), len(found.missing), len(found.targets))
    return found


def _ask_service(target: GivenTargets, service: Service, wanted: Wanted, progress: ProgressInput) -> SearchResult:
    with opened(service) as client:
        targets = read_given(target, ServiceNames(client), show=progress is True)
        found = search_service(client, targets, wanted, progress)
    return replace(_of_rows(found, targets, wanted, "{} of the service"), service=service)


def _of_cubes(found: list[CubeSearch], cubes: list[Location], targets: TargetList, wanted: Wanted) -> SearchResult:
    unread = failures(cubes, [item.error for item in found])
    rows = [row for item in found for row in item.rows]
    result = _of_rows(rows, targets, wanted, "given {}")
    return replace(result, unread=unread)


def _of_rows(found: list[SearchRow], targets: TargetList, wanted: Wanted, what: str) -> SearchResult:
    """Result of rows in any order and of all sectors."""
    rows = sorted((row for row in found if wanted.has(row.sector, row.product)), key=lambda row: row.order)
    seen = {row.target.number for row in rows}
    elsewhere: dict[int, set[int]] = {}
    for row in found:
        if row.sector is not None:
            elsewhere.setdefault(row.target.number, set()).add(row.sector)
    missing = [
        Missing(target, target.reason or _reason(wanted, elsewhere.get(target.number, set()), what))
        for target in targets.targets
        if target.number not in seen
    ]
    return SearchResult(tuple(rows), targets, tuple(missing))


def _reason(wanted: Wanted, elsewhere: set[int], what: str) -> str:
    """Why no row has a target."""
    cube = what.format(f"{wanted.product} cube" if wanted.product else "cube")
    if wanted.sectors is None:
        return f"no {cube} sees it"
    others = f"; it is in {_sectors(sorted(elsewhere))}" if elsewhere else ""
    return f"no {cube} sees it in {_sectors(wanted.sectors)}{others}"


def _sectors(numbers: Sequence[int]) -> str:
    """Numbers of sectors as words: sectors 1, 4-7."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    texts = [f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    return f"{'sector' if len(numbers) == 1 else 'sectors'} {', '.join(texts)}"
