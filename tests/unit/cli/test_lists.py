"""Lists of targets on the command line: the plan, a folder of products, and what is refused before the work."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from astropy.io import fits

from tessera import CubeFactory
from tessera.bulk.status import parse_status
from tessera.cli.main import main
from tessera.io import buckets
from tests.support.cubes import target_of
from tests.support.frames import tiny_sector
from tests.support.list_service import FILES, ID, Lists
from tests.support.paths import DATA
from tests.support.service import Server, listening
from tests.support.sources import small_cube
from tests.support.web import Site, serve

COMMAND = "import sys; from tessera.cli.main import main; sys.exit(main(sys.argv[1:]))"
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
FIRST = "/stpubdata/tess/public/mast/tess-s0001-4-2-cube.fits"
PUBLIC = "88.95 -75.39"
NEEDS = "allowed: it together with"


@pytest.fixture(scope="module")
def cubes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a cube of sector 1."""
    folder = tmp_path_factory.mktemp("cubes")
    paths = []
    for name, data in tiny_sector(3, (40, 30)):
        paths.append(folder / name)
        paths[-1].write_bytes(data)
    CubeFactory().make_cube(paths, folder / "tess-s0001-4-2-cube.fits", verbose=False)
    for path in paths:
        path.unlink()
    return folder


