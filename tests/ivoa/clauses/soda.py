"""SODA 1.0: the answers of {sync}, its errors, and the descriptor of the service."""

from __future__ import annotations

import io
import zipfile

from tests.ivoa.clauses.documents import Descriptor
from tests.ivoa.clauses.report import NotOfferedError, clause, require
from tests.ivoa.clauses.site import Site
from tests.ivoa.clauses.web import Answer

SODA = "SODA 1.0"
ERRORS = (
    "Error",
    "AuthenticationError",
    "AuthorizationError",
    "ServiceUnavailable",
    "UsageError",
    "UsageFault",
    "MultiValuedParamNotSupported",
)
"""How the text of an error begins: the labels of SODA, and the one of DALI's own text."""
FACTORS = {
    "ID": ("meta.ref.url;meta.curation", "", ""),
    "CIRCLE": ("pos.outline;obs", "deg", "circle"),
    "POLYGON": ("pos.outline;obs", "deg", "polygon"),
    "POS": ("pos.outline;obs", "", ""),
    "BAND": ("em.wl;stat.interval", "m", "interval"),
    "TIME": ("time.interval;obs.exposure", "d", "interval"),
    "POL": ("meta.code;phys.polarization", "", ""),
}
"""Name of a standard parameter to its UCD, unit and xtype."""


def cut(site: Site, *params: tuple[str, str], method: str = "GET") -> Answer:
    return site.web.ask(site.sync, [("ID", site.did), *params], method=method)


def require_file(answer: Answer) -> bytes:
    """The answer is a FITS file, or a zip of such; gives the first file."""
    require(answer.status == 200, f"status {answer.status}: {answer.text[:300]}")
    data = answer.body
    if answer.media_type == "application/zip":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            data = archive.read(archive.namelist()[0])
    else:
        require(answer.media_type in ("application/fits", "image/fits"), f"media type {answer.media_type}")
    require(data.startswith(b"SIMPLE  =") and len(data) % 2880 == 0, "it is no FITS file")
    return data


def require_error(answer: Answer, about: str) -> None:
    require(400 <= answer.status < 500, f"{about}: status {answer.status}")
    require(answer.media_type == "text/plain", f"{about}: media type {answer.media_type}")
    label = answer.text.strip().partition(":")[0].partition(" ")[0]
    require(label in ERRORS, f"{about}: the text begins with {answer.text[:60]!r}")


def descriptor(site: Site) -> Descriptor:
    """What the service says of its {sync} in the links of the dataset."""
    found = site.links_table.descriptors_of("ivo://ivoa.net/std/SODA#sync")
    if not found:
        raise NotOfferedError("a descriptor of {sync}")
    return found[0]


@clause(SODA, "3.3.2", "A circle gives a file")
def soda_circle(site: Site) -> None:
    require_file(cut(site, ("CIRCLE", site.circle)))


@clause(SODA, "3.3.3", "A polygon gives a file")
def soda_polygon(site: Site) -> None:
    require_file(cut(site, ("POLYGON", _square(site))))


def _square(site: Site) -> str:
    """A square around the middle of the dataset; it is narrow, so right ascensions need no cosine."""
    ra, dec, half = site.row["s_ra"], site.row["s_dec"], site.radius / 2
    return f"{ra - half} {dec - half} {ra + half} {dec - half} {ra + half} {dec + half} {ra - half} {dec + half}"


@clause(SODA, "3.3.1", "POS takes a circle, a polygon and a range")
def soda_pos(site: Site) -> None:
    ra, dec, half = site.row["s_ra"], site.row["s_dec"], site.radius / 2
    for text in (
        f"CIRCLE {site.circle}",
        f"POLYGON {_square(site)}",
        f"RANGE {ra - half} {ra + half} {dec - half} {dec + half}",
    ):
        require_file(cut(site, ("POS", text)))


