"""The recipes of docs/guide/virtual_observatory.md do what the page says, exactly as they are printed."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from astropy.io import fits

from tessera_cloud import keys
from tessera_local.stack import Stack
from tests.docs.pages import ROOT, Block, read_blocks
from tests.docs.world import BINARY, frames_of_a_star, run_block

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("recipes")]
PAGE = "docs/guide/virtual_observatory.md"
BLOCKS = [
    block
    for block in read_blocks(PAGE, (ROOT / PAGE).read_text(encoding="utf-8"))
    if block.reason and block.reason.startswith("make test-ivoa runs it")
]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a stack with a cube around the star of the recipes."""
    with Stack(tmp_path_factory.mktemp("recipes")) as stack:
        for name, data in frames_of_a_star(BINARY):
            key = keys.frame("tess/public/ffi/", name)
            stack.s3.put_object(Bucket=stack.bucket("FfiBucket"), Key=key, Body=data)
        ended = stack.wait(stack.start_build(1, 4, 2), timeout=120)
        assert ended.status == "SUCCEEDED", ended
        yield stack.url


def test_the_page_has_recipes_of_each_kind() -> None:
    text = "".join(block.code for block in BLOCKS)
    kinds = ("/sia2", "/soda/sync", "/soda/async", "getdatalink", "/v1/coverage")
    assert [word for word in kinds if word not in text] == []


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"line {block.line}")
def test_a_recipe_works_as_printed(block: Block, service: str, tmp_path: Path) -> None:
    if "stilts" in block.code and shutil.which("stilts") is None:
        pytest.skip("stilts is not installed: apt-get install stilts")
    code = block.code.replace("http://127.0.0.1:3000", service)
    printed = run_block(block, code, tmp_path, XDG_CACHE_HOME=str(tmp_path), NO_PROXY="127.0.0.1")

    assert "Warning" not in printed
    if "RESPONSEFORMAT=csv" in code:
        (row,) = csv.DictReader(line for line in printed.splitlines() if line.count(",") > 20)
        assert row["obs_id"] == "tess-s0001-4-2"
    for path in tmp_path.glob("*.fits"):
        with fits.open(path) as file:
            inside = file["APERTURE"].data & 2 > 0
            assert 0 < inside.sum() < inside.size
    if "soda" in code or "processed(" in code:
        made = len(list(tmp_path.glob("*.fits")))
        assert made == (2 if code.count("curl -L -OJ") == 2 else 0 if "AsyncTAPJob" in code else 1)
    if "mocpy" in code:
        assert "[ True False]" in printed
    if "stilts" in code:
        assert [row["obs_id"] for row in csv.DictReader((tmp_path / "found.csv").read_text().splitlines())] == [
            "tess-s0001-4-2"
        ]
        assert [row["seen"] for row in csv.DictReader((tmp_path / "seen.csv").read_text().splitlines())] == [
            "true",
            "false",
        ]
