"""Report by clause how a service keeps the standards: `python -m tests.ivoa.clauses http://127.0.0.1:3000`.

The addresses are those of our service without further options. Parts of the names of clauses choose some of them.
"""

from __future__ import annotations

import argparse
import sys

from tests.ivoa.clauses import sites
from tests.ivoa.clauses.report import CLAUSES, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.ivoa.clauses", description=__doc__)
    parser.add_argument("base", help="address of the service")
    parser.add_argument("names", nargs="*", help="parts of the names of clauses")
    parser.add_argument("--dachs", action="store_true", help="the service is the independent server of the suite")
    given = parser.parse_args()
    unknown = [part for part in given.names if not any(part in name for name in CLAUSES)]
    if unknown:
        parser.error(f"no clause has {' or '.join(unknown)} in its name; allowed: parts of {', '.join(CLAUSES)}")
    base = given.base.rstrip("/")
    site = sites.dachs(base) if given.dachs else sites.ours(base)
    chosen = [name for name in CLAUSES if not given.names or any(part in name for part in given.names)]
    refused = 0
    for each, reason in run(site, chosen):
        print(
            f"{'ok    ' if reason is None else 'WRONG '} {each.standard} {each.section}: {each.sentence} [{each.name}]"
        )
        if reason is not None:
            refused += 1
            print(f"        {reason}")
    print(f"{len(chosen) - refused} of {len(chosen)} clauses hold")
    return int(refused > 0)


if __name__ == "__main__":
    sys.exit(main())