@clause(SODA, "3.3.1", "POS=CIRCLE is CIRCLE, and POS=POLYGON is POLYGON")
def soda_pos_is_the_same(site: Site) -> None:
    for name, value in (("CIRCLE", site.circle), ("POLYGON", _square(site))):
        sizes = {len(require_file(cut(site, pair))) for pair in ((name, value), ("POS", f"{name} {value}"))}
        require(len(sizes) == 1, f"the files of {name} and POS={name} have {sorted(sizes)} bytes")


@clause(SODA, "3.3", "A cutout is smaller than a cutout of a larger circle")
def soda_size(site: Site) -> None:
    ra, dec = site.row["s_ra"], site.row["s_dec"]
    sizes = [len(require_file(cut(site, ("CIRCLE", f"{ra} {dec} {site.radius * factor}")))) for factor in (1, 10)]
    require(sizes[0] < sizes[1], f"radii of 1 and 10 give {sizes} bytes")


@clause(SODA, "5.1", "A region that the dataset does not have is answered by 204, without a body")
def soda_no_content(site: Site) -> None:
    for name, value in (("CIRCLE", site.elsewhere), ("POS", f"CIRCLE {site.elsewhere}")):
        answer = cut(site, (name, value))
        require(answer.status == 204, f"{name}={value}: status {answer.status}")
        require(not answer.body, f"{name}={value}: there is a body")


@clause(SODA, "5.2", "A value that is no circle, polygon or shape is an error in plain text")
def soda_wrong_shapes(site: Site) -> None:
    for name, value in (
        ("CIRCLE", "x 1 1"),
        ("CIRCLE", "1 1"),
        ("POLYGON", "1 1 2 2"),
        ("POLYGON", "1 1 2 2 3"),
        ("POS", "BOX 1 2 3 4"),
        ("POS", "CIRCLE 1 2"),
    ):
        require_error(cut(site, (name, value)), f"{name}={value}")


@clause(SODA, "5.2", "An unknown identifier is an error in plain text")
def soda_unknown_id(site: Site) -> None:
    answer = site.web.ask(site.sync, [("ID", "ivo://example.org/nothing?at-all"), ("CIRCLE", site.circle)])
    require_error(answer, "an unknown ID")


@clause(SODA, "5.2", "A request without an identifier is an error in plain text")
def soda_without_id(site: Site) -> None:
    require_error(site.web.ask(site.sync, [("CIRCLE", site.circle)]), "no ID")


@clause(SODA, "3.1", "Several values of a parameter are served, or are the error MultiValuedParamNotSupported")
def soda_several_values(site: Site) -> None:
    other = f"{site.row['s_ra']} {site.row['s_dec']} {site.radius / 2}"
    answer = cut(site, ("CIRCLE", site.circle), ("CIRCLE", other))
    if answer.status == 200:
        require_file(answer)
    else:
        require(answer.media_type == "text/plain", f"status {answer.status}, media type {answer.media_type}")
        require(answer.text.startswith("MultiValuedParamNotSupported"), f"the text is {answer.text[:100]!r}")


@clause("DALI 1.1", "2.2", "The parameters of {sync} may be sent by POST")
def soda_post(site: Site) -> None:
    sizes = {len(require_file(cut(site, ("CIRCLE", site.circle), method=method))) for method in ("GET", "POST")}
    require(len(sizes) == 1, f"GET and POST give {sorted(sizes)} bytes")


@clause("DALI 1.1", "3.1", "Names of parameters of {sync} are understood in any case")
def soda_names_in_any_case(site: Site) -> None:
    answer = site.web.ask(site.sync, [("id", site.did), ("Circle", site.circle)])
    require(
        len(require_file(answer)) == len(require_file(cut(site, ("CIRCLE", site.circle)))), "the files differ in size"
    )


