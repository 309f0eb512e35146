"""Write the figures of costs into the pages, between their marks: ``python -m tools.costs``."""

from __future__ import annotations

from tools.costs.pages import PAGES, filled

if __name__ == "__main__":
    for page in PAGES:
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")
        print(page.name)
