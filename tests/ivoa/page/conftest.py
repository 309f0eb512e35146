"""The page in a browser, as in tests/page."""

from tests.page.conftest import browser, chromium_path, site, visit

__all__ = ["browser", "chromium_path", "site", "visit"]
