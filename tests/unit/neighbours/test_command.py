"""The command that gives a service a catalogue of stars."""

from __future__ import annotations

import argparse
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tessera_cloud.admin import stars
from tessera_cloud.application.neighbours.find import read_star_file
from tessera_cloud.errors import UsageError
from tessera_cloud.testing.memory_store import MemoryStore

BUCKET = "cubes"


@pytest.fixture
def operator() -> Any:
    services = SimpleNamespace(store=MemoryStore(), settings=SimpleNamespace(cube_bucket=BUCKET))
    return SimpleNamespace(stack=lambda name: name, services=lambda _stack: services)


def run(operator: Any, *words: str) -> int:
    parser = argparse.ArgumentParser()
    stars.register(parser.add_subparsers())
    return stars.run(parser.parse_args(["stars", "--stack", "tessera", *words]), operator)


def test_a_catalogue_is_made_shown_and_removed(
    operator: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = []
    for number, rows in enumerate(("1,10,20,12.25\n2,10,20,\n", "1,10,20,12.25\n3,10,20,11\n")):
        path = tmp_path / f"{number}.csv"
        path.write_text(f"tic,ra,dec,Tmag\n{rows}")
        tables.append(str(path))
    assert run(operator, *tables, "--name", "TIC", "--epoch", "2000") == 0
    assert capsys.readouterr().out == (
        "left out: 1 without a magnitude\nleft out: 1 there already\n"
        "TIC: 2 stars down to magnitude 12.2, positions of 2000. It is served from now on.\n"
    )
    file = read_star_file(operator.services("").store, BUCKET)
    assert file is not None
    assert (file.name, file.n_stars, file.epoch) == ("TIC", 2, 2000.0)
    said = []
    for words in ([], ["--remove"], ["--remove"], []):
        assert run(operator, *words) == 0
        said.append(capsys.readouterr().out.strip())
    assert said == [
        "TIC: 2 stars down to magnitude 12.2, positions of 2000.",
        "The service has no catalogue of stars any more.",
        "There was no catalogue of stars.",
        "There is no catalogue of stars.",
    ]


def test_tables_are_not_given_to_be_removed(operator: Any) -> None:
    with pytest.raises(UsageError, match=r"--remove is 'a\.csv'; allowed: --remove alone"):
        run(operator, "a.csv", "--remove")
