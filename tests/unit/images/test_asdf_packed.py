"""Parts of packed arrays of remote ASDF files: the right pixels, from few bytes, or one clear sentence."""

from __future__ import annotations

import io
import struct
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asdf
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.errors import ImageFormatError
from tessera.roman.file import AsdfArray, AsdfImage, open_tree
from tests.support.images import RemoteSource
from tests.support.web import Site, serve

KINDS = ["", "lz4", "zlib", "bzp2"]


def packed(data: np.ndarray, kind: str, chunk: int = 1 << 22, **others: Any) -> bytes:
    file, options = io.BytesIO(), {"compression_kwargs": {"compression_block_size": chunk}} if kind == "lz4" else {}
    asdf.AsdfFile({**others, "data": data}).write_to(file, all_array_compression=kind or None, **options)
    return file.getvalue()


@contextmanager
def opened(content: bytes, **options: Any) -> Iterator[tuple[AsdfArray, RemoteSource]]:
    source = RemoteSource("a.asdf", content)
    with open_tree(source, options) as (tree, file):
        yield AsdfArray(tree["data"], file), source


def noise(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    rng = np.random.default_rng(sum(shape))
    return rng.integers(0, 50 if shape[-1] % 2 else 60_000, shape).astype(dtype)


@settings(max_examples=20)
@given(
    st.sampled_from(KINDS),
    st.sampled_from(["u1", "<u2", ">i4", "<f4", ">f8", "f2"]),
    st.lists(st.integers(1, 3), max_size=1),
    st.sampled_from([64, 1000, 4096, 1 << 22]),
    st.data(),
)
def test_every_part_has_the_pixels_that_asdf_reads(
    kind: str, dtype: str, planes: list[int], chunk: int, draw: st.DataObject
) -> None:
    shape = draw.draw(st.integers(1, 90)), draw.draw(st.integers(1, 70))
    data = noise((*planes, *shape), dtype)
    content = packed(data, kind, chunk, other=np.arange(20))
    parts = []
    for _ in range(2):
        ends = [sorted(draw.draw(st.tuples(st.integers(0, n), st.integers(0, n)))) for n in shape]
        parts.append((slice(*ends[0]), slice(*ends[1])))
    with asdf.open(io.BytesIO(content)) as whole, opened(content) as (array, _):
        assert array._file is not None
        array._file.prefetch(array.ranges(parts))
        for rows, columns in parts:
            part = array.read((rows, columns))
            np.testing.assert_array_equal(part, whole["data"][..., rows, columns])
            assert part.dtype == data.dtype.newbyteorder("=")


def test_a_part_of_an_array_that_shares_its_block_begins_at_its_own_place() -> None:
    data = noise((60, 70), "<f4")
    content = packed(data[20:40], "lz4", 1000, all=data)
    with opened(content) as (array, _):
        np.testing.assert_array_equal(array.read((slice(3, 9), slice(1, 60))), data[23:29, 1:60])


@pytest.mark.parametrize("kind", ["lz4", "zlib"])
def test_arrays_that_share_a_block_unpack_it_once(kind: str) -> None:
    n = 4 << 20
    content = packed(np.zeros(n, np.uint8), kind)
    node = b"{source: 0, datatype: uint8, byteorder: little, shape: [9, 9], offset: %d}" % (n - 81)
    many = b"".join(b"a%d: !core/ndarray-1.1.0 %s\n" % (number, node) for number in range(20))
    tree, blocks = content.split(b"data: ")[0], content[content.index(b"\xd3BLK") : content.index(b"#ASDF BLOCK INDEX")]
    with open_tree(RemoteSource("a.asdf", tree + many + b"...\n" + blocks), {}) as (nodes, file):
        image = AsdfImage({"roman": {"meta": {"wcs": "any"}, "data": nodes["a0"]}}, file, "a.asdf")
        arrays = [image.array(nodes[f"a{number}"]) for number in range(20)]
        tracemalloc.start()
        assert all(array.read((slice(0, 9), slice(0, 9))).shape == (9, 9) for array in arrays)
        assert tracemalloc.get_traced_memory()[1] < 4 * n
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("kind", "row", "most_requests", "most_bytes"),
    [("lz4", 20, 2, 400_000), ("lz4", 950, 13, 800_000), ("zlib", 20, 2, 250_000), ("bzp2", 20, 2, 700_000)],
)
def test_only_the_needed_part_of_a_packed_array_is_asked_of_a_server(
    kind: str, row: int, most_requests: int, most_bytes: int
) -> None:
    data = noise((1000, 750), "<u4")
    content = packed(data, kind, 1 << 18)
    with serve(Site({"/a.asdf": content})) as site, open_tree(f"{site.base}/a.asdf", {}) as (tree, file):
        assert file is not None
        before = len(site.requests)
        array, part = AsdfArray(tree["data"], file), (slice(row, row + 9), slice(5, 50))
        file.prefetch(array.ranges([part]))
        np.testing.assert_array_equal(array.read(part), data[part])
        asked = [heads.get("range", "") or heads["Range"] for _, _, heads in site.requests[before:]]
    spans = [[int(end) for end in text.removeprefix("bytes=").split("-")] for text in asked]
    assert len(spans) <= most_requests, spans
    assert sum(stop - start + 1 for start, stop in spans) <= most_bytes < len(content) / 2


