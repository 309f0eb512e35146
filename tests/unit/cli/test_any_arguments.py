"""Whatever is on the command line: it works, or there is one line that says why not."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tessera.cli.main import main
from tests.support.frames import tiny_sector

COMMANDS = (
    ["cube", "make"],
    ["cube", "update"],
    ["cube", "info"],
    ["cube", "verify"],
    ["cube", "plan"],
    ["moving", "cut"],
    ["combine"],
    ["completion"],
    ["cut", "--cube", "cube.fits", "--resolver", "http://127.0.0.1:9/"],
    ["image", "cut"],
)
OPTIONS = (
    *("-o", "-q", "--product", "--sector", "--max-memory", "--threads", "--skip-unreadable", "--frames", "--rows"),
    *("--columns", "--memory", "--concurrency", "-e", "-s", "--name", "--time-format", "--time-scale", "--clock"),
    *(
        "--edges",
        "-t",
        "-x",
        "--full",
        "--no-check",
        "--reproject",
        "--time",
        "--cadences",
        "--quality-mask",
        "--layout",
    ),
)
FILES = (
    "a.fits",
    "b.fits",
    "cube.fits",
    "text",
    "empty",
    "folder",
    "pipe",
    "link",
    "none",
    "-",
    "table.csv",
    "big.csv",
)
ODD = (
    "",
    " ",
    "0",
    "-1",
    "1e400",
    "nan",
    "9" * 400,
    "x" * 5000,
    "s3:",
    "file:///",
    "\N{SNOWMAN}",
    "\udcff",
    "a\nb",
    "%s",
)
WORDS = st.one_of(
    st.sampled_from(OPTIONS),
    st.sampled_from(FILES),
    st.sampled_from(ODD),
    st.sampled_from(("SPOC", "TICA", "jd", "utc", "tdb", "fill", "drop", "observer", "1 2", "350 -80", "5x5", "all")),
    st.integers(-(10**20), 10**20).map(str),
    st.floats(allow_nan=True).map(str),
    st.text(max_size=12).filter(lambda text: "\0" not in text),
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with files of many kinds, which is the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TESSERA_TRACEBACK", "")
    for name, (_, data) in zip(("a.fits", "b.fits"), tiny_sector(2, (8, 6)), strict=True):
        Path(name).write_bytes(data)
    Path("text").write_text("no table\n" * 20, encoding="utf-8")
    Path("table.csv").write_text("time,ra,dec\n2458325,1,2\n2458350,1,3\n", encoding="utf-8")
    Path("big.csv").write_text("time,ra,dec\n" + "x,y,z\n" * 50, encoding="utf-8")
    Path("empty").touch()
    Path("folder").mkdir()
    os.mkfifo("pipe")
    Path("link").symlink_to("link")
    assert main(["cube", "make", "a.fits", "b.fits", "-o", "cube.fits", "-q"]) == 0
    return tmp_path


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    derandomize=True,
    max_examples=int(os.environ.get("TESSERA_EXAMPLES", "150")),
)
@given(command=st.sampled_from(COMMANDS), words=st.lists(WORDS, max_size=8))
def test_any_words_work_or_have_one_line_of_error(
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    words: list[str],
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a.fits\nb.fits"), encoding="utf-8"))
    kept = {name: Path(name).read_bytes() for name in ("a.fits", "b.fits", "text", "table.csv")}
    capsys.readouterr()
    try:
        code: object = main([*command, *words])
    except SystemExit as ended:
        code = ended.code
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert code in (0, 1, 2)
    assert "unexpected" not in captured.err, captured.err
    assert all(line.startswith("tessera") for line in lines), captured.err
    assert all(len(line) < 1000 for line in lines)
    if code:
        assert lines or captured.out, (code, captured)
    assert {name: Path(name).read_bytes() for name in kept} == kept
    assert not [item for item in here.rglob(".*") if item.suffix in (".partial", ".journal", ".lock")]