@pytest.fixture(name="stars", autouse=True)
def _stars(cubes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A list with three targets on the cube, whose windows have different sizes."""
    monkeypatch.chdir(tmp_path)
    middle = target_of(cubes / "tess-s0001-4-2-cube.fits")
    places = [(middle.ra.deg + 0.02 * number, middle.dec.deg) for number in range(3)]
    lines = [f"star {number},{ra:.6f},{dec:.6f},{5 + 2 * number}\n" for number, (ra, dec) in enumerate(places)]
    Path("stars.csv").write_text("name,ra,dec,size\n" + "".join(lines), encoding="utf-8")
    return "stars.csv"


def add_rows(stars: str) -> None:
    """Add a row that is on no cube, and one that cannot be understood."""
    with Path(stars).open("a", encoding="utf-8") as file:
        file.write("far,10,10,5\nbad,xx,5,5\n")


@pytest.fixture(scope="module", name="server")
def _server() -> Iterator[Server]:
    with listening(lambda _: None) as server:
        yield server


@pytest.fixture(name="lists")
def _lists(server: Server) -> Lists:
    lists = Lists(url=server.url)
    server.answer, server.asked[:] = lists.answer, []
    return lists


@pytest.fixture
def public_cubes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Site]:
    """MAST's bucket with one small cube."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(buckets, "_VENDOR", tmp_path / "vendor")
    with serve(Site({FIRST: small_cube()})) as site:
        monkeypatch.setenv("AWS_ENDPOINT_URL", site.base)
        yield site


@pytest.mark.parametrize("command", ["cut", "lightcurve"])
def test_the_plan_is_told_in_words_and_as_json_and_nothing_is_written(
    command: str, cubes: Path, stars: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main([command, stars, "--cube", str(cubes), "--plan"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("list:    3 rows\nwork:    3 cutouts of 1 cube\nreads:   ")
    assert told.err == ""
    add_rows(stars)
    assert main([command, stars, "--cube", str(cubes), "--plan", "--json"]) == 1
    told = capsys.readouterr()
    plan = json.loads(told.out)
    assert (plan["rows"], plan["cutouts"], plan["n_on_no_cube"], plan["n_problems"]) == (5, 3, 1, 1)
    assert told.err.startswith("tessera: row 5 (bad): ra and dec are 'xx 5'; allowed: ")
    assert [path.name for path in tmp_path.iterdir()] == [stars]


def test_a_folder_gets_a_catalogue_and_the_same_command_does_it_once(
    cubes: Path, stars: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["lightcurve", stars, "--cube", str(cubes), "-o", "curves/", "--processes", "1"]
    assert main(words) == 0
    assert capsys.readouterr().out == "curves/status.csv: 3 products of targets\n"
    (path,) = Path("curves/lightcurves/dataset").rglob("*.parquet")
    made = path.stat()
    assert main([*words, "-q"]) == 0
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (made.st_mtime_ns, made.st_ino)
    assert capsys.readouterr().out == ""
    assert main([*words, "--mask", "all"]) == 1
    assert capsys.readouterr().err.endswith("of the same list, options, cubes and version of tessera\n")


def test_each_row_without_a_product_has_a_line_and_the_exit_code_says_so(
    cubes: Path, stars: str, capsys: pytest.CaptureFixture[str]
) -> None:
    add_rows(stars)
    assert main(["cut", stars, "--cube", str(cubes), "--bulk", "--packing", "files", "-q"]) == 1
    told = capsys.readouterr()
    assert [line.partition(":")[0] + line.partition(":")[2].partition(":")[0] for line in told.err.splitlines()] == [
        "tessera row 4 (far)",
        "tessera row 5 (bad)",
    ]
    assert told.out == ""
    rows = parse_status(Path("cutouts/status.csv").read_bytes())
    assert [(row.row, row.status) for row in rows] == [(1, "ok"), (2, "ok"), (3, "ok"), (4, "no overlap"), (5, "error")]
    shapes = [fits.getdata(Path("cutouts") / row.file, 1)["FLUX"].shape for row in rows[:3]]
    assert shapes == [(3, 5, 5), (3, 7, 7), (3, 9, 9)]


def test_light_curves_are_files_for_lightkurve_if_asked_for(cubes: Path) -> None:
    ra, dec = Path("stars.csv").read_text(encoding="utf-8").splitlines()[1].split(",")[1:3]
    words = ["lightcurve", f"{ra} {dec}", "--cube", str(cubes), "-o", "curves/", "--format", "fits"]
    assert main([*words, "--packing", "files", "-s", "5x3", "--mask", "all", "--no-background"]) == 0
    (path,) = Path("curves").rglob("*.fits")
    assert len(fits.getdata(path, 1)) == 3
    assert not list(Path("curves").rglob("*.parquet"))


def test_a_service_gets_the_list_and_its_products_come_to_the_folder(
    server: Server, lists: Lists, stars: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["lightcurve", stars, "--service", server.url, "-o", "curves/", "--format", "fits", "--best-only"]
    words += ["--epoch", "J2016.0"]
    assert main(words) == 1  # its table has a row without overlap
    told = capsys.readouterr()
    assert told.err.splitlines() == [
        f"tessera: {server.url} works on the list {ID}",
        "tessera: row 1 (a): on no cube",
    ]
    assert told.out == "curves/status.csv: 0 products of targets; 1 without overlap\n"
    assert Path("curves/status.csv").read_bytes() == FILES["status.csv"]
    assert server.asked[0].body == Path(stars).read_bytes()
    assert server.asked[0].target == "/v1/bulk?outputs=lightcurves&best_only=true&epoch=2016.0"
    assert main([*words, "-q"]) == 1
    assert [line for line in server.lines if line.endswith("status.csv")] == ["GET /stored/status.csv"]


def test_a_service_tells_the_price_and_what_exceeds_a_limit(
    server: Server, lists: Lists, stars: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cut", stars, "--service", server.url, "--plan"]) == 1
    told = capsys.readouterr()
    assert told.out.splitlines()[-1] == "price:   0.01 dollars (compute 0.01)"
    assert told.err.splitlines() == [
        "tessera: row 2 (x): no such name",
        "tessera: usd is 11; allowed: at most 10",
    ]
    assert server.lines == ["POST /v1/bulk/plan"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["cut", "--json"], f"--json is 'given'; {NEEDS} --plan"),
        (["cut", "--plan", "--epoch", "B1950"], "--epoch is 'B1950'; allowed: a Julian year from 1800 to 2200"),
        (["cut", "--best-only"], f"--best-only is 'given'; {NEEDS} --bulk or --plan"),
        (["cut", "--processes", "2"], f"--processes is 'given'; {NEEDS} --bulk or --plan"),
        (["cut", "--packing", "files"], f"--packing is 'given'; {NEEDS} --bulk or --plan"),
        (["cut", "--bulk", "--time", "1", "2"], "--time is [1.0, 2.0]; allowed: all cadences, with --bulk and --plan"),
        (["cut", "--bulk", "--quality-mask", "hard"], "allowed: all cadences, with --bulk and --plan"),
        (["cut", "--plan", "-s", "2arcmin"], "--size is '2arcmin'; allowed: whole numbers of pixels from 1 to 101"),
        (["cut", "--plan", "-s", "102"], "--size is '102'; allowed: whole numbers of pixels from 1 to 101"),
        (["cut", "--plan", "-s", "x"], "size is 'x'; allowed: "),
        (["cut", "more.csv", "--plan"], "TARGET is 'stars.csv more.csv'; allowed: one file, or names and positions"),
        (["cut", "--plan", "--footprints", "x"], "--footprints is 'x'; allowed: none with --cube and --service"),
        (["cut", "--plan", "--product", "TICA"], "--cube is 'cubes of SPOC frames'; allowed: cubes of TICA frames"),
        (["cut", "--bulk", "-o", "stars.csv"], "-o is 'stars.csv'; allowed: the path of a folder, not of a file"),
        (["cut", "--bulk", "-o", "."], "allowed: an empty folder, or the folder of the same list, options, cubes"),
        (["lightcurve", "-o", "x/", "--mask", "thresh"], "--mask is 'thresh'; allowed: 'default', 'threshold', 'all'"),
        (["lightcurve", "-o", "x/", "-o", "y.csv"], "-o is 'x/ y.csv'; allowed: one folder, or files"),
        (["lightcurve", "-o", "x/", "--quality", "hard"], "allowed: no choice for a list: its light curves have all"),
        (
            ["lightcurve", "-o", "x"],
            "-o is 'x'; allowed: a name that ends with .csv, .ecsv, .fits or .png; or a folder",
        ),
        (["lightcurve", "--format", "fits"], f"--format is 'fits'; {NEEDS} --plan, or with a folder: -o FOLDER/"),
    ],
)
def test_what_a_list_does_not_take_is_one_line_before_the_work(
    cubes: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    before = sorted(Path().iterdir())
    assert main([words[0], "stars.csv", *words[1:], "--cube", str(cubes)]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert said in told.err
    assert sorted(Path().iterdir()) == before


def test_a_list_takes_cubes_or_a_service(cubes: Path, stars: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cut", stars, "--plan", "--cube", str(cubes), "--service", "http://x"]) == 1
    said = "tessera: --service is 'http://x'; allowed: either --cube or --service, because each says where to look\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--processes", "2"], "--processes is 2; allowed: none with --service, which does the work itself"),
        (
            ["--resolver", "http://y"],
            "--resolver is 'http://y'; allowed: none with --service, which looks up the names",
        ),
    ],
)
@pytest.mark.usefixtures("lists")
def test_what_a_service_does_itself_is_not_given_to_it(
    server: Server, stars: str, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["cut", stars, "--bulk", "--service", server.url, *words]) == 1
    assert said in capsys.readouterr().err
    assert server.lines == []


def test_without_cubes_and_service_a_list_is_planned_on_the_public_cubes_that_see_it(
    public_cubes: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    index = str(DATA / "tess_ffi_footprints.json")
    ra, dec = (float(part) for part in PUBLIC.split())
    Path("stars.csv").write_text(f"ra,dec,sectors\n{ra},{dec},1\n{ra},xx,1\n{ra},{-dec},1\n", encoding="utf-8")
    assert main(["cut", "stars.csv", "--plan", "--json", "--footprints", index]) == 1
    plan = json.loads(capsys.readouterr().out)
    assert (plan["rows"], plan["n_problems"], plan["cubes"]) == (3, 1, 1)
    assert {path for path in public_cubes.paths() if path.endswith(".fits")} == {FIRST}
    assert main(["cut", f"{ra} {-dec}", "--sector", "1", "--plan", "--footprints", index]) == 1
    assert capsys.readouterr().err.startswith("tessera: no public cube sees one of the 1 targets; ")


@pytest.mark.slow
def test_after_ctrl_c_the_service_goes_on_and_the_same_command_loads_the_products(
    server: Server, lists: Lists, stars: str
) -> None:
    lists.state = {"status": "running", "phase": "cutting"}
    words = [sys.executable, "-c", COMMAND, "cut", stars, "--service", server.url, "--bulk"]
    with subprocess.Popen(words, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        assert running.stderr.readline() == f"tessera: {server.url} works on the list {ID}\n"
        running.send_signal(signal.SIGINT)
        said = f"tessera: interrupted; {server.url} goes on with the list; run the same command again to go on\n"
        assert running.stderr.read() == said
        assert running.wait(30) == 130
    lists.state = {"status": "succeeded", "phase": "ended"}
    main(["cut", stars, "--service", server.url, "--bulk", "-q"])
    assert Path("cutouts/status.csv").read_bytes() == FILES["status.csv"]


def test_a_service_that_cannot_be_reached_or_a_folder_of_something_else_is_one_line(
    server: Server, lists: Lists, stars: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cut", stars, "--service", "http://127.0.0.1:9", "--bulk"]) == 1
    assert "cannot be reached" in capsys.readouterr().err
    assert main(["cut", stars, "--service", server.url, "--bulk", "-o", "."]) == 1
    assert capsys.readouterr().err == (
        "tessera: -o is '.'; allowed: a folder that is empty, or has products of the same list\n"
    )
    assert server.lines == []
