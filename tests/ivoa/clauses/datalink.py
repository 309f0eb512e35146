"""DataLink 1.1: the answer of {links}, and service descriptors in it."""

from __future__ import annotations

from tests.ivoa.clauses.documents import Row, Table
from tests.ivoa.clauses.report import NotOfferedError, clause, require
from tests.ivoa.clauses.site import Site
from tests.ivoa.clauses.web import Answer

DATALINK = "DataLink 1.1"
COLUMNS = {
    "ID": "meta.id;meta.main",
    "access_url": "meta.ref.url",
    "service_def": "meta.ref",
    "error_message": "meta.code.error",
    "description": "meta.note",
    "semantics": "meta.code",
    "content_type": "meta.code.mime",
    "content_length": "phys.size;meta.file",
}
"""Name of each required column to its UCD."""
TERMS = frozenset(
    "auxiliary bias calibration coderived counterpart cutout dark derivation detached-header documentation error flat "  # noqa: SIM905
    "noise package preview preview-image preview-plot proc progenitor sibling this thumbnail weight".split()
)
"""Terms of http://www.ivoa.net/rdf/datalink/core."""
FAULTS = ("NotFoundFault", "UsageFault", "TransientFault", "FatalFault", "DefaultFault")
NOWHERE = "ivo://example.org/nothing?at-all"


def require_links(answer: Answer) -> Table:
    """The answer is a table of links."""
    require(answer.status == 200, f"status {answer.status}: {answer.text[:300]}")
    require(answer.media_type == "application/x-votable+xml", f"media type {answer.media_type}")
    require(answer.media_parameter("content") == "datalink", f"media type {answer.headers.get('content-type')}")
    return Table(answer.body)


def links(site: Site, *dids: str) -> list[Row]:
    return require_links(site.get(site.links, [("ID", did) for did in dids])).rows


@clause(DATALINK, "3.3", "The answer has the media type of DataLink")
def links_media_type(site: Site) -> None:
    require_links(site.get(site.links, [("ID", site.did)]))


@clause(DATALINK, "3.3.1", "The links are a table in TABLEDATA, in the one resource of results")
def links_resource(site: Site) -> None:
    table = site.links_table
    require(len(table.results) == 1, f"{len(table.results)} resources have type results")
    require(list(table.results[0].iter("TABLEDATA")), "the table is not in TABLEDATA")


@clause("DALI 1.1", "4.4", "QUERY_STATUS of the links stands in the resource of results, before the table")
def links_query_status(site: Site) -> None:
    tags = [(each.tag, each.get("name")) for each in site.links_table.results[0]]
    names = [tag for tag, _ in tags]
    require(("INFO", "QUERY_STATUS") in tags[: names.index("TABLE")], "no QUERY_STATUS before the table")


@clause(DATALINK, "3.3.1", "An INFO tells the standard")
def links_standard(site: Site) -> None:
    told = [info.get("value", "") for info in site.links_table.root.iter("INFO") if info.get("name") == "standardID"]
    require(any(value.lower().startswith("ivo://ivoa.net/std/datalink") for value in told), f"standardID is {told}")


@clause(DATALINK, "3.2", "The table has the eight columns")
def links_columns(site: Site) -> None:
    missing = sorted(COLUMNS.keys() - site.links_table.fields.keys())
    require(not missing, f"columns are missing: {', '.join(missing)}")


@clause(DATALINK, "3.2", "The columns have the standard's UCDs")
def links_ucds(site: Site) -> None:
    fields = site.links_table.fields
    wrong = [f"{name} has {fields[name].get('ucd')}" for name, ucd in COLUMNS.items() if fields[name].get("ucd") != ucd]
    require(not wrong, "; ".join(wrong))


@clause(DATALINK, "3.2.8", "content_length is a long number of bytes")
def links_content_length(site: Site) -> None:
    field = site.links_table.fields["content_length"]
    require(field.get("datatype") == "long", f"its data type is {field.get('datatype')}")
    require(field.get("unit") == "byte", f"its unit is {field.get('unit')}")
    wrong = [
        row["content_length"]
        for row in site.links_table.rows
        if row["content_length"] is not None and row["content_length"] < 0
    ]
    require(not wrong, f"content_length is {wrong}")


@clause(DATALINK, "3.2", "Each row has exactly one of access_url, service_def and error_message")
def links_one_of_three(site: Site) -> None:
    for row in [*links(site, site.did), *links(site, NOWHERE)]:
        given = [name for name in ("access_url", "service_def", "error_message") if row[name] is not None]
        require(len(given) == 1, f"the row {row['semantics']} has {given or 'none of them'}")


@clause(DATALINK, "3.2.1", "ID is the identifier that was asked for, as it was written")
def links_id(site: Site) -> None:
    for did in (site.did, NOWHERE):
        told = {row["ID"] for row in links(site, did)}
        require(told == {did}, f"the ID of {did} is {told}")


@clause(DATALINK, "3.2.6", "semantics is a term of the core vocabulary, or a whole URI")
def links_semantics(site: Site) -> None:
    for row in [*links(site, site.did), *links(site, NOWHERE)]:
        term = row["semantics"]
        require(term is not None, "a row has no semantics")
        short = term.removeprefix("http://www.ivoa.net/rdf/datalink/core")
        require(short.removeprefix("#") in TERMS if short.startswith("#") else "://" in term, f"semantics is {term}")