def test_a_file_that_is_replaced_between_two_chunks_is_noticed() -> None:
    data = noise((500, 300), "<u4")
    content = packed(data, "lz4", 1 << 16)
    with serve(Site({"/a.asdf": content})) as site, open_tree(f"{site.base}/a.asdf", {}) as (tree, file):
        array = AsdfArray(tree["data"], file)
        array.read((slice(0, 1), slice(0, 9)))
        site.files["/a.asdf"] = packed(data + 1, "lz4", 1 << 16)
        with pytest.raises(OSError, match=r"a\.asdf.* was replaced"):
            array.read((slice(490, 491), slice(0, 9)))
        site.files["/a.asdf"] = content


def damaged(content: bytes, at: int, new: bytes) -> bytes:
    place = content.rindex(b"\xd3BLK") + 6 + struct.unpack(">H", content[content.rindex(b"\xd3BLK") + 4 :][:2])[0] + at
    return content[:place] + new + content[place + len(new) :]


CHUNKS, ZLIB, BZIP2 = (packed(noise((60, 71), "<u4"), kind, 4096) for kind in KINDS[1:])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (damaged(CHUNKS, 0, struct.pack(">I", 1 << 31)), "its chunk 0 says that 2,147,483,648 bytes unpack to 4,096"),
        (damaged(CHUNKS, 0, struct.pack(">I", 0)), "its chunk 0 says that 0 bytes unpack to 4,096"),
        (damaged(CHUNKS, 4, struct.pack("<I", 1 << 31)), "its chunk 0 says that .* bytes unpack to 2,147,483,648"),
        (damaged(CHUNKS, 4, struct.pack("<I", 0)), "its chunk 0 says that .* bytes unpack to 0"),
        (damaged(CHUNKS, 4, struct.pack("<I", 4097)), "its chunk 0 cannot be unpacked"),
        (damaged(CHUNKS, 9, bytes([255] * 60)), "its chunk 0 cannot be unpacked"),
        (
            damaged(packed(noise((60, 71), "<u4"), "zlib"), 900, bytes([255] * 99)),
            "it (cannot be unpacked|has more than the 17,040 bytes)",
        ),
        (
            damaged(packed(noise((60, 71), "<u4"), "bzp2"), 90, bytes([255] * 99)),
            "it (cannot be unpacked|has more than the 17,040 bytes)",
        ),
    ],
    ids=map(str, range(8)),
)
def test_a_damaged_packed_array_is_told_in_one_sentence(content: bytes, reason: str) -> None:
    with opened(content) as (array, _), pytest.raises(ImageFormatError, match=f"^a packed array is damaged: {reason}"):
        array.read((slice(0, 60), slice(0, 71)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_truncated_file_is_told_and_gives_no_pixels(kind: str) -> None:
    content = packed(noise((300, 400), "<u4"), kind, 4096)
    cut = content[: content.rindex(b"\xd3BLK") + 9000]
    with opened(cut) as (array, _):
        with pytest.raises(OSError, match=r"a\.asdf ends at byte [0-9,]+"):
            array.read((slice(0, 300), slice(0, 9)))
        if kind in ("", "lz4"):  # of the others, larger pieces are read
            assert array.read((slice(0, 1), slice(0, 400))).shape == (1, 400)


@pytest.mark.parametrize("kind", ["lz4", "zlib", "bzp2"])
def test_a_packed_array_that_claims_more_than_it_has_gives_no_pixels_for_the_rest(kind: str) -> None:
    content = packed(noise((60, 71), "<u4"), kind)
    sizes = content.rindex(b"\xd3BLK") + 4 + 2 + 4 + 4 + 8 + 8
    assert struct.unpack_from(">Q", content, sizes) == (60 * 71 * 4,)
    longer = content[:sizes] + struct.pack(">Q", 90 * 71 * 4) + content[sizes + 8 :]
    with (
        opened(longer.replace(b"shape: [60, 71]", b"shape: [90, 71]")) as (array, _),
        pytest.raises(ImageFormatError, match="it ends after 17,040 of 25,560 bytes"),
    ):
        array.read((slice(0, 61), slice(0, 9)))


@pytest.mark.parametrize("kind", KINDS)
def test_an_array_that_needs_more_than_its_block_is_refused(kind: str) -> None:
    content = packed(noise((60, 71), "<u4"), kind).replace(b"shape: [60, 71]", b"shape: [70, 71]")
    with (
        opened(content) as (array, _),
        pytest.raises(ImageFormatError, match="block has 17,040 bytes; its elements need 19,880"),
    ):
        array.read((slice(0, 9), slice(0, 9)))


def test_checksums_are_still_checked_when_that_is_asked_for() -> None:
    content = damaged(packed(noise((60, 71), "<u4"), "zlib"), 900, b"\xff\xff")
    with opened(content, validate_checksums=True) as (array, _), pytest.raises(ValueError, match="checksum"):
        array.read((slice(0, 1), slice(0, 9)))
