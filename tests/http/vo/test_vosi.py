"""What describes the services: capabilities, availability, and the record for registries."""

from __future__ import annotations

import io
from typing import Any

import pytest
from lxml import etree
from mocpy import MOC

from tessera_cloud.application.switch import pause
from tessera_cloud.errors import TransientError
from tessera_cloud.ports import ObjectInfo
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import BASE, Api
from tests.support.covers import written

STANDARDS = {
    "/sia2": {"ivo://ivoa.net/std/SIA#query-2.0": "/sia2/query"},
    "/datalink": {"ivo://ivoa.net/std/DataLink#links-1.1": "/datalink/links"},
    "/soda": {
        "ivo://ivoa.net/std/SODA#sync-1.0": "/soda/sync",
        "ivo://ivoa.net/std/SODA#async-1.0": "/soda/async",
    },
}


def xml(api: Api, path: str) -> Any:
    answer = api.get(path)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/xml; charset=UTF-8")
    return etree.fromstring(answer.content)


def resources(document: Any) -> dict[str, str]:
    """Standard of each capability, and the address of its interface."""
    return {each.get("standardID"): each.findtext("interface/accessURL") for each in document.iter("capability")}


@pytest.mark.parametrize("name", STANDARDS)
def test_capabilities_name_the_standards_and_the_addresses_that_the_client_sees(api: Api, name: str) -> None:
    vosi = {f"ivo://ivoa.net/std/VOSI#{kind}": f"{BASE}{name}/{kind}" for kind in ("capabilities", "availability")}
    own = {standard: BASE + path for standard, path in STANDARDS[name].items()}
    assert resources(xml(api, f"{name}/capabilities")) == own | vosi


def test_the_record_has_the_parameters_of_each_service(api: Api) -> None:
    interfaces = xml(api, "/registry.xml").findall("capability/interface[@role='std']")
    assert len(interfaces) == 4
    for interface in interfaces:
        assert {kind.text for kind in interface.iterfind("queryType")} == {"GET", "POST"}
        names = [param.findtext("name") for param in interface.iterfind("param")]
        assert {"ID", "RESPONSEFORMAT"} <= set(names)
        assert len(names) == len(set(names))


@pytest.mark.parametrize("name", STANDARDS)
def test_a_service_that_has_cubes_is_available(api: Api, name: str) -> None:
    document = xml(api, f"{name}/availability")
    assert document.findtext("{*}available") == "true"
    assert document.findtext("{*}note") == "3 cubes are served"


@pytest.mark.parametrize(("name", "available"), [("/sia2", "true"), ("/datalink", "true"), ("/soda", "false")])
def test_a_pause_is_noted_and_stops_cutouts(api: Api, name: str, available: str) -> None:
    pause(api.handlers.services, reason="the budget of the day is spent", by="budget")
    document = xml(api, f"{name}/availability")
    assert document.findtext("{*}available") == available
    assert document.findtext("{*}note") == "the service is paused: the budget of the day is spent"


def test_without_a_list_of_cubes_nothing_is_available() -> None:
    class Silent(MemoryStore):
        def read(self, bucket: str, key: str) -> tuple[bytes, ObjectInfo]:
            raise TransientError("no answer")

    document = xml(Api(Silent()), "/sia2/availability")
    assert document.findtext("{*}available") == "false"
    assert document.findtext("{*}note") == "the list of cubes cannot be read; ask again later"


def test_the_record_describes_all_services(api: Api) -> None:
    record = xml(api, "/registry.xml")
    own = {standard: BASE + path for named in STANDARDS.values() for standard, path in named.items()}
    assert own.items() <= resources(record).items()
    assert record.findtext("identifier") == "ivo://tessera/cubes"
    assert record.get("{http://www.w3.org/2001/XMLSchema-instance}type") == "vs:CatalogService"
    first, last = map(float, record.findtext("coverage/temporal").split())
    assert 58324 < first < last < 59100


def test_the_record_shows_the_coverage_when_there_is_one(api: Api) -> None:
    assert xml(api, "/registry.xml").find("coverage/spatial") is None
    written(api.store)
    record = xml(api, "/registry.xml")
    assert record.findtext("coverage/footprint") == f"{BASE}/v1/coverage/all/all.fits"
    shown = MOC.from_string(record.findtext("coverage/spatial"))
    whole = MOC.from_fits(io.BytesIO(api.get("/v1/coverage/all/all.fits").content))
    assert whole.difference(shown).empty()
    assert shown.sky_fraction < 0.01