@clause(SODA, "3.3.5", "TIME takes a part of the dataset, and a time that it does not have is answered by 204")
def soda_time(site: Site) -> None:
    if "TIME" not in descriptor(site).inputs:
        raise NotOfferedError("TIME")
    begin, end = site.row["t_min"], site.row["t_max"]
    whole, part = (
        len(require_file(cut(site, ("CIRCLE", site.circle), ("TIME", f"{begin} {high}"))))
        for high in (end, (begin + end) / 2)
    )
    require(part <= whole, f"half the time has {part} bytes, and all of it {whole}")
    for interval in (f"{end + 1} {end + 2}", f"{begin - 2} {begin - 1}", f"{end + 1} +Inf", f"-Inf {begin - 1}"):
        answer = cut(site, ("CIRCLE", site.circle), ("TIME", interval))
        require(answer.status == 204, f"TIME={interval}: status {answer.status}")
    require_file(cut(site, ("CIRCLE", site.circle), ("TIME", "-Inf +Inf")))
    require_error(cut(site, ("CIRCLE", site.circle), ("TIME", "soon")), "TIME=soon")


@clause(SODA, "3.3.4", "BAND that the dataset has is served, and one that it does not have is answered by 204")
def soda_band(site: Site) -> None:
    if "BAND" not in descriptor(site).inputs:
        raise NotOfferedError("BAND")
    low, high = site.row["em_min"], site.row["em_max"]
    for interval in (
        f"{low} {high}",
        f"-Inf {high}",
        f"{(low + high) / 2} +Inf",
        f"{(low + high) / 2} {(low + high) / 2}",
    ):
        require_file(cut(site, ("CIRCLE", site.circle), ("BAND", interval)))
    for interval in (f"{2 * high} {3 * high}", f"-Inf {low / 2}"):
        answer = cut(site, ("CIRCLE", site.circle), ("BAND", interval))
        require(answer.status == 204, f"BAND={interval}: status {answer.status}")
    require_error(cut(site, ("CIRCLE", site.circle), ("BAND", "red")), "BAND=red")


@clause(SODA, "4.2", "The descriptor has the address of {sync}, and the dataset's ID")
def soda_descriptor(site: Site) -> None:
    told = descriptor(site)
    require(told.params["accessURL"].rstrip("?") == site.sync, f"accessURL is {told.params['accessURL']}")
    require("ID" in told.inputs, "there is no ID")
    given = told.inputs["ID"].get("value") or told.inputs["ID"].get("ref")
    require(given, "ID has neither a value nor a column")


@clause(SODA, "3.5", "Standard parameters have their UCDs, units and xtypes in the descriptor")
def soda_three_factors(site: Site) -> None:
    wrong = []
    for name, param in descriptor(site).inputs.items():
        if name in FACTORS:
            told = tuple(param.get(part) or "" for part in ("ucd", "unit", "xtype"))
            ucds = {FACTORS[name][0], "meta.id;meta.main"} if name == "ID" else {FACTORS[name][0]}
            if told[0] not in ucds or told[1:] != FACTORS[name][1:]:
                wrong.append(f"{name} has {told}")
    require(not wrong, "; ".join(wrong))


@clause(SODA, "4.2", "The descriptor of a dataset tells the ranges of its parameters, and what it tells can be cut")
def soda_ranges(site: Site) -> None:
    inputs = descriptor(site).inputs
    if "CIRCLE" not in inputs:
        raise NotOfferedError("CIRCLE")
    most = [
        value.get("value", "").split()
        for name in ("CIRCLE", "POLYGON")
        if name in inputs
        for value in inputs[name].iter("MAX")
    ]
    require(most and len(most[0]) == 3, f"the largest circle is {most}")
    require_file(cut(site, ("CIRCLE", f"{most[0][0]} {most[0][1]} {site.radius}")))
    for name in ("TIME", "BAND"):
        if name in inputs:
            ends = [float(each.get("value", "nan")) for tag in ("MIN", "MAX") for each in inputs[name].iter(tag)]
            require(len(ends) == 2 and ends[0] <= ends[1], f"the range of {name} is {ends}")
