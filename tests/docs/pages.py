"""The programs in our Markdown pages: fenced blocks of Python and of the shell, and why one is not run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "layers/engine/README.md", "shared/README.md"]
PAGES += sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))

FENCE = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^\n]*?) -->\n)?```(?P<language>python|sh|bash|shell|console|pycon)\n"
    r"(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
OF_THE_SERVICE = re.compile(r"127\.0\.0\.1:3000|\$API\b|\$job\b|\bastroquery\.mast\b|ASTROPY_CONFIG_DIR")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Parameters
    ----------
    page : str
        Path in the repository.
    line : int
        First line of the code.
    language : str
        Python or the shell.
    code : str
        What is between the fences.
    reason : str or None
        Why it is not run.
    """

    page: str
    line: int
    language: str
    code: str
    reason: str | None

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def needs_service(self) -> bool:
        return OF_THE_SERVICE.search(self.code) is not None


def read_blocks(page: str, text: str) -> list[Block]:
    """All blocks of a page, in order."""
    return [
        Block(page, text.count("\n", 0, match.start("code")) + 1, match["language"], match["code"], match["reason"])
        for match in FENCE.finditer(text)
    ]


def blocks_to_run(*, service: bool) -> dict[str, list[Block]]:
    """By page the blocks that are run with the one-machine stack, or without it."""
    found = {page: read_blocks(page, (ROOT / page).read_text(encoding="utf-8")) for page in PAGES}
    wanted = {
        page: [block for block in blocks if block.reason is None and block.needs_service == service]
        for page, blocks in found.items()
    }
    return {page: blocks for page, blocks in wanted.items() if blocks}
