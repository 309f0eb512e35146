"""The two services of the suite, and all clauses."""

from __future__ import annotations

from tests.ivoa.clauses import datalink, obscore, sia, sia_constraints, soda, soda_jobs, uws, uws_list, uws_wait, vosi  # noqa: F401 - they declare clauses
from tests.ivoa.clauses.site import Site
from tests.ivoa.clauses.web import Http, Web


def ours(base: str, web: Web | None = None, example: str | None = None) -> Site:
    """The service of this repository below an address."""
    return Site(
        query=f"{base}/sia2/query",
        links=f"{base}/datalink/links",
        sync=f"{base}/soda/sync",
        jobs=f"{base}/soda/async",
        web=web or Http(),
        example=example,
    )


def dachs(base: str, web: Web | None = None) -> Site:
    """The independent server below an address."""
    return Site(
        query=f"{base}/__system__/siap2/sitewide/siap2.xml",
        links=f"{base}/fields/q/dl/dlmeta",
        sync=f"{base}/fields/q/dl/dlget",
        jobs=f"{base}/fields/q/dl/dlasync",
        web=web or Http(),
        worker=f"{base}/__system__/tap/run/async",
        work=(("LANG", "ADQL"), ("QUERY", "SELECT TOP 1 s_ra FROM ivoa.obscore")),
        wrong_work=(("LANG", "ADQL"), ("QUERY", "SELECT nothing FROM nowhere")),
    )
