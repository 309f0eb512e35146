"""Archives are checked file by file, and their description is made again. What differs is named."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from tessera import FITSCutout, TessCubeCutout, make_cutouts, sign_records
from tessera.cli.main import main
from tessera.io.deflate import zip_pieces
from tessera.provenance.crate import CRATE, Crate
from tessera.provenance.signing import PublicKey
from tessera.verify.verify import verify_product
from tests.support.images import plain_image, sky_at
from tests.support.keys import key_files

DAY = date(2020, 2, 29)
Members = dict[str, bytes]


@pytest.fixture(scope="module", name="files")
def _files(cube: Path, sky: SkyCoord) -> Members:
    """Two target pixel files of one cube."""
    made = [result for size in (3, 5) for result in make_cutouts(cube, sky, size)]
    return {result.name: bytes(result.data or b"") for result in made}


def pack(path: Path, members: Members, *, described: bool = True) -> Path:
    listed = [(name, [content], len(content)) for name, content in members.items()]
    path.write_bytes(b"".join(zip_pieces(Crate(DAY).describe(listed) if described else listed)))
    return path


@pytest.fixture(name="members")
def _members(files: Members, tmp_path: Path) -> Members:
    """All members of their archive."""
    with zipfile.ZipFile(pack(tmp_path / "whole.zip", files)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_every_file_of_an_archive_is_made_again(
    files: Members, cube: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = pack(tmp_path / "a.zip", files)
    found = verify_product(path, cube)
    assert (found.status, found.problems, found.notes) == ("same", [], [])
    assert [(member.file, member.status) for member in found.members] == [(f"{path}/{name}", "same") for name in files]
    assert main(["verify", str(path), "--from", str(cube.parent), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [member["record"]["kind"] for member in told["members"]] == ["target pixel file"] * 2
    assert main(["verify", str(path)]) == 3
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{path}: not all of its files could be made again"
    assert len([line for line in lines if line.endswith("name it with --from")]) == 2


def test_an_archive_without_a_description_says_so(files: Members, cube: Path, tmp_path: Path) -> None:
    found = verify_product(pack(tmp_path / "a.zip", files, described=False), cube)
    assert (found.status, found.problems) == ("same", [])
    assert found.notes == [f"it has no {CRATE} that can be read, which says what it should have"]


def test_equal_files_have_equal_descriptions(files: Members) -> None:
    made = []
    for day in (DAY, date(2030, 1, 1)):
        crate = Crate(day)
        for name, content in files.items():
            for cut in (0, 1000, len(content)):
                assert b"".join(crate.watch(name, [content[:cut], content[cut:]])) == content
        made.append(crate.content)
        assert len(made[0]) <= crate.n_bytes <= len(made[0]) + 3000
    assert made[0] == made[1]


def replaced(name: str, old: bytes, new: bytes) -> Callable[[Members], Members]:
    def replace(members: Members) -> Members:
        assert old in members[name]
        return members | {name: members[name].replace(old, new)}

    return replace


def without(members: Members) -> Members:
    return {name: content for name, content in members.items() if "3x3" not in name}


def with_more(members: Members) -> Members:
    return {"more.fits": members[next(iter(members))]} | members


def with_a_pixel(members: Members) -> Members:
    name = next(iter(members))
    content = bytearray(members[name])
    content[content.index(b"XTENSION= 'IMAGE") + 2 * 2880 + 3] ^= 1
    return members | {name: bytes(content)}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without, "names the file {0}, which is missing"),
        (with_more, "does not name the file more.fits"),
        (with_a_pixel, "sha256 of {0} is "),
        (replaced(CRATE, b'"contentSize": "', b'"contentSize": "1'), "contentSize of {0} is "),
        (replaced(CRATE, b"-cube.fits", b"-cube.fitz"), "wasDerivedFrom of {0} is "),
        (replaced(CRATE, b'"mentions": [{', b'"mentions": [{"@id": "x"}, {'), "something else of all files together"),
        (replaced(CRATE, b"Data use policy", b"No policy"), "name of https://archive.stsci.edu/publishing/data-use is"),
        (replaced(CRATE, b'"@graph"', b'"graph"'), "cannot be read: KeyError('@graph')"),
        (replaced(CRATE, b"#making-", b"#\xff"), "cannot be read: UnicodeDecodeError"),
    ],
)
def test_what_differs_is_named(
    members: Members, cube: Path, tmp_path: Path, change: Callable[[Members], Members], said: str
) -> None:
    found = verify_product(pack(tmp_path / "a.zip", change(members), described=False), cube)
    assert found.status == "different"
    texts = [problem.text for problem in found.problems]
    assert any(said.format(next(iter(members))) in text for text in texts), texts


def test_another_version_and_another_maker_are_no_faults(members: Members, cube: Path, tmp_path: Path) -> None:
    description = json.loads(members[CRATE])
    software = next(entity for entity in description["@graph"] if entity["@id"] == "#tessera")
    faults = [("version", "0.0.9", "version 0.0.9 described it"), ("@id", "#other", "is not by Tessera")]
    for key, value, said in faults:
        software[key] = value
        other = members | {CRATE: json.dumps(description).encode()}
        found = verify_product(pack(tmp_path / "a.zip", other, described=False), cube)
        assert (found.status, found.problems) == ("same", [])
        assert said in found.notes[0]


def test_damaged_archives_and_files_are_named(files: Members, cube: Path, tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", files)
    content = path.read_bytes()
    path.write_bytes(content[:-30])
    found = verify_product(path, cube)
    assert found.status == "different"
    assert "the archive is damaged: " in found.problems[0].text
    path.write_bytes(content[:2000] + bytes(200) + content[2200:])
    found = verify_product(path, cube)
    assert (found.status, found.problems) == ("different", [])
    assert [member.status for member in found.members] == ["different", "same"]
    assert "it cannot be unpacked: " in found.members[0].problems[0].text


def test_too_large_and_twofold_files_are_named(
    files: Members, cube: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.zip"
    (name, content), _ = files.items()
    path.write_bytes(b"".join(zip_pieces((name, [content], len(content)) for _ in range(2))))
    found = verify_product(path, cube)
    assert found.status == "different"
    assert [problem.text for problem in found.problems] == [f"it has 2 files of the name {name}"]
    monkeypatch.setenv("TESSERA_MAX_TEMPORARY_GB", "0.00001")
    found = verify_product(pack(path, files), cube)
    assert found.status == "unknown"
    assert "the environment variable TESSERA_MAX_TEMPORARY_GB sets the limit" in found.members[0].notes[0]


def test_archives_of_astrocut_s_names_have_a_description_on_request(cube: Path, sky: SkyCoord, tmp_path: Path) -> None:
    images = [plain_image(tmp_path / f"{name}.fits", np.ones((20, 20), "f4")) for name in ("one", "two")]
    made: list[tuple[TessCubeCutout | FITSCutout, list[str]]] = [
        (TessCubeCutout(cube, sky, 3), [cube.name]),
        (FITSCutout(images, sky_at(images[0], 9, 9), 5), ["one.fits", "two.fits"]),
    ]
    for number, (cutouts, sources) in enumerate(made):
        with zipfile.ZipFile(cutouts.write_as_zip(tmp_path, f"plain{number}")) as archive:
            names = archive.namelist()
        assert CRATE not in names
        path = cutouts.write_as_zip(tmp_path, f"told{number}", provenance=True)
        with zipfile.ZipFile(path) as archive:
            assert archive.namelist() == [*names, CRATE]
            described = {item["@id"]: item for item in json.loads(archive.read(CRATE))["@graph"]}
        links = described[names[0]]["wasDerivedFrom"]
        links = links if isinstance(links, list) else [links]
        assert [described[link["@id"]]["name"] for link in links] == sources
        found = verify_product(path)
        assert (found.status, found.problems) == ("unknown", [])
        assert found.notes == [f"only {CRATE} names the source of {names[0]}, which has no record"]


def test_each_file_of_an_archive_must_be_signed(files: Members, cube: Path, sky: SkyCoord, tmp_path: Path) -> None:
    private, public = key_files(tmp_path)
    with sign_records(private):
        (made,) = make_cutouts(cube, sky, 7)
    name = PublicKey(public).id
    signed = {made.name: bytes(made.data or b"")}
    found = verify_product(pack(tmp_path / "a.zip", signed), cube, public)
    assert (found.status, [member.signed_by for member in found.members]) == ("same", [name])
    mixed = verify_product(pack(tmp_path / "b.zip", signed | files), cube, public)
    assert mixed.status == "different"
    assert [member.signed_by for member in mixed.members] == [name, "", ""]