@clause(DATALINK, "3.2.6", "A dataset has a link with the semantics #this")
def links_this(site: Site) -> None:
    rows = [row for row in links(site, site.did) if row["semantics"].endswith("#this")]
    require(rows, "there is no #this")
    require(all(row["access_url"] or row["error_message"] for row in rows), "#this cannot be fetched")


@clause(DATALINK, "3.2.5", "Every link has a description")
def links_description(site: Site) -> None:
    rows = [row for row in links(site, site.did) if row["error_message"] is None]
    require(all(row["description"] for row in rows), "a link has no description")


@clause(DATALINK, "3.2.3", "service_def names a service descriptor of the document")
def links_service_def(site: Site) -> None:
    table = site.links_table
    named = {row["service_def"] for row in table.rows if row["service_def"] is not None}
    if not named:
        raise NotOfferedError("services of a dataset")
    have = {each.identifier for each in table.descriptors}
    require(named <= have, f"{sorted(named - have)} are not in the document")


@clause(DATALINK, "4.1", "A descriptor has accessURL, and inputs")
def links_descriptors(site: Site) -> None:
    for each in site.links_table.descriptors:
        require(each.params.get("accessURL", "").startswith("http"), f"{each.identifier} has no accessURL")
        require(each.inputs, f"{each.identifier} has no inputParams")


@clause(DATALINK, "3.4", "An unknown ID has one row, whose message begins with NotFoundFault, without other values")
def links_unknown(site: Site) -> None:
    rows = links(site, NOWHERE)
    require(len(rows) == 1, f"{len(rows)} rows")
    row = rows[0]
    require((row["error_message"] or "").startswith("NotFoundFault"), f"the message is {row['error_message']}")
    given = {name for name in COLUMNS if row[name] is not None}
    require(given <= {"ID", "semantics", "error_message"}, f"the row has {sorted(given)}")


@clause(DATALINK, "3.4", "A message of an error begins with a fault of the standard, and a colon")
def links_faults(site: Site) -> None:
    for did in (NOWHERE, "", "no identifier at all"):
        for row in links(site, did):
            fault = str(row["error_message"]).partition(":")[0]
            require(fault in FAULTS, f"ID={did}: the message is {row['error_message']}")


@clause(DATALINK, "2.1.1", "Several identifiers have their rows in one answer")
def links_several(site: Site) -> None:
    other = str(site.rows[-1]["obs_publisher_did"])
    rows = links(site, site.did, other, NOWHERE)
    require({row["ID"] for row in rows} == {site.did, other, NOWHERE}, f"rows for { ({row['ID'] for row in rows}) }")
    require(
        len([row for row in rows if row["ID"] == site.did]) == len(links(site, site.did)), "rows of an ID are missing"
    )


@clause(DATALINK, "2.1.1", "Without an ID the answer is normal, and empty")
def links_without_id(site: Site) -> None:
    table = require_links(site.get(site.links))
    require(not table.rows, f"{len(table.rows)} rows")
    require(COLUMNS.keys() <= table.fields.keys(), "columns are missing")


@clause("DALI 1.1", "2.2", "The parameters of {links} may be sent by POST")
def links_post(site: Site) -> None:
    rows = require_links(site.web.ask(site.links, [("ID", site.did)], method="POST")).rows
    require(rows == links(site, site.did), "GET and POST have different rows")


@clause(DATALINK, "2.1.2", "RESPONSEFORMAT=votable and the media type give the standard answer")
def links_responseformat(site: Site) -> None:
    for value in ("votable", "application/x-votable+xml"):
        require_format(site, value)


@clause(DATALINK, "2.1.2", "Parameters of the media type in RESPONSEFORMAT are stripped off")
def links_responseformat_parameters(site: Site) -> None:
    require_format(site, "application/x-votable+xml;content=datalink")


def require_format(site: Site, value: str) -> None:
    answer = site.get(site.links, [("ID", site.did), ("RESPONSEFORMAT", value)])
    require(answer.status == 200, f"RESPONSEFORMAT={value}: status {answer.status}")
    require(answer.media_type == "application/x-votable+xml", f"RESPONSEFORMAT={value} gives {answer.media_type}")
    require(Table(answer.body).rows, f"RESPONSEFORMAT={value}: no rows")


@clause("DALI 1.1", "3.4.3", "A RESPONSEFORMAT that {links} does not have is an error")
def links_responseformat_unknown(site: Site) -> None:
    answer = site.get(site.links, [("ID", site.did), ("RESPONSEFORMAT", "application/x-unknown")])
    require(400 <= answer.status < 500 or "UsageFault" in answer.text, f"status {answer.status}")


@clause(DATALINK, "3.2.2", "Links to files and previews can be fetched")
def links_can_be_fetched(site: Site) -> None:
    for row in links(site, site.did):
        if row["access_url"] is not None and row["semantics"].endswith(("#this", "#preview", "#auxiliary")):
            answer = site.get(row["access_url"])
            require(answer.status == 200, f"{row['semantics']} at {row['access_url']}: status {answer.status}")
            length = row["content_length"]
            require(
                length is None or length == len(answer.body),
                f"{row['semantics']} has {len(answer.body)} bytes, and not {length}",
            )
            media = row["content_type"]
            require(
                media is None or answer.media_type == media.partition(";")[0],
                f"{row['semantics']} is {answer.media_type}, and not {media}",
            )
