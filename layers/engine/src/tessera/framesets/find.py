"""Find the frames of folders and lists, and read their headers: `tessera.read_frames`."""

from __future__ import annotations

import os
import warnings
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, NamedTuple, get_args

from tessera.builds.frame_files import FrameFile, open_frame, warn_of_temporary
from tessera.builds.frame_set import accept_frames
from tessera.checks import check_choice
from tessera.errors import DataWarning, InvalidInputError, UnreadableFrameError
from tessera.framesets.facts import FramePlace, build_facts, name_of
from tessera.framesets.folders import is_folder, list_folder
from tessera.framesets.source import FrameSet
from tessera.io.filesystems import in_filesystem
from tessera.io.locations import file_name, shown
from tessera.io.sources import Location, Source, check_locations
from tessera.tess.products import PRODUCTS, SPOC, Product, parse_product

HEADER_READS = 32
"""Number of headers that are read at the same time."""

OnUnreadable = Literal["fail", "skip"]
_PACKED = (".gz", ".bz2", ".xz", ".fz")


class _Opened(NamedTuple):
    """A frame, its size in bytes, and whether its file is still open."""

    location: Location
    file: FrameFile
    size: int
    is_open: bool


def read_frames(
    frames: Location | Iterable[Location],
    *,
    product: str | None = None,
    filesystem: Any = None,
    on_unreadable: OnUnreadable = "fail",
) -> list[FrameSet]:
    """Read the headers of frames, so that cutouts can be made of them before there is a cube.

    The functions that take cubes, such as `tessera.make_cutouts`, take the result in their place. Files that are made
    from frames equal those that are made from their cube, bit by bit, but for three cards of the primary header:
    FROMFFI says that there was no cube, DATE is that of the last frame, and so CHECKSUM differs.

    Parameters
    ----------
    frames : str, Path, or several of them
        Frames, and folders with frames: local paths, ``s3://`` and ``https://`` URLs. A folder in S3 ends with a slash.
        Files of folders that do not have the name of a frame are left out.
    product : {'SPOC', 'TICA'}, optional
        Kind of the frames; by default, their names tell it.
    filesystem : fsspec file system, optional
        File system of the frames, such as an `s3fs.S3FileSystem`; see docs/guide/locations.md.
    on_unreadable : {'fail', 'skip'}, optional
        With 'fail', a frame that cannot be read raises its error. With 'skip', it is left out with a `DataWarning`.

    Returns
    -------
    list of FrameSet
        One for each CCD, sector and product, in the order of their names.

    Raises
    ------
    InvalidInputError
        When an argument has a value that is not allowed, or there is no frame.
    UnreadableFrameError
        When a file is truncated, damaged, or not a frame of this kind. The message names the file.
    InconsistentFramesError
        When the frames of a CCD do not fit together. The message names the file.
    OSError
        When a file or folder cannot be read.

    Examples
    --------
    .. code-block:: python

        ccds = tessera.read_frames("s3://stpubdata/tess/public/ffi/s0098/2025/300/1-1/")
        results = tessera.make_cutouts(ccds, "98.2164 -75.9018", 11)
    """
    check_choice("on_unreadable", on_unreadable, get_args(OnUnreadable))
    kind = None if product is None else parse_product(product)
    listed = check_locations("frames", [frames] if isinstance(frames, (str, os.PathLike)) else frames)
    found = _list(in_filesystem(filesystem, listed), kind)
    groups: defaultdict[tuple[object, ...], list[_Opened]] = defaultdict(list)
    try:
        opened = _open(found, skip=on_unreadable == "skip")
        warn_of_temporary([item.file for item in opened])
        for item in opened:
            frame = item.file.frame
            groups[frame.product.name, frame.sector, *frame.detector].append(item)
        return sorted((_frame_set(group) for group in groups.values()), key=lambda one: one.obs_id)
    except BaseException:
        for group in groups.values():
            _close(group)
        raise


def _list(locations: Sequence[Location], product: Product | None) -> list[tuple[Location, Product]]:
    """Frames with their product: those that the user names, and those of folders by their names."""
    found: dict[str, tuple[Location, Product]] = {}
    for location in locations:
        if not is_folder(location):
            found[os.fspath(location)] = location, product or product_of(file_name(location)) or SPOC
            continue
        for file in list_folder(location):
            named = product_of(file_name(file))
            if named is not None and product in (None, named):
                found[os.fspath(file)] = file, named
    if not found:
        folders = ", ".join(shown(location) for location in locations[:3])
        kinds = " or ".join(f"*{item.frame_end}" for item in PRODUCTS.values() if product in (None, item))
        raise InvalidInputError("frames", folders, f"frames, or folders with frames, whose names end in {kinds}")
    return list(found.values())


def product_of(name: str) -> Product | None:
    """Product of a frame by its file name, which may be that of a packed file; None for other names."""
    for suffix in _PACKED:
        name = name.removesuffix(suffix)
    for product in PRODUCTS.values():
        if name.endswith(product.frame_end) and product.frame_detector.search(name):
            return product
    return None


def _open(found: Sequence[tuple[Location, Product]], *, skip: bool) -> list[_Opened]:
    """Open frames. An unreadable frame raises its error or is left out."""
    with ThreadPoolExecutor(HEADER_READS) as pool:
        outcomes = list(pool.map(_read, found))
    opened = [item for item in outcomes if isinstance(item, _Opened)]
    errors = [item for item in outcomes if isinstance(item, Exception)]
    if errors and not (skip and opened):
        _close(opened)
        raise errors[0]
    for error in errors:
        warnings.warn(f"Left out {error}", DataWarning, stacklevel=4)
    return opened


def _read(item: tuple[Location, Product]) -> _Opened | OSError | UnreadableFrameError:
    try:
        file = open_frame(*item)
    except (OSError, UnreadableFrameError) as error:
        return error
    size, is_open = file.source.size, not getattr(file.source, "on_disk", False)
    if not is_open:
        file.source.close()  # thousands of files would be open
    return _Opened(item[0], file, size, is_open)


def _close(opened: Iterable[_Opened]) -> None:
    for item in opened:
        if item.is_open:
            item.file.source.close()


def _frame_set(group: Sequence[_Opened]) -> FrameSet:
    frames = [item.file.frame for item in group]
    sector = accept_frames(frames, None)
    places = [FramePlace(os.fspath(item.location), item.size, item.file.source.version) for item in group]
    facts = build_facts(name_of(frames), frames, places, sector)
    ordered = sorted(group, key=lambda item: item.file.frame.start)
    kept: dict[int, Source] = {cadence: item.file.source for cadence, item in enumerate(ordered) if item.is_open}
    return FrameSet(facts, [item.location for item in ordered], kept)
