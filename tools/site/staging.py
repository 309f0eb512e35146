"""Copies the Markdown pages of the repository to the folder that Sphinx reads.

A page is the same file on the code host and on the site. Two things change in the copy: README.md of a folder becomes
index.md with the list of the pages that it links to, and links to pages outside docs/ lead to their copies.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
OUTSIDE = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "operations/security.md",
}
"""Pages outside docs/, and their places on the site."""
PART_OF = {"adr": "explanation"}
"""Folders that the contents of another folder list."""
LINK = re.compile(r"(?P<before>\]\()(?P<path>[^)#\s:]+)(?P<after>(?:#[^)\s]*)?\))")
_FENCE = re.compile(r"^(```|:::).*?^\1\s*$", re.MULTILINE | re.DOTALL)


class LinkError(ValueError):
    """A page links to a file that is not on the site. The message names both."""


def place_of(page: str) -> str | None:
    """Place of a file on the site, from its path in the repository; None if it is not on the site."""
    if page in OUTSIDE:
        return OUTSIDE[page]
    path = PurePosixPath(page)
    if path.parts[:1] != ("docs",):
        return None
    inside = PurePosixPath(*path.parts[1:])
    return str(inside.with_name("index.md") if path.name == "README.md" else inside)


def pages() -> list[str]:
    """Paths of the pages in the repository."""
    found = (path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))
    return sorted([*found, *OUTSIDE])


def stage(folder: Path) -> None:
    """Fill the folder with the pages and pictures of the site.

    Parameters
    ----------
    folder : Path
        Folder for Sphinx to read. What was in it is removed.

    Raises
    ------
    LinkError
        If a page links to a file that is not on the site.
    """
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs", folder, ignore=shutil.ignore_patterns("*.md"))
    for page in pages():
        place = place_of(page) or page
        text = (ROOT / page).read_text(encoding="utf-8")
        copied = with_links(page, text)
        if place.endswith("index.md"):
            copied += _contents(page, text)
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(copied, encoding="utf-8")


def with_links(page: str, text: str) -> str:
    """Text of a page with links that lead to the places of the site."""
    here = PurePosixPath(place_of(page) or page).parent

    def follow(match: re.Match[str]) -> str:
        target = _target(page, match["path"])
        place = place_of(target)
        if place is None or not (ROOT / target).exists():
            raise LinkError(f"{page} links to {match['path']!r}; allowed: pages and pictures of docs, {list(OUTSIDE)}")
        return f"{match['before']}{os.path.relpath(place, here)}{match['after']}"

    pieces, end = [], 0
    for fence in _FENCE.finditer(text):
        pieces += [LINK.sub(follow, text[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*pieces, LINK.sub(follow, text[end:])])


def _target(page: str, link: str) -> str:
    return os.path.normpath(PurePosixPath(page).parent / link)


def _contents(page: str, text: str) -> str:
    """The table of contents of a folder: the pages that its README.md links to, in their order."""
    here = PurePosixPath(place_of(page) or page).parent
    targets = dict.fromkeys(_target(page, match["path"]) for match in LINK.finditer(_FENCE.sub("", text)))
    places = [place for target in targets if target.endswith(".md") and (place := place_of(target))]
    below = [place for place in places if _is_below(PurePosixPath(place), here)]
    return toctree(os.path.relpath(place, here) for place in below)


def _is_below(place: PurePosixPath, folder: PurePosixPath) -> bool:
    """Whether a page lies in the folder, or is the first page of a folder in it."""
    owner = place.parent
    if place.name == "index.md":
        owner = PurePosixPath(PART_OF.get(str(place.parent), place.parent.parent))
    return owner == folder and place != folder / "index.md"


def toctree(entries: Iterable[str]) -> str:
    """A hidden table of contents."""
    return "\n```{toctree}\n:hidden:\n\n" + "\n".join(entries) + "\n```\n"
