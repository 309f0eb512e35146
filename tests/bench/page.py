"""Write the tables of docs/performance.md from results: python tests/bench/page.py [build/bench/results.json]

With a file, its rows take the place of the committed ones (tests/bench/results.json) first.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench.support.results import Results, read_results, table, write_results  # noqa: E402

PAGE = ROOT / "docs/performance.md"
COMMITTED = ROOT / "tests/bench/results.json"
MARKED = re.compile(r"<!-- bench: (?P<name>[\w/]+) -->\n(?P<text>.*?)<!-- end of bench -->", re.DOTALL)


def filled(text: str, results: Results) -> str:
    """The text of a page with the rows of results between its marks; the mark `machine` tells where and when."""
    about = f"Version {results.version}, {results.date}: {results.machine}.\n"

    def between(found: re.Match[str]) -> str:
        name = found["name"]
        inside = about if name == "machine" else table(results.of(name))
        return f"<!-- bench: {name} -->\n\n{inside}\n<!-- end of bench -->"

    return MARKED.sub(between, text)


def main(new: str = "") -> None:
    """Take new results, if there are some, and write the page."""
    if new:
        found = read_results(Path(new))
        before = read_results(COMMITTED).rows if COMMITTED.exists() else ()
        write_results(Results(found.version, found.machine, found.date, before).with_rows(list(found.rows)), COMMITTED)
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), read_results(COMMITTED)), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
