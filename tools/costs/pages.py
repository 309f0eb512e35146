"""The pages that have figures of costs, each between two marks."""

from __future__ import annotations

import re

from tools.costs.figures import ROOT
from tools.costs.tables import all_tables

PAGES = (ROOT / "README.md", ROOT / "docs/operations/spending.md")
MARKED = re.compile(r"<!-- costs: (?P<name>\w+) -->\n(?P<text>.*?)<!-- end of costs -->", re.DOTALL)


def filled(text: str) -> str:
    """The text of a page with today's figures between its marks."""
    tables = all_tables()
    return MARKED.sub(
        lambda found: f"<!-- costs: {found['name']} -->\n{tables[found['name']]}\n<!-- end of costs -->", text
    )
