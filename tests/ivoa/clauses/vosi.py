"""VOSI 1.1: capabilities and availability beside each resource of a service."""

from __future__ import annotations

from datetime import datetime
from xml.etree.ElementTree import Element

from tests.ivoa.clauses.documents import parse
from tests.ivoa.clauses.report import clause, require
from tests.ivoa.clauses.site import Site

VOSI = "VOSI 1.1"
XML = {"text/xml", "application/xml"}


def resources(site: Site) -> dict[str, str]:
    """Standard to the address of the resource that implements it."""
    return {
        "ivo://ivoa.net/std/SIA#query-2.0": site.query,
        "ivo://ivoa.net/std/DataLink#links-1.": site.links,
        "ivo://ivoa.net/std/SODA#sync-1.0": site.sync,
        "ivo://ivoa.net/std/SODA#async-1.0": site.jobs,
    }


def capabilities(site: Site, resource: str) -> Element:
    answer = site.get(site.beside(resource, "capabilities"))
    require(answer.status == 200, f"{answer.url}: status {answer.status}")
    require(answer.media_type in XML, f"{answer.url} is {answer.media_type}")
    return parse(answer.body)


@clause(VOSI, "2.1", "Beside each resource are its capabilities, in XML")
def vosi_capabilities(site: Site) -> None:
    for resource in resources(site).values():
        root = capabilities(site, resource)
        require(root.tag == "capabilities", f"the root of the document is {root.tag}")


@clause(
    "SIA 2.0, DataLink 1.1, SODA 1.0",
    "capabilities",
    "The capabilities tell the standard of the resource and its address",
)
def vosi_standards(site: Site) -> None:
    for standard, resource in resources(site).items():
        told = [
            each
            for each in capabilities(site, resource).findall("capability")
            if each.get("standardID", "").lower().startswith(standard.lower())
        ]
        require(told, f"{standard} is not among the capabilities beside {resource}")
        urls = [(url.text or "").strip().rstrip("?") for each in told for url in each.iter("accessURL")]
        require(resource in urls, f"{standard} is at {urls}, and not at {resource}")


@clause(VOSI, "2.1", "The standard interface of a resource is a vs:ParamHTTP with role std")
def vosi_interfaces(site: Site) -> None:
    for standard, resource in resources(site).items():
        for each in capabilities(site, resource).findall("capability"):
            if each.get("standardID", "").lower().startswith(standard.lower()):
                interfaces = each.findall("interface")
                kinds = [
                    (interface.get("type", "").rpartition(":")[2], interface.get("role")) for interface in interfaces
                ]
                require(("ParamHTTP", "std") in kinds, f"{standard} has the interfaces {kinds}")


@clause(VOSI, "2.1", "The capabilities list themselves and the availability, whose addresses answer")
def vosi_lists_itself(site: Site) -> None:
    for resource in resources(site).values():
        urls = {
            each.get("standardID", "").lower(): (url.text or "").strip()
            for each in capabilities(site, resource).findall("capability")
            for url in each.iter("accessURL")
        }
        for name in ("capabilities", "availability"):
            standard = f"ivo://ivoa.net/std/vosi#{name}"
            require(standard in urls, f"{standard} is not listed beside {resource}")
            answer = site.get(urls[standard])
            require(answer.status == 200, f"{urls[standard]}: status {answer.status}")
            require(parse(answer.body).tag == name, f"{urls[standard]} is no document of {name}")


@clause(VOSI, "2.2", "Beside each resource is its availability, in XML, which says whether it is available")
def vosi_availability(site: Site) -> None:
    for resource in resources(site).values():
        answer = site.get(site.beside(resource, "availability"))
        require(answer.status == 200, f"{answer.url}: status {answer.status}")
        require(answer.media_type in XML, f"{answer.url} is {answer.media_type}")
        root = parse(answer.body)
        require(root.tag == "availability", f"the root of the document is {root.tag}")
        require(root.findtext("available") == "true", f"available is {root.findtext('available')}")


@clause(VOSI, "2.2", "Times of the availability are ISO 8601 in UTC")
def vosi_times(site: Site) -> None:
    for resource in resources(site).values():
        root = parse(site.get(site.beside(resource, "availability")).body)
        for name in ("upSince", "downAt", "backAt"):
            text = root.findtext(name)
            try:
                told = None if text is None else datetime.fromisoformat(text)
            except ValueError:
                told = None
                require(False, f"{name} is {text}")
            require(told is None or not told.utcoffset(), f"{name} is not in UTC: {text}")
