"""Our service keeps every clause."""

from __future__ import annotations

import pytest

from tests.ivoa.clauses.report import CLAUSES, NotOfferedError
from tests.ivoa.clauses.site import Site

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("service")]


@pytest.mark.parametrize("name", CLAUSES)
def test_our_service_keeps_the_clause(site: Site, name: str) -> None:
    try:
        CLAUSES[name].check(site)
    except NotOfferedError as reason:
        pytest.skip(str(reason))
