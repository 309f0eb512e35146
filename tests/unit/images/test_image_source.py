"""What is read of a file of images: no more than is needed, and together."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from tessera import FITSCutout
from tessera.images.batch import make_image_cutouts
from tessera.images.cut import ImageCutoutOptions
from tessera.io import file_objects as module
from tessera.io.file_objects import MemorySource, SourceFile
from tessera.io.ranges import ByteRange, plan_requests
from tests.support.images import RemoteSource, coded, sky_of, tan_header

RANGES = st.lists(st.builds(ByteRange, st.integers(0, 5000), st.integers(0, 300)), max_size=30)


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> dict[str, RemoteSource]:
    """Files behind addresses, by name."""
    sources: dict[str, RemoteSource] = {}

    def open_source(location: Any) -> RemoteSource:
        return sources[str(location)]

    monkeypatch.setattr(module, "open_source", open_source)
    return sources


def large_file(*, compressed: bool) -> tuple[bytes, np.ndarray]:
    data = np.random.default_rng(2).normal(100, 10, (2000, 3000)).astype("f4")
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(np.ones((500, 500), "f4"), tan_header(500, 500), "OTHER")]
    kind: Any = fits.CompImageHDU if compressed else fits.ImageHDU
    hdus += [kind(data, tan_header(2000, 3000), name="SCI"), fits.ImageHDU(np.zeros((400, 400)), name="LAST")]
    content = io.BytesIO()
    fits.HDUList(hdus).writeto(content)
    return content.getvalue(), fits.getdata(io.BytesIO(content.getvalue()), 2)


@given(RANGES, st.integers(0, 500), st.integers(1, 400))
def test_requests_cover_every_range_and_no_byte_twice(ranges: list[ByteRange], gap: int, largest: int) -> None:
    requests = plan_requests(ranges, gap, largest)
    wanted = {byte for item in ranges for byte in range(item.start, item.stop)}
    read = [byte for item in requests for byte in range(item.start, item.stop)]
    assert wanted <= set(read)
    assert len(read) == len(set(read))
    assert all(item.length <= largest for item in requests)
    assert len(read) - len(wanted) <= gap * max(0, len(ranges) - 1)


def test_a_gap_of_the_most_allowed_bytes_is_read_along_and_a_larger_one_is_not() -> None:
    first, near, far = ByteRange(0, 10), ByteRange(15, 5), ByteRange(26, 4)

    assert plan_requests([far, near, first], 5, 100) == [ByteRange(0, 20), far]


@given(RANGES, st.lists(st.tuples(st.integers(0, 9000), st.integers(-1, 3000)), max_size=20))
def test_a_file_object_reads_what_is_there(ranges: list[ByteRange], reads: list[tuple[int, int]]) -> None:
    content = random.Random(1).randbytes(8000)
    file, truth = SourceFile(MemorySource("file", content)), io.BytesIO(content)
    file.prefetch(ranges)
    for number, (position, size) in enumerate(reads):
        if number == 10:
            file.forget()
        assert file.seek(position) == truth.seek(position)
        assert file.read(size) == truth.read(size)
        assert file.tell() == truth.tell()


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.slow
def test_of_a_remote_image_only_headers_and_what_is_cut_are_read(
    remote: dict[str, RemoteSource], compressed: bool
) -> None:
    content, truth = large_file(compressed=compressed)
    source = remote["https://host/image.fits"] = RemoteSource("image.fits", content)
    with fits.open(io.BytesIO(content)) as hdus:
        sky = sky_of(hdus, 2, 1700, 900)
    (made,) = FITSCutout("https://host/image.fits", sky, 100, extension=2).fits_cutouts
    first = [int(made[1].header[f"CRVAL{axis}P"]) - 1 for axis in (1, 2)]
    np.testing.assert_array_equal(made[1].data, truth[first[1] : first[1] + 100, first[0] : first[0] + 100])
    assert source.closed
    headers = 4 * 34_560
    pixels = 100 * 100 * 4 + 99 * module.MERGE_GAP if not compressed else 101 * 3000 * 4
    assert source.n_bytes < headers + pixels
    assert len(source.requests) < 20 + 100


def test_the_first_image_is_found_without_reading_on(remote: dict[str, RemoteSource]) -> None:
    content, _ = large_file(compressed=False)
    source = remote["s3://bucket/image.fits"] = RemoteSource("image.fits", content)
    with fits.open(io.BytesIO(content)) as hdus:
        sky = sky_of(hdus, 1, 250, 250)
    FITSCutout("s3://bucket/image.fits", sky, 10)
    assert max(start + length for start, length in source.requests) < 1_200_000


def test_targets_of_one_file_are_fetched_together(remote: dict[str, RemoteSource]) -> None:
    content, _ = large_file(compressed=False)
    source = remote["s3://bucket/image.fits"] = RemoteSource("image.fits", content)
    with fits.open(io.BytesIO(content)) as hdus:
        targets = [sky_of(hdus, 2, 100 + 10 * n, 200 + n) for n in range(40)]
    results = make_image_cutouts("s3://bucket/image.fits", targets, 11, options=ImageCutoutOptions(2))
    assert [result.status for result in results] == ["ok"] * 40
    assert len(source.requests) < 20


def test_a_remote_file_that_fails_is_told_and_the_others_are_cut(remote: dict[str, RemoteSource]) -> None:
    content = io.BytesIO()
    fits.PrimaryHDU(coded((50, 50)), tan_header(50, 50)).writeto(content)
    good = remote["s3://b/good.fits"] = RemoteSource("good.fits", content.getvalue())
    bad = remote["s3://b/bad.fits"] = RemoteSource("bad.fits", content.getvalue())

    def fail(start: int, length: int) -> bytes:
        raise OSError("the connection was closed")

    bad.read_buffer = fail  # type: ignore[method-assign]
    with fits.open(io.BytesIO(content.getvalue())) as hdus:
        sky = sky_of(hdus, 0, 20, 20)
    results = make_image_cutouts(["s3://b/bad.fits", "s3://b/good.fits"], sky, 5)
    assert [(result.status, result.reason) for result in results] == [
        ("error", "the connection was closed"),
        ("ok", ""),
    ]
    assert bad.closed
    assert good.closed


def test_many_files_and_targets_keep_their_order_and_their_names(tmp_path: Path) -> None:
    paths = []
    for number in range(5):
        folder = tmp_path / str(number)
        folder.mkdir()
        fits.PrimaryHDU(coded((50, 50)) + number, tan_header(50, 50)).writeto(folder / "image.fits")
        paths.append(folder / "image.fits")
    with fits.open(paths[0]) as hdus:
        targets = [sky_of(hdus, 0, 10 * n + 5, 12) for n in range(6)]
    results = make_image_cutouts([*paths, tmp_path / "absent.fits"], targets, 5, output_dir=tmp_path / "out")
    assert [result.file for result in results] == [path for path in [*paths, tmp_path / "absent.fits"] for _ in targets]
    assert {result.status for result in results[-6:]} == {"error"}
    for number, result in enumerate(results[:-6]):
        status = "ok" if number % 6 < 5 else "no overlap"
        assert result.status == status
        if result.path is not None:
            assert fits.getdata(result.path, 1)[2, 2] == 12 * 10_000 + 10 * (number % 6) + 5 + 1 + number // 6
    assert len({result.path for result in results if result.path}) == 25
