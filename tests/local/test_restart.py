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

from tessera_local.processes import PartError
from tessera_local.stack import Stack, StackError
from tests.support.frames import tiny_sector

pytestmark = pytest.mark.stack
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
def command(home: Path, frames: Path, port: int = 0) -> Iterator["subprocess.Popen[str]"]:
    arguments = ["start", "--port", str(port), "--home", str(home), "--ffis", str(frames)]
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
    moment: str, number: signal.Signals, tmp_path: Path, frames: Path
) -> None:
    with command(tmp_path / "home", frames) as process:
        wait_for_line(process, moment)
        time.sleep(0.4)
        while not (children := descendants(process)):  # on a busy machine the parts start later
            assert process.poll() is None
            time.sleep(0.05)
        ports = listening(process.pid)
        process.send_signal(number)
        assert process.wait(60) == 128 + number
        assert_gone(children, ports)


def cut_a_build_short(home: Path, frames: Path) -> None:
    """Kill a stack when it begins to build."""
    with command(home, frames) as process:
        wait_for_line(process, "cube s0001-4-2")
        children, ports = descendants(process), listening(process.pid)
        process.kill()
        process.wait()
        assert_gone(children, ports)


def test_a_build_cut_short_is_done_by_the_next_start(tmp_path: Path, frames: Path) -> None:
    for name in "abcde":  # on a busy machine the build may end before the stack is killed
        home = tmp_path / name
        cut_a_build_short(home, frames)
        with command(home, frames) as process:
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
    with command(home, frames) as process:
        wait_for_line(process, "cube s0001-4-2 is already published")
        wait_for_line(process, "Tessera is ready")


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("tessera_local.s3.server", "the process of S3"),
        ("tessera_local.control_server", "the process of SQS, Step Functions and DynamoDB"),
    ],
)
def test_a_part_that_dies_during_a_build_ends_the_stack_and_the_next_start_builds(
    module: str, name: str, tmp_path: Path, frames: Path
) -> None:
    with command(tmp_path / "home", frames) as process:
        wait_for_line(process, "cube s0001-4-2")
        children, ports = descendants(process), listening(process.pid)
        (part,) = (child for child in children if module in child.cmdline())
        part.kill()
        killed = time.monotonic()
        line = wait_for_line(process, "tessera: ")
        assert time.monotonic() < killed + 30, "functions asked the dead process again and again"
        assert f"{name} ended with status -9" in line
        assert "start Tessera again" in line
        assert process.wait(60) == 1
        assert_gone(children, ports)
    with command(tmp_path / "home", frames) as process:
        wait_for_line(process, "4 of them already loaded")
        wait_for_line(process, "Tessera is ready")


def test_a_build_whose_workers_die_ends_all_the_same(tmp_path: Path, frames: Path) -> None:
    with command(tmp_path / "home", frames) as process:
        wait_for_line(process, "cube s0001-4-2")
        killed = 0
        while not killed:
            for child in descendants(process):
                if "awslambdaric" in child.cmdline():
                    child.kill()
                    killed += 1
        wait_for_line(process, "Tessera is ready")


def test_a_failed_build_names_the_file_and_fails_the_command(tmp_path: Path, frames: Path) -> None:
    broken = sorted(frames.iterdir())[1]
    broken.write_bytes(b"x" * 2880)
    with command(tmp_path / "home", frames) as process:
        assert broken.name in wait_for_line(process, "could not be built")
        assert process.wait(60) == 1


def test_no_frames_is_an_error_that_names_the_place(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with command(tmp_path / "home", empty) as process:
        assert str(empty) in wait_for_line(process, "tessera: no frame")
        assert process.wait(60) == 1


def test_a_port_in_use_is_an_error_that_names_the_port(tmp_path: Path, frames: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with command(tmp_path / "home", frames, port) as process:
            wait_for_line(process, f"port {port} on 127.0.0.1 cannot be used")
            assert process.wait(60) == 1


def test_objects_uploads_and_metadata_survive_a_restart(tmp_path: Path, toy: Path) -> None:
    with Stack(tmp_path, template=toy) as stack:
        bucket = stack.bucket("ThingsBucket")
        stack.s3.put_object(Bucket=bucket, Key="a/b", Body=b"kept", Metadata={"color": "red"}, ContentType="text/x")
        stack.s3.put_object(Bucket=bucket, Key="gone", Body=b"1")
        stack.s3.delete_object(Bucket=bucket, Key="gone")
        upload_id = stack.s3.create_multipart_upload(Bucket=bucket, Key="later")["UploadId"]
        part = stack.s3.upload_part(Bucket=bucket, Key="later", UploadId=upload_id, PartNumber=1, Body=b"part")
        before = stack.s3.head_object(Bucket=bucket, Key="a/b")
    with Stack(tmp_path, template=toy) as stack:
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
        assert len(list((tmp_path / "objects/segments").iterdir())) == 2


def test_after_kill_9_every_answered_change_is_there(tmp_path: Path, toy: Path) -> None:
    segments = tmp_path / "objects/segments"
    with Stack(tmp_path, template=toy) as stack:
        bucket = stack.bucket("ThingsBucket")
        stack.s3.put_object(Bucket=bucket, Key="old", Body=b"old")
        stack.s3.put_object(Bucket=bucket, Key="old", Body=b"new")
        stack.s3.put_object(Bucket=bucket, Key="gone", Body=b"gone")
        stack.s3.delete_object(Bucket=bucket, Key="gone")
        os.kill(stack.s3_pid, signal.SIGKILL)
    (segments / "segment-0").write_bytes(b"the beginning of a write that was cut short")
    with Stack(tmp_path, template=toy) as stack:
        assert [item["Key"] for item in stack.s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["old"]
        assert stack.s3.get_object(Bucket=bucket, Key="old")["Body"].read() == b"new"
        (segment,) = segments.iterdir()
    segment.write_bytes(b"1")
    with Stack(tmp_path, template=toy) as stack:
        assert stack.s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    assert "ThingsBucket/old lost its bytes" in (tmp_path / "logs/s3.log").read_text().replace(bucket, "ThingsBucket")


def test_an_unreadable_database_is_named_and_a_home_is_for_one_stack(
    tmp_path: Path, toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "objects").mkdir()
    (tmp_path / "objects/objects.db").write_bytes(b"nonsense" * 100)
    with pytest.raises(PartError, match=r"objects.db cannot be read .*; delete .*objects to start with empty buckets"):
        Stack(tmp_path, template=toy).__enter__()
    (tmp_path / "objects/objects.db").unlink()
    with Stack(tmp_path, template=toy):
        monkeypatch.setattr("tessera_local.stack.LOCK_SECONDS", 0.2)
        with pytest.raises(StackError, match="another Tessera"), Stack(tmp_path, template=toy):
            pass
