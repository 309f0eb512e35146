"""SODA 1.0: what jobs of {async} result in."""

from __future__ import annotations

from tests.ivoa.clauses.jobs import job
from tests.ivoa.clauses.report import NotOfferedError, clause, require
from tests.ivoa.clauses.site import Site
from tests.ivoa.clauses.soda import ERRORS, SODA, require_file


def results(site: Site, *params: tuple[str, str]) -> dict[str, str]:
    """Run a job of {async} to its end; name to media type of its results, which are children of the job (DALI 4.1)."""
    with job(site, [("ID", site.did), *params], site.jobs) as made:
        made.send("RUN")
        document = made.end()
        if document.findtext("phase") == "ERROR":
            message = document.findtext("errorSummary/message") or ""
            if "MultiValuedParamNotSupported" in message:
                raise NotOfferedError("several values of a parameter")
        require(document.findtext("phase") == "COMPLETED", f"the job ends as {document.findtext('phase')}")
        found = {}
        for name in made.results():
            answer = made.ask(f"results/{name}")
            require(answer.status == 200, f"the result {name}: status {answer.status}")
            if answer.media_type == "text/plain":
                require(answer.text.partition(":")[0].split()[0] in ERRORS, f"{name} begins with {answer.text[:60]!r}")
            else:
                require_file(answer)
            found[name] = answer.media_type
        return found


@clause(SODA, "6", "A job with a circle results in a file")
def soda_job(site: Site) -> None:
    found = results(site, ("CIRCLE", site.circle))
    require(len(found) == 1, f"there are {len(found)} results")
    require("text/plain" not in found.values(), "the result is an error")


@clause(SODA, "6", "Each combination of values has one result")
def soda_job_of_two_circles(site: Site) -> None:
    other = f"{site.row['s_ra']} {site.row['s_dec']} {site.radius / 2}"
    found = results(site, ("CIRCLE", site.circle), ("CIRCLE", other))
    require(len(found) == 2, f"two circles have {len(found)} results")


@clause(SODA, "6", "A combination without data has a result in plain text that begins with an error's label")
def soda_job_without_data(site: Site) -> None:
    found = results(site, ("CIRCLE", site.elsewhere))
    require(list(found.values()) == ["text/plain"], f"the results are {found}")
