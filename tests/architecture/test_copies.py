"""Files that are in two places, because each place is published alone, are the same."""

from __future__ import annotations

import pytest

from tests.architecture.sources import ROOT

SITE = ROOT / "shared/src/tessera_cloud/http/documents/site"


@pytest.mark.parametrize("name", ["style/tokens.css", "style/base.css", "js/base/dom.js", "js/base/theme.js"])
def test_the_page_of_the_api_has_the_files_of_the_web_page(name: str) -> None:
    original = ROOT / "page" / name
    assert (SITE / original.name).read_bytes() == original.read_bytes(), "copy them again: make openapi"
