"""Links of our Markdown pages lead somewhere, as they do on the code host."""

from __future__ import annotations

import re
from pathlib import Path

from tests.architecture.sources import ROOT, name_of, tracked_files
from tools.site.staging import LINK

FENCED = re.compile(r"^(```+).*?^\1\s*$", re.MULTILINE | re.DOTALL)


def anchors_of(text: str) -> set[str]:
    """What a code host makes of the headings."""
    headings = re.findall(r"^#+ +(.+?) *$", FENCED.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-") for heading in headings}


def dead_links(page: Path) -> list[str]:
    """Links as they are written."""
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    dead = []
    for match in LINK.finditer(text):
        target = page.parent / match["path"]
        anchor = match["after"].strip("#)")
        if not target.exists() or (anchor and anchor not in anchors_of(target.read_text(encoding="utf-8"))):
            dead.append(match["path"] + match["after"][:-1])
    local = re.findall(r"\]\(#([^)\s]+)\)", text)
    return dead + [f"#{anchor}" for anchor in local if anchor not in anchors_of(text)]


def test_every_link_leads_to_a_file_and_a_heading() -> None:
    pages = [path for path in tracked_files() or sorted(ROOT.glob("**/*.md")) if path.suffix == ".md"]

    assert {name_of(page): dead for page in pages if (dead := dead_links(page))} == {}


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Proper motion\n", encoding="utf-8")
    page = tmp_path / "b.md"
    page.write_text("[1](a.md) [2](a.md#proper-motion) [3](a.md#motion) [4](c.md)\n", encoding="utf-8")

    assert dead_links(page) == ["a.md#motion", "c.md"]
