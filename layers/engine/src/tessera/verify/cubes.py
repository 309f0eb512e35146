"""Check a cube against its frames, which its info table names, and against their hashes, if it has a record."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any, Literal

from tessera.builds.frame_files import hash_frame
from tessera.builds.report import verify_cube
from tessera.cube_sources import JoinedSource, open_cube_source
from tessera.cubes.hashes.reading import record_of
from tessera.cubes.reader import read_cube_layout
from tessera.cubes.segments.signed import read_table_record
from tessera.errors import CubeFormatError, ProvenanceError
from tessera.framesets.find import product_of
from tessera.framesets.folders import is_folder, list_folder
from tessera.io.locations import file_name
from tessera.io.sources import Location, Source
from tessera.provenance.record import Record
from tessera.verify.report import Problem, Status, Verification

_LEAST = 4 * 2880
"""Size of the smallest cube: three headers, and data."""
_WORDS = {"sha256": "SHA-256", "etag": "ETag"}
_NO_FRAMES = "its frames are not given: only its checksums were checked; name the frames with --from"


def is_cube(source: Source) -> bool:
    """Whether a file is a cube. Little more than its headers is read."""
    if source.size < _LEAST:
        return False
    try:
        read_cube_layout(source.name, source.size, source.read, check=False)
    except CubeFormatError:
        return False
    return True


def verify_cube_file(name: str, cube: Location, given: Sequence[Location]) -> Verification:
    """Check the checksums of a cube, and if its frames are given, every pixel and the hash of every frame.

    Parameters
    ----------
    name : str
        The cube, as it was given.
    cube : str or Path
        The cube.
    given : sequence of str or Path
        Its frames, and folders with them.
    """
    frames: list[Location] = []
    for location in given:
        listed = list_folder(location) if is_folder(location) else [location]
        frames += [each for each in listed if not is_folder(location) or product_of(file_name(each))]
    try:
        problems = [Problem(_kind(text), text) for text in verify_cube(cube, frames)]
    except CubeFormatError as error:
        return Verification(name, "different", [Problem("structure", str(error))])
    records: list[Record] = []
    own: Record | None = None
    try:
        with closing(open_cube_source(cube)) as source:
            own = _read_records(source, records)
    except ProvenanceError as error:
        problems.append(Problem("record", str(error)))
    differing, unknown = _compare_hashes(records, frames)
    problems += differing
    notes = [f"frames that have no ETag here, of which only the pixels were compared: {unknown:,}"] if unknown else []
    notes += [] if frames else [_no_frames(records)]
    status: Status = "different" if problems else "same" if frames else "unknown"
    if own is None:
        return Verification(name, status, problems, notes)
    return Verification(name, status, problems, notes, own.document, own.sha256, own.signature)


def _read_records(cube: Source, records: list[Record]) -> Record | None:
    """The record of a cube, or of a segment table; None if it has none. Those of cubes and segments are listed, too."""
    files = cube.files if isinstance(cube, JoinedSource) else [cube]
    found = []
    for file in files:
        found.append(record_of(file))
        records += [] if found[-1] is None else [found[-1]]
    if isinstance(cube, JoinedSource):
        return read_table_record(cube.document.read(0, cube.document.size), found)
    return found[0]


def _no_frames(records: Sequence[Record]) -> str:
    places = dict.fromkeys(record.source["location"] for record in records)
    found = " and ".join(place for place in places if place)
    return f"{_NO_FRAMES}; they were in {found}" if found else _NO_FRAMES


def _compare_hashes(records: Sequence[Record], frames: Sequence[Location]) -> tuple[list[Problem], int]:
    """Frames that differ from the hashes of records, and the number of those that have no such hash.

    Frames that they do not name are found elsewhere.
    """
    problems, unknown = [], 0
    known: dict[str, dict[str, Any]] = {frame["name"]: frame for record in records for frame in record.source["frames"]}
    for location in frames:
        name = file_name(location).removesuffix(".fz")
        if name not in known:
            continue
        kind = "sha256" if "sha256" in known[name] else "etag"
        then, now = known[name][kind], hash_frame(location, kind).get(kind)
        unknown += now is None
        if now not in (None, then):
            text = f"{name}: its {_WORDS[kind]} was {then} when the cube was made, and is {now}"
            problems.append(Problem("source", text, {"location": name}))
    return problems, unknown


def _kind(problem: str) -> Literal["source", "checksum", "pixel"]:
    """Kind of a problem of `tessera.builds.report.verify_cube`."""
    if "was not given" in problem or "is not in" in problem:
        return "source"
    return "pixel" if "pixels differ" in problem else "checksum"
