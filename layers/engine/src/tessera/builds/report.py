"""Reports about a cube: its description, the check of its content, and the plan and the cost of its build."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from math import nan

import numpy as np

from tessera.builds.conversion import cube_words
from tessera.builds.estimate import (
    GETS_PER_SECOND,
    LINK_BYTES_PER_SECOND,
    BuildEstimate,
    cheapest,
    estimate_sizes,
)
from tessera.builds.frame_files import open_frame
from tessera.builds.layers import FrameLayer, Words
from tessera.builds.plan import MIB, block_memory, check_frame_number
from tessera.cube_sources import JoinedSource, open_cube_source
from tessera.cubes.checks import check_end, has_sums, read_table, sums_hold
from tessera.cubes.info_table import InfoTable
from tessera.cubes.layout import DOUBLE, CubeLayout
from tessera.cubes.reader import read_cube_layout
from tessera.errors import CubeFormatError
from tessera.fits.checksum import ones_complement_add, ones_complement_sum
from tessera.fits.headers import Header, padded, read_header
from tessera.io.sources import Location, Source
from tessera.progress import Counter, ProgressInput, counting
from tessera.tess.products import find_product

_CHUNK_BYTES = 64_000_000

_GB_MONTH = 0.023
"""Dollars for a GB of storage in US East. Source: tools/costs/prices.toml, which a test compares."""


def _axes(layout: CubeLayout) -> str:
    doubles = ", 64-bit floats" if layout.word == DOUBLE else ""
    shape = f"{layout.n_rows} rows, {layout.n_columns} columns, {layout.n_cadences} cadences"
    return f"{shape}, {layout.n_planes} planes{doubles}"


def describe_cube(source: Source) -> list[str]:
    """Describe a cube in lines of text: detector, axes, times, WCS and frames."""
    primary, layout, data_offset = read_cube_layout(source.name, source.size, source.read)
    table = data_offset + padded(layout.data_bytes)
    info = InfoTable.parse(source.name, read_table(source.name, source.size, source.read, table))
    product = find_product(source.name, info.columns)
    first = min(_numbers(info, product.start), default=nan)
    last = max(_numbers(info, product.stop), default=nan)
    with_wcs = sum(value is not None for value in info.columns["CTYPE2"].values) if "CTYPE2" in info.columns else 0
    camera, ccd = (primary.get(keyword) for keyword in product.detector)
    return [
        f"{source.name}: {product.name} cube of sector {primary.get('SECTOR')}, camera {camera}, CCD {ccd}",
        f"made        {primary.get('DATE')}",
        f"axes        {_axes(layout)}",
        f"bytes       {source.size:,}; the array begins at {data_offset:,}",
        f"time        {first:.6f} to {last:.6f} ({product.start}, {product.stop})",
        f"WCS         in {with_wcs} of {layout.n_cadences} frames",
        f"info table  {len(info.columns) + 1} columns",
        f"frames      {info.files[0]} ... {info.files[-1]}",
        *(_describe_segments(source) if isinstance(source, JoinedSource) else ()),
    ]


def _describe_segments(source: JoinedSource) -> Iterator[str]:
    for number, segment in enumerate(source.table.segments, 1):
        yield f"segment {number:<3} {segment.name}: {len(segment.cadences)} cadences, {segment.size:,} bytes"


def _numbers(info: InfoTable, keyword: str) -> list[float]:
    values = info.columns[keyword].values if keyword in info.columns else ()
    return [value for value in values if isinstance(value, float)]


def _chunks(layout: CubeLayout) -> list[range]:
    n_pixels = layout.n_rows * layout.n_columns
    step = max(1, _CHUNK_BYTES // layout.pixel_bytes)
    return [range(first, min(first + step, n_pixels)) for first in range(0, n_pixels, step)]


def _header_problems(source: Source, what: str, header: Header, data_sum: int) -> list[str]:
    if not has_sums(header):
        return [f"{source.name}: {what} has no checksums"]
    problems = []
    if str(header.get("DATASUM")) != str(data_sum):
        problems.append(f"{source.name}: DATASUM of {what} is {header.get('DATASUM')}, its data give {data_sum}")
    if not sums_hold(header, data_sum):
        problems.append(f"{source.name}: CHECKSUM of {what} is wrong")
    return problems


def verify_cube(cube: Location, frames: Sequence[Location], *, progress: ProgressInput = None) -> list[str]:
    """Check a cube: its checksums, and every pixel against the frames.

    Parameters
    ----------
    cube : str or Path
        Path or URL of the cube.
    frames : sequence of str or Path
        All frames of the cube, in any order. If it is empty, only checksums are checked.
    progress : bool or callable, optional
        True shows a bar or lines on stderr. A function is called with (done, total) after each chunk of pixels.

    Returns
    -------
    list of str
        Problems, one sentence each; empty if there are none.

    Raises
    ------
    OSError
        When a file cannot be read.
    CubeFormatError
        When the file is not a cube: headers or info table cannot be read, or the file ends too early or too late.
    UnreadableFrameError
        When a file is not a frame of the cube's product.
    """
    with closing(open_cube_source(cube)) as source, counting(progress, "chunk") as counter:
        return _verify_source(source, frames, counter)


def _verify_source(source: Source, frames: Sequence[Location], counter: Counter) -> list[str]:
    primary, layout, data_offset = read_cube_layout(source.name, source.size, source.read, check=False)
    hdu = read_table(source.name, source.size, source.read, data_offset + padded(layout.data_bytes), check=False)
    info_header = check_end(source.name, hdu)
    info = InfoTable.parse(source.name, hdu)
    if len(info.files) != layout.n_cadences:
        reason = f"{len(info.files)} rows in the info table for {layout.n_cadences} cadences"
        raise CubeFormatError(f"{source.name}: {reason}")
    image = read_header(source.read, primary.n_bytes, source.size)
    problems, layer = _frame_layer(source, info, frames)
    sums: list[int] = []
    for chunk in (chunks := _chunks(layout)):
        start = data_offset + chunk.start * layout.pixel_bytes
        data = source.read(start, len(chunk) * layout.pixel_bytes)
        sums.append(ones_complement_sum(data))
        if layer is not None:
            wrong = _differing_cadences(cube_words(layout, data), layer, chunk.start)
            problems += [f"{info.files[cadence]}: pixels differ from those in {source.name}" for cadence in wrong]
        counter(len(sums), len(chunks))
    return [
        *_header_problems(source, "the primary HDU", primary, 0),
        *_header_problems(source, "the image", image, ones_complement_add(*sums)),
        *_header_problems(source, "the info table", info_header, ones_complement_sum(hdu[info_header.n_bytes :])),
        *dict.fromkeys(problems),
    ]


def _frame_layer(source: Source, info: InfoTable, frames: Sequence[Location]) -> tuple[list[str], FrameLayer | None]:
    if not frames:
        return [], None
    product = find_product(source.name, info.columns)
    files = {item.frame.name: item for item in (open_frame(location, product) for location in frames)}
    problems = [f"{name}: is not in {source.name}" for name in files if name not in info.files]
    problems += [f"{name}: is in {source.name} but was not given" for name in info.files if name not in files]
    known = [(cadence, files[name]) for cadence, name in enumerate(info.files) if name in files]
    if not known:
        return problems, None
    cadences, found = zip(*known, strict=True)
    return problems, FrameLayer([item.frame for item in found], [item.source for item in found], list(cadences))


def _differing_cadences(series: Words, layer: FrameLayer, first_pixel: int) -> list[int]:
    expected = series.copy()
    layer.fill(expected, first_pixel)
    if np.array_equal(series, expected):
        return []
    return [int(cadence) for cadence in np.flatnonzero((series != expected).any(axis=(0, 2)))]


def describe_plan(layout: CubeLayout, sizes_mb: Sequence[int], concurrency: int) -> list[str]:
    """Describe the work, the time and the cost of a build in the cloud, in lines of text.

    The table has a line for each size of a task. The size that the plan chooses is marked, and described below.

    Raises
    ------
    PlanError
        When a build does not take so many frames, or no size is large enough for a part.
    """
    check_frame_number(layout.n_cadences)
    found = estimate_sizes(layout, sizes_mb, concurrency)
    work = cheapest(found)
    parts, blocks = work.parts, work.blocks
    part_bytes = parts.rows_per_part * layout.row_bytes
    limits = f"{LINK_BYTES_PER_SECOND / 1e6:.0f} MB/s per task and {GETS_PER_SECOND:,.0f} GETs per second in all"
    headers = work.gets_of_headers
    memory = block_memory(layout, parts, work.rows) / MIB
    return [
        f"cube        {_axes(layout)}: {layout.data_bytes / 1e9:,.1f} GB",
        "memory of a task     tasks          GETs        time    price",
        *(_describe_size(each, chosen=each is work) for each in found),
        f"blocks      {len(blocks)} of up to {work.rows} rows, {work.tasks} side by side",
        f"parts       {parts.tail_number} of {parts.rows_per_part} rows, {part_bytes:,} bytes each",
        f"GETs        {work.gets:,} of {work.bytes_of_get:,} bytes on the frames' bucket, and {headers:,} for headers",
        f"memory      {memory:,.0f} of {work.memory_mb:,} MiB per block task",
        f"time        about {work.block_seconds:,.0f} s per block, {work.seconds / 60:,.1f} min in all, at {limits}",
        f"cost        about ${work.usd:.3f}, of which ${work.usd_of_gets:.3f} in GETs for the owner of the frames",
        f"keeping it  ${layout.data_bytes / 1e9 * _GB_MONTH:,.2f} a month",
    ]


def _describe_size(work: BuildEstimate, *, chosen: bool) -> str:
    size, tasks, minutes = f"{work.memory_mb:,} MB", f"{len(work.blocks):,}", f"{work.seconds / 60:,.1f} min"
    line = f"{size:>16}{tasks:>10}{work.gets:>14,}{minutes:>12}{f'${work.usd:.3f}':>9}"
    return f"{line}  chosen: it costs least" if chosen else line
