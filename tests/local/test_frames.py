import io
import os
from pathlib import Path

import pytest

from tessera_local.frames import FramePlace, FramesError, check_place, put_frames
from tessera_local.progress import Progress
from tessera_local.stack import Stack

NAME = "tess2018206192942-s0001-4-2-0120-s_ffic.fits"
KEY = f"tess/public/ffi/s0001/2018/206/4-2/{NAME}"


def load(stack: Stack, place: str) -> tuple[int, str]:
    stream = io.StringIO()
    return put_frames(FramePlace.of(stack), place, Progress(stream)), stream.getvalue()


def test_frames_go_to_the_keys_of_mast_and_only_once(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / NAME).write_bytes(b"x" * 2880)
    assert load(stack, str(tmp_path))[0] == 2880
    assert stack.s3.head_object(Bucket=stack.bucket("FfiBucket"), Key=KEY)["ContentLength"] == 2880
    assert load(stack, str(tmp_path))[0] == 0
    (tmp_path / "deep" / NAME).write_bytes(b"x" * 5760)
    assert load(stack, str(tmp_path))[0] == 5760
    (tmp_path / "deep" / NAME).write_bytes(b"y" * 5760)
    assert load(stack, str(tmp_path))[0] == 5760
    assert stack.s3.get_object(Bucket=stack.bucket("FfiBucket"), Key=KEY)["Body"].read() == b"y" * 5760


def test_two_frames_of_one_name_are_refused(stack: Stack, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / NAME).write_bytes(folder.encode())
    with pytest.raises(FramesError, match=f"two frames have the name {NAME}: .*/a/{NAME} and .*/b/{NAME}"):
        load(stack, str(tmp_path))


def test_tica_frames_have_keys_of_their_own(stack: Stack, tmp_path: Path) -> None:
    name = "hlsp_tica_tess_ffi_s0027-o1-00116470-cam4-ccd2_tess_v01_img.fits"
    (tmp_path / name).write_bytes(b"x" * 2880)
    (tmp_path / "hlsp_tica_tess_ffi_s0027-o1-00116470-cam4-ccd2_tess_v01_wcs.fits").write_bytes(b"x")
    assert load(stack, str(tmp_path))[0] == 2880
    key = f"tess/public/tica/s0027/cam4-ccd2/{name}"
    assert stack.s3.head_object(Bucket=stack.bucket("FfiBucket"), Key=key)["ContentLength"] == 2880


def test_a_file_with_another_name_is_said_and_left_out(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"x")
    (tmp_path / "my_ffic.fits").write_bytes(b"x")
    said = load(stack, str(tmp_path))[1]
    assert "my_ffic.fits" in said
    assert "1 frames in" in said


def test_a_folder_without_frames_is_named(tmp_path: Path) -> None:
    with pytest.raises(FramesError, match=str(tmp_path)):
        check_place(str(tmp_path))
    with pytest.raises(FramesError, match="is not a folder"):
        check_place(str(tmp_path / "nowhere"))


def test_frames_can_come_from_s3(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "somebody-elses"
    stack.s3.create_bucket(Bucket=source)
    name = NAME.replace("4-2", "1-3")
    content = os.urandom(100_000)
    stack.s3.put_object(Bucket=source, Key=f"their/place/{name}", Body=content)
    for variable, value in {
        "AWS_ENDPOINT_URL": stack.s3_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(variable, value)
    assert load(stack, f"s3://{source}/their/")[0] == 100_000
    assert load(stack, f"s3://{source}/their/")[0] == 0
    content = os.urandom(100_000)
    stack.s3.put_object(Bucket=source, Key=f"their/place/{name}", Body=content)
    assert load(stack, f"s3://{source}/their/")[0] == 100_000
    body = stack.s3.get_object(Bucket=stack.bucket("FfiBucket"), Key=KEY.replace("4-2", "1-3"))["Body"].read()
    assert body == content


def test_an_empty_s3_prefix_is_named(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", stack.s3_endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    stack.s3.create_bucket(Bucket="nothing-here")
    with pytest.raises(FramesError, match="s3://nothing-here/x"):
        load(stack, "s3://nothing-here/x")
