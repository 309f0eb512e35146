"""State survives; nothing else does: no process, no port."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tessera_local.stack import Stack, StackError
from tests.support.frames import tiny_sector

REPOSITORY = Path(__file__).parents[2]
SOURCES = os.pathsep.join(str(REPOSITORY / path) for path in ("local/src", "layers/engine/src", "shared/src"))


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    folder = tmp_path / "ffis"
    folder.mkdir()
    for name, content in tiny_sector(4):
        (folder / name).write_bytes(content)
    return folder


@contextmanager
def command(home: Path, emulator: Path, frames: Path, port: int = 0) -> Iterator["subprocess.Popen[str]"]:
    arguments = ["start", "--port", str(port), "--home", str(home), "--ffis", str(frames), "--python", str(emulator)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tessera_local", *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": SOURCES},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_for_line(process: "subprocess.Popen[str]", text: str) -> str:
    assert process.stdout
    seen = ""
    for line in process.stdout:
        seen += line
        if text in line:
            return line
        if "Tessera is ready" in line:  # nothing is said after it, so waiting would never end
            break
    raise AssertionError(f"{text!r} never came:\n{seen}")


def descendants(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    children: list[psutil.Process] = psutil.Process(process.pid).children(recursive=True)
    return children


def listening(pid: int) -> set[int]:
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return {c.laddr.port for p in processes for c in p.net_connections("tcp") if c.status == psutil.CONN_LISTEN}


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def assert_gone(children: list[psutil.Process], ports: set[int]) -> None:
    _, alive = psutil.wait_procs(children, timeout=5)
    assert alive == []
    assert not any(map(is_open, ports))


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("S3, Step Functions", signal.SIGTERM),
        ("cube s0001-4-2", signal.SIGTERM),
        ("cube s0001-4-2", signal.SIGINT),
    ],
)
def test_a_signal_in_the_middle_leaves_no_process_and_no_port(
    moment: str, number: signal.Signals, tmp_path: Path, emulator: Path, frames: Path
) -> None:
    with command(tmp_path / "home", emulator, frames) as process:
        wait_for_line(process, moment)
        time.sleep(0.4)
        children, ports = descendants(process), listening(process.pid)
        assert children
        process.send_signal(number)
        assert process.wait(60) == 128 + number
        assert_gone(children, ports)


def cut_a_build_short(home: Path, emulator: Path, frames: Path) -> None:
    """Kill a stack when it begins to build."""
    with command(home, emulator, frames) as process:
        wait_for_line(process, "cube s0001-4-2")
        children, ports = descendants(process), listening(process.pid)
        process.kill()
        process.wait()
        assert_gone(children, ports)


def test_a_build_cut_short_is_done_by_the_next_start(tmp_path: Path, emulator: Path, frames: Path) -> None:
    for name in "abcde":  # on a busy machine the build may end before the stack is killed
        home = tmp_path / name
        cut_a_build_short(home, emulator, frames)
        with command(home, emulator, frames) as process:
            wait_for_line(process, "4 of them already loaded")
            if "from 4 frames" not in wait_for_line(process, "cube s0001-4-2"):
                continue
            wait_for_line(process, "Tessera is ready")
            children, ports = descendants(process), listening(process.pid)
            process.terminate()
            assert process.wait(60) == 0
            assert_gone(children, ports)
            break
    else:
        pytest.fail("no build was cut short")
    with command(home, emulator, frames) as process:
        wait_for_line(process, "cube s0001-4-2 is already published")
        wait_for_line(process, "Tessera is ready")


def test_a_part_that_dies_ends_the_stack_with_a_message(tmp_path: Path, emulator: Path, frames: Path) -> None:
    with command(tmp_path / "home", emulator, frames) as process:
        wait_for_line(process, "Tessera is ready")
        children, ports = descendants(process), listening(process.pid)
        (localstack,) = (child for child in children if "tessera_local.emulator.runner" in child.cmdline())
        localstack.kill()
        killed = time.monotonic()
        line = wait_for_line(process, "tessera: ")
        assert time.monotonic() < killed + 30, "functions asked the dead process again and again"
        assert "S3, SQS and Step Functions (LocalStack) ended with status -9" in line
        assert "start Tessera again" in line
        assert process.wait(60) == 1
        assert_gone(children, ports)


def test_a_failed_build_names_the_file_and_fails_the_command(tmp_path: Path, emulator: Path, frames: Path) -> None:
    broken = sorted(frames.iterdir())[1]
    broken.write_bytes(b"x" * 2880)
    with command(tmp_path / "home", emulator, frames) as process:
        assert broken.name in wait_for_line(process, "could not be built")
        assert process.wait(60) == 1


def test_no_frames_is_an_error_that_names_the_place(tmp_path: Path, emulator: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with command(tmp_path / "home", emulator, empty) as process:
        assert str(empty) in wait_for_line(process, "tessera: no frame")
        assert process.wait(60) == 1


def test_a_port_in_use_is_an_error_that_names_the_port(tmp_path: Path, emulator: Path, frames: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with command(tmp_path / "home", emulator, frames, port) as process:
            wait_for_line(process, f"port {port} on 127.0.0.1 cannot be used")
            assert process.wait(60) == 1


def test_objects_uploads_and_metadata_survive_a_restart(tmp_path: Path, emulator: Path, toy: Path) -> None:
    with Stack(tmp_path, template=toy, python=str(emulator)) as stack:
        bucket = stack.bucket("ThingsBucket")
        stack.s3.put_object(Bucket=bucket, Key="a/b", Body=b"kept", Metadata={"color": "red"}, ContentType="text/x")
        stack.s3.put_object(Bucket=bucket, Key="gone", Body=b"1")
        stack.s3.delete_object(Bucket=bucket, Key="gone")
        upload_id = stack.s3.create_multipart_upload(Bucket=bucket, Key="later")["UploadId"]
        part = stack.s3.upload_part(Bucket=bucket, Key="later", UploadId=upload_id, PartNumber=1, Body=b"part")
        before = stack.s3.head_object(Bucket=bucket, Key="a/b")
    with Stack(tmp_path, template=toy, python=str(emulator)) as stack:
        after = stack.s3.head_object(Bucket=bucket, Key="a/b")
        for name in ("ETag", "LastModified", "Metadata", "ContentType", "ContentLength"):
            assert after[name] == before[name]
        assert stack.s3.get_object(Bucket=bucket, Key="a/b")["Body"].read() == b"kept"
        assert [item["Key"] for item in stack.s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["a/b"]
        stack.s3.complete_multipart_upload(
            Bucket=bucket,
            Key="later",
            UploadId=upload_id,
            MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
        )
        assert stack.s3.get_object(Bucket=bucket, Key="later")["Body"].read() == b"part"
        assert len(list((tmp_path / "s3/segments").iterdir())) == 2


def test_after_kill_9_an_object_is_whole_or_not_there(tmp_path: Path, emulator: Path, toy: Path) -> None:
    metadata, segments = tmp_path / "s3/metadata.pickle", tmp_path / "s3/segments"
    with Stack(tmp_path, template=toy, python=str(emulator)) as stack:
        bucket = stack.bucket("ThingsBucket")
        stack.s3.put_object(Bucket=bucket, Key="old", Body=b"old")
        while not metadata.exists() or b"old" not in metadata.read_bytes():
            time.sleep(0.05)
        stack.s3.put_object(Bucket=bucket, Key="old", Body=b"new")
        stack.s3.put_object(Bucket=bucket, Key="late", Body=b"late")
        os.kill(stack.emulator_pid, signal.SIGKILL)
    with Stack(tmp_path, template=toy, python=str(emulator)) as stack:
        found = {item["Key"] for item in stack.s3.list_objects_v2(Bucket=bucket)["Contents"]}
        assert found in ({"old"}, {"old", "late"})
        assert stack.s3.get_object(Bucket=bucket, Key="old")["Body"].read() in (b"old", b"new")
        assert len(list(segments.iterdir())) == len(found)
    for segment in segments.iterdir():
        segment.write_bytes(b"1")
    with Stack(tmp_path, template=toy, python=str(emulator)) as stack:
        assert stack.s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_unreadable_metadata_mean_a_clean_start_and_a_home_is_for_one_stack(
    tmp_path: Path, emulator: Path, toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "s3").mkdir()
    (tmp_path / "s3/metadata.pickle").write_bytes(b"nonsense")
    with Stack(tmp_path, template=toy, python=str(emulator)) as stack:
        assert stack.s3.list_objects_v2(Bucket=stack.bucket("ThingsBucket"))["KeyCount"] == 0
        monkeypatch.setattr("tessera_local.stack.LOCK_SECONDS", 0.2)
        with (
            pytest.raises(StackError, match="another Tessera"),
            Stack(tmp_path, template=toy, python=str(emulator)),
        ):
            pass
