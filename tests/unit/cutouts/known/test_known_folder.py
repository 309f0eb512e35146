"""A folder keeps what is known of cubes for other processes, and never makes an answer wrong."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from pathlib import Path

import pytest
from astropy.coordinates import SkyCoord

from tessera import CutoutOptions, TessCubeCutout, make_cutouts
from tessera.cutouts.known import folder
from tessera.cutouts.known.cubes import forget_cubes
from tessera.errors import InvalidInputError
from tests.support.known_cubes import PATH, ROWS, asked, cut
from tests.support.web import Site

pytestmark = pytest.mark.usefixtures("still_clock")


def test_another_process_knows_a_cube_from_the_folder(
    web: Site, cubes: tuple[Path, Path], target: SkyCoord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = cut(cubes[0], target).data
    assert cut(web.base + PATH, target, cache_dir=tmp_path / "new" / "folder").data == expected
    forget_cubes()
    asked(web)
    assert cut(web.base + PATH, target, cache_dir=tmp_path / "new" / "folder").data == expected
    assert len(asked(web)) == ROWS
    forget_cubes()
    monkeypatch.setenv("TESSERA_CACHE_DIR", str(tmp_path / "new" / "folder"))
    assert TessCubeCutout(web.base + PATH, target, ROWS).cutouts
    assert len(asked(web)) == ROWS
    web.files[PATH] = cubes[1].read_bytes()
    for again in (True, False):
        forget_cubes()
        asked(web)
        assert cut(web.base + PATH, target).data == cut(cubes[1], target).data
        assert (len(asked(web)) > ROWS) is again
    forget_cubes()
    web.judge = lambda _: 403
    far = SkyCoord(target.ra, -target.dec)
    assert "403 Forbidden" in cut(web.base + PATH, far).reason


@pytest.mark.parametrize("damage", ["empty", "cut short", "one byte", "another release", "other keys"])
def test_a_damaged_file_of_the_folder_is_written_again(
    web: Site, cubes: tuple[Path, Path], target: SkyCoord, tmp_path: Path, damage: str
) -> None:
    assert cut(web.base + PATH, target, cache_dir=tmp_path).status == "ok"
    (path,) = tmp_path.iterdir()
    good = path.read_bytes()
    other = good[32:].replace(b'"format": 1', b'"format": 2', 1)
    strange = b'{"format": 1, "begin": 5}\n'
    path.write_bytes(
        {
            "empty": b"",
            "cut short": good[:-1],
            "one byte": good[:5000] + bytes([good[5000] ^ 1]) + good[5001:],
            "another release": hashlib.sha256(other).digest() + other,
            "other keys": hashlib.sha256(strange).digest() + strange,
        }[damage]
    )
    forget_cubes()
    asked(web)
    assert cut(web.base + PATH, target, cache_dir=tmp_path).data == cut(cubes[0], target).data
    assert len(asked(web)) == 3 + ROWS
    assert [item.read_bytes() for item in tmp_path.iterdir()] == [good]


@pytest.mark.parametrize("what", ["pipe", "link", "folder", "of another user"])
def test_what_others_put_in_the_folder_is_not_read(
    web: Site, target: SkyCoord, tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    expected = cut(web.base + PATH, target, cache_dir=shared).data
    assert expected
    (path,) = shared.iterdir()
    aside = path.replace(tmp_path / "aside")
    if what == "pipe":
        os.mkfifo(path)
    elif what == "link":
        path.symlink_to(aside)
    elif what == "folder":
        path.mkdir()
    else:
        aside.replace(path)
        monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    for _ in range(2):
        forget_cubes()
        asked(web)
        assert cut(web.base + PATH, target, cache_dir=shared).data == expected
        assert len(asked(web)) == 3 + ROWS


def test_a_full_disk_of_the_folder_is_said_before_a_file_is_written(
    web: Site, target: SkyCoord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "mkstemp", full)
    options = CutoutOptions(cache_dir=tmp_path / "cache")
    (result,) = make_cutouts(web.base + PATH, target, ROWS, options=options, output_dir=tmp_path / "out")
    assert result.status == "error"
    assert "No space left on device: " in result.reason
    assert list((tmp_path / "out").iterdir()) == []


def test_what_was_not_checked_is_not_written_to_the_folder(web: Site, target: SkyCoord, tmp_path: Path) -> None:
    assert cut(web.base + PATH, target, cache_dir=tmp_path, check=False).status == "ok"
    assert list(tmp_path.iterdir()) == []


def test_the_folder_does_not_grow_without_end(
    web: Site, target: SkyCoord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "MAX_FILES", 2)
    paths = [f"/{number}{PATH}" for number in range(4)]
    web.files |= dict.fromkeys(paths, web.files[PATH])
    for path in paths:
        assert cut(web.base + path, target, cache_dir=tmp_path).status == "ok"
    kept = list(tmp_path.iterdir())
    assert len(kept) == 2
    monkeypatch.setattr(folder, "MAX_FOLDER_BYTES", kept[0].stat().st_size + 10)
    assert cut(web.base + PATH, target, cache_dir=tmp_path).status == "ok"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_cannot_be_written_is_one_error(
    web: Site, target: SkyCoord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInputError, match=r"cache_dir is 'file/folder'; allowed: a folder that can be written"):
        CutoutOptions(cache_dir="file/folder")
    for wrong in ("", "s3://bucket/folder", 5):
        with pytest.raises(InvalidInputError, match=r"^cache_dir is .*; allowed: a path"):
            CutoutOptions(cache_dir=wrong)  # type: ignore[arg-type] # a wrong type on purpose
    monkeypatch.setenv("TESSERA_CACHE_DIR", "file")
    with pytest.raises(InvalidInputError, match=r"TESSERA_CACHE_DIR is 'file'; allowed: a folder that can be written"):
        make_cutouts(web.base + PATH, target, ROWS)
    assert asked(web) == []
