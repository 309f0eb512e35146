"""`tessera cut --service`: the same manifest as from cubes, made by a service over real HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest
from astropy.table import Table

from tessera.cli.main import main
from tests.support.api import DEC, RA, Api
from tests.support.service import service_of


def test_many_targets_are_cut_by_a_service_and_a_second_run_asks_for_the_rest_only(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"star {number},{RA + 0.01 * number},{DEC},5\n" for number in range(3))
    Path("stars.csv").write_text(f"name,ra,dec,size\n{rows}far,10,10,5\n", encoding="utf-8")
    with service_of(api) as server:
        command = ["cut", "stars.csv", "--service", server.url]
        assert main(command) == 1
        table = Table.read("cutouts/manifest.ecsv", format="ascii.ecsv")
        assert [(row["target"], row["sector"]) for row in table[:6]] == [
            (f"star {number}", sector) for number in range(3) for sector in (1, 2)
        ]
        assert list(table["status"]) == ["ok"] * 6 + ["no overlap"]
        assert all(Path("cutouts", row["file"]).stat().st_size == row["bytes"] for row in table[:6])
        captured = capsys.readouterr()
        assert captured.out.endswith("cutouts/manifest.ecsv: 6 cutouts; 1 without overlap\n")
        assert captured.err == "tessera: far: no SPOC cube of the service sees it\n"
        cuts = server.lines.count("GET /v1/cutouts")
        assert cuts == 3
        Path("cutouts", table["file"][3]).unlink()
        assert main(command) == 1
        assert server.lines.count("GET /v1/cutouts") == cuts + 1
        assert "6 cutouts, of which 5 were there" in capsys.readouterr().out


def test_an_address_that_is_none_is_one_line_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["cut", "1 2", "--service", "ftp://x"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "ftp://x" in line
    assert not list(tmp_path.iterdir())
