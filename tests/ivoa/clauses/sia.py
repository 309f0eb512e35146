"""SIA 2.0: the answer of {query}, its errors, and what is common to its parameters."""

from __future__ import annotations

from tests.ivoa.clauses.documents import Table
from tests.ivoa.clauses.report import NotOfferedError, clause, require
from tests.ivoa.clauses.site import Site
from tests.ivoa.clauses.web import Answer

SIA = "SIA 2.0"
VOTABLE = {"application/x-votable+xml", "text/xml"}
DATALINK = "application/x-votable+xml"
FAULTS = ("UsageFault", "TransientFault", "FatalFault", "DefaultFault")
PARAMETERS = {
    "POS": "CIRCLE 10 10 1",
    "BAND": "500e-9 550e-9",
    "TIME": "55123.4 55123.5",
    "POL": "I",
    "FOV": "1.0 2.0",
    "SPATRES": "-Inf 0.2",
    "SPECRP": "1000 +Inf",
    "EXPTIME": "600 1800",
    "TIMERES": "1.0 2.0",
    "ID": "ivo://example.org/data?unknown",
    "COLLECTION": "unknown",
    "FACILITY": "unknown",
    "INSTRUMENT": "unknown",
    "DPTYPE": "cube",
    "CALIB": "2",
    "TARGET": "unknown",
    "FORMAT": "application/fits",
}
"""All query parameters, with valid values: the examples of the standard, or nothing that exists."""


def require_table(answer: Answer) -> Table:
    """The answer is a VOTable of a request that succeeded."""
    require(answer.status == 200, f"status {answer.status}: {answer.text[:300]}")
    require(answer.media_type in VOTABLE, f"media type {answer.media_type}")
    table = Table(answer.body)
    require(table.statuses[:1] in (["OK"], ["OVERFLOW"]), f"QUERY_STATUS {table.statuses}")
    return table


def require_fault(answer: Answer, about: str) -> None:
    """The answer is a VOTable that tells of a fault of the user, with a status of the client's errors."""
    require(answer.media_type in VOTABLE, f"{about}: media type {answer.media_type}")
    table = Table(answer.body)
    require(table.statuses == ["ERROR"], f"{about}: QUERY_STATUS {table.statuses}")
    require(table.message.startswith("UsageFault"), f"{about}: the message is {table.message[:100]!r}")
    rest = table.message.removeprefix("UsageFault")
    require(not rest or rest.startswith(":"), f"{about}: no colon after UsageFault")


@clause(SIA, "{query}", "Each of the seventeen query parameters is accepted")
def sia_parameters(site: Site) -> None:
    for name, value in PARAMETERS.items():
        answer = site.search((name, value), ("MAXREC", "5"))
        require(answer.status == 200, f"{name}={value}: status {answer.status}")
        statuses = Table(answer.body).statuses
        require(statuses[:1] in (["OK"], ["OVERFLOW"]), f"{name}={value}: QUERY_STATUS {statuses}")


@clause(SIA, "{query}", "A request without parameters is answered")
def sia_no_parameters(site: Site) -> None:
    require_table(site.search())


@clause("DALI 1.1", "2.2", "Parameters may be sent by POST, with the same answer as by GET")
def sia_post(site: Site) -> None:
    params = [("POS", f"CIRCLE {site.circle}"), ("MAXREC", "1000")]
    by_get, by_post = (require_table(site.search(*params, method=method)).rows for method in ("GET", "POST"))
    dids = [[row["obs_publisher_did"] for row in rows] for rows in (by_get, by_post)]
    require(dids[0], "the circle finds nothing")
    require(sorted(dids[0]) == sorted(dids[1]), "GET and POST find different rows")


@clause("DALI 1.1", "3.1", "Names of parameters are understood in any case")
def sia_names_in_any_case(site: Site) -> None:
    for name in ("id", "Id"):
        rows = require_table(site.search((name, site.did))).rows
        require(len(rows) == 1, f"{name}={site.did} finds {len(rows)} rows")


@clause("DALI 1.1", "3.4.6", "RUNID is no error")
def sia_runid(site: Site) -> None:
    require_table(site.search(("RUNID", "test-1"), ("MAXREC", "1")))


@clause("DALI 1.1", "3.4.4", "MAXREC=0 gives the columns, no rows, and an overflow")
def sia_maxrec_zero(site: Site) -> None:
    table = require_table(site.search(("MAXREC", "0")))
    require(table.fields, "no columns")
    require(not list(table.root.iter("TR")) and not table.rows, "there are rows")
    require("OVERFLOW" in table.statuses, f"QUERY_STATUS {table.statuses}")


@clause("DALI 1.1", "3.4.4", "MAXREC limits the rows, and an answer that is cut tells of the overflow")
def sia_maxrec(site: Site) -> None:
    require(len(site.rows) > 1, "the service has less than two rows")
    table = require_table(site.search(("MAXREC", "1")))
    require(len(table.rows) == 1, f"MAXREC=1 gives {len(table.rows)} rows")
    require("OVERFLOW" in table.statuses, f"QUERY_STATUS {table.statuses}")


