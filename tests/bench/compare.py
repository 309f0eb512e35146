"""Compare the results of two versions: python tests/bench/compare.py OLD.json NEW.json

A row changed when its ratio to the peer or to the limit did, or its value if it has neither: seconds of two machines
cannot be compared, ratios can. Rows are sorted from the worst change to the best.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.support.report import Row, shown
from tests.bench.support.results import Results, read_results


def change(old: Row, new: Row) -> tuple[str, float]:
    """What is compared, and how many times better the new row is."""
    if old.peer_ratio and new.peer_ratio:
        return "to the peer", new.peer_ratio / old.peer_ratio
    if old.limit_ratio and new.limit_ratio:
        return "to the limit", old.limit_ratio / new.limit_ratio
    if not (old.value and new.value):
        return "value", 1.0 if old.value == new.value else 0.0 if new.value else 2.0
    return "value", new.value / old.value if new.unit.endswith("/s") else old.value / new.value


def compared(old: Results, new: Results) -> list[str]:
    """Lines of a table."""
    before = {(row.bench, row.case, row.measure): row for row in old.rows}
    after = {(row.bench, row.case, row.measure): row for row in new.rows}
    both = sorted((change(before[key], after[key])[::-1], key) for key in before.keys() & after.keys())
    lines = [f"{old.version} ({old.machine}, {old.date}) and {new.version} ({new.machine}, {new.date})"]
    for (times, what), key in both:
        values = " -> ".join(shown(row.value, row.unit) for row in (before[key], after[key]))
        goal = {(True, False): "  goal now missed", (False, True): "  goal now met"}.get(
            (bool(before[key].ok), bool(after[key].ok)), ""
        )
        lines.append(f"{times - 1:+6.0%} {what:12}  {': '.join(key)}: {values}{goal if after[key].wanted else ''}")
    lines += [f"   gone  {': '.join(key)}" for key in before.keys() - after.keys()]
    lines += [f"    new  {': '.join(key)}" for key in after.keys() - before.keys()]
    return lines


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        both = [read_results(Path(name)) for name in sys.argv[1:]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.exit(f"not results of make bench: {error}")
    print("\n".join(compared(*both)))
