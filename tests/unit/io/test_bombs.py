"""Small packed files that become large are refused in one sentence."""

import bz2
import gzip
import io
import lzma
from collections.abc import Callable

import pytest

from tessera import TargetPixels
from tessera.errors import TpfFormatError, UnreadableFileError
from tessera.io.file_objects import open_image_source

LIMIT = r"more than 0\.001 GB.*; the environment variable TESSERA_MAX_TEMPORARY_GB sets the limit"


@pytest.fixture(autouse=True)
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESSERA_MAX_TEMPORARY_GB", "0.001")


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress], ids=["gzip", "bzip2", "xz"])
def test_an_image_that_becomes_large_is_refused(pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(bytes(5_000_000))

    assert len(bomb) < 10_000
    with pytest.raises(UnreadableFileError, match=LIMIT):
        open_image_source(io.BytesIO(bomb))


def test_a_target_pixel_file_that_becomes_large_is_refused() -> None:
    with pytest.raises(TpfFormatError, match=LIMIT):
        TargetPixels.read(gzip.compress(bytes(5_000_000)))