@clause("DALI 1.1", "4.4.1", "An answer that is not cut tells of no overflow")
def sia_no_overflow(site: Site) -> None:
    table = require_table(site.search(("MAXREC", str(len(site.rows)))))
    require(len(table.rows) == len(site.rows), f"{len(table.rows)} of {len(site.rows)} rows")
    require(table.statuses == ["OK"], f"QUERY_STATUS {table.statuses}")


@clause("DALI 1.1", "3.4.4", "MAXREC that is no number is an error")
def sia_maxrec_word(site: Site) -> None:
    require_fault(site.search(("MAXREC", "many")), "MAXREC=many")


@clause("DALI 1.1", "3.4.4", "MAXREC has one value; two are an error")
def sia_maxrec_twice(site: Site) -> None:
    require_fault(site.search(("MAXREC", "1"), ("MAXREC", "2")), "MAXREC twice")


@clause("DALI 1.1", "3.4.3", "RESPONSEFORMAT=votable gives a VOTable, and a media type gives itself")
def sia_responseformat(site: Site) -> None:
    require_table(site.search(("RESPONSEFORMAT", "votable"), ("MAXREC", "1")))
    for media in ("application/x-votable+xml", "text/xml"):
        answer = site.search(("RESPONSEFORMAT", media), ("MAXREC", "1"))
        require_table(answer)
        require(answer.media_type == media, f"RESPONSEFORMAT={media} gives {answer.media_type}")


@clause("DALI 1.1", "3.4.3", "A RESPONSEFORMAT that the service does not have is an error")
def sia_responseformat_unknown(site: Site) -> None:
    answer = site.search(("RESPONSEFORMAT", "application/x-unknown"))
    require(400 <= answer.status < 500 or "UsageFault" in answer.text, f"status {answer.status}: {answer.text[:100]}")


@clause("DALI 1.1", "4.2", "An error of the user has a status between 400 and 499")
def sia_error_status(site: Site) -> None:
    answer = site.search(("POS", "CIRCLE 1 2"))
    require(400 <= answer.status < 500, f"status {answer.status}")


@clause("DALI 1.1", "4.4", "QUERY_STATUS stands in the one resource of results, before the table")
def sia_query_status(site: Site) -> None:
    table = require_table(site.search(("MAXREC", "1")))
    require(len(table.results) == 1, f"{len(table.results)} resources have type results")
    tags = [(each.tag, each.get("name")) for each in table.results[0]]
    names = [tag for tag, _ in tags]
    require("TABLE" in names, "no table")
    require(("INFO", "QUERY_STATUS") in tags[: names.index("TABLE")], "no QUERY_STATUS before the table")


@clause(SIA, "3.1", "The table finds images and cubes only")
def sia_types(site: Site) -> None:
    types = {row["dataproduct_type"] for row in site.rows}
    require(types <= {"image", "cube"}, f"there are {types}")


@clause(SIA, "3.1.3", "access_url answers in the format of access_format; a link of DataLink is complete")
def sia_access_url(site: Site) -> None:
    url, media = site.row["access_url"], site.row["access_format"]
    require(url and media, "access_url or access_format is empty")
    answer = site.get(url)
    require(answer.status == 200, f"{url}: status {answer.status}")
    require(answer.media_type == media.partition(";")[0].strip(), f"{url} is {answer.media_type}, and not {media}")
    if "content=datalink" in media.replace(" ", ""):
        require(answer.media_parameter("content") == "datalink", f"{url} is {answer.headers.get('content-type')}")


@clause(SIA, "3.1.2", "A service with DataLink describes it in the answer; the ID is a column of it")
def sia_descriptor_of_links(site: Site) -> None:
    table = require_table(site.search(("MAXREC", "1")))
    found = table.descriptors_of("ivo://ivoa.net/std/DataLink#links")
    require(found, "no descriptor of DataLink")
    reference = found[0].inputs["ID"].get("ref")
    columns = {field.get("ID"): name for name, field in table.fields.items()}
    require(reference in columns, f"ID refers to {reference}, which is no column")
    value = table.rows[0][columns[reference]]
    answer = site.get(found[0].params["accessURL"], [("ID", value)])
    require(answer.status == 200 and Table(answer.body).rows, f"{answer.url}: status {answer.status}")


@clause(SIA, "3.1.2", "A service with SODA that takes identifiers of the answer describes it in the answer")
def sia_descriptor_of_soda(site: Site) -> None:
    table = require_table(site.search(("MAXREC", "1")))
    found = table.descriptors_of("ivo://ivoa.net/std/SODA#sync")
    require(found, "no descriptor of SODA")
    reference = found[0].inputs["ID"].get("ref")
    columns = {field.get("ID"): name for name, field in table.fields.items()}
    require(reference in columns, f"ID refers to {reference}, which is no column")


@clause(SIA, "3.1.4", "A service that describes itself names its parameters")
def sia_describes_itself(site: Site) -> None:
    table = require_table(site.search(("MAXREC", "1")))
    found = table.descriptors_of("ivo://ivoa.net/std/SIA#query")
    if not found:
        raise NotOfferedError("a descriptor of itself")
    missing = sorted(PARAMETERS.keys() - found[0].inputs.keys())
    require(not missing, f"the descriptor lacks {', '.join(missing)}")
