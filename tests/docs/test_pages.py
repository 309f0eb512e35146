"""Each program in our pages is run, or says why not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import PAGES, ROOT, Block, blocks_to_run, read_blocks
from tests.docs.world import NAMES, put_command, put_files, run_block

ALONE = blocks_to_run(service=False)
MADE = {
    "README.md": ["tess-s0001-4-2-cube.fits", "cutouts/*.fits"],
    "layers/engine/README.md": ["tess-s0001-4-2-cube.fits", "*astrocut.fits"],
    "docs/guide/images.md": ["out/*.fits", "out/*.png"],
}
"""Files that the programs of a page leave."""


def blocks_of(page: str, language: str) -> list[Block]:
    return [block for block in ALONE[page] if block.language == language]


@pytest.mark.parametrize("page", [page for page in ALONE if blocks_of(page, "python")])
@pytest.mark.filterwarnings("default")
def test_the_python_of_a_page_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one namespace, as a reader who goes from top to bottom has it."""
    put_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(NAMES, names)
    for block in blocks_of(page, "python"):
        code = compile("\n" * (block.line - 1) + block.code, block.page, "exec")
        exec(code, names)

    assert [pattern for pattern in MADE.get(page, []) if not list(tmp_path.glob(pattern))] == []


@pytest.mark.parametrize("page", [page for page in ALONE if blocks_of(page, "sh")])
def test_the_commands_of_a_page_run(page: str, tmp_path: Path) -> None:
    put_files(tmp_path)
    path = os.pathsep.join([str(put_command(tmp_path)), os.environ["PATH"]])
    for block in blocks_of(page, "sh"):
        run_block(block, block.code, tmp_path, PATH=path)

    made = "curve.csv" if page == "docs/guide/frames.md" else "tess-s0001-4-2-cube.fits"  # that page makes no cube
    assert (tmp_path / made).stat().st_size > 0


def test_every_block_is_run_or_says_why_not() -> None:
    blocks = [block for page in PAGES for block in read_blocks(page, (ROOT / page).read_text(encoding="utf-8"))]
    service = blocks_to_run(service=True)
    run = [block for found in (ALONE, service) for several in found.values() for block in several]

    assert [block.place for block in blocks if block.reason is None and block not in run] == []
    assert [block.place for block in blocks if block.reason is not None and not block.reason.strip()] == []
    assert {block.language for block in blocks} == {"python", "sh"}, "name the languages python and sh"
    assert [block.page for block in run if block.page == "README.md"], "README.md has programs that are run"


def test_a_block_with_a_reason_is_read_with_it() -> None:
    text = "# A\n\n<!-- not run: needs AWS -->\n```sh\naws s3 ls\n```\n\n```python\nprint()\n```\n"
    first, second = read_blocks("a.md", text)

    assert (first.line, first.code, first.reason) == (5, "aws s3 ls\n", "needs AWS")
    assert (second.line, second.language, second.reason) == (9, "python", None)
