"""stilts, from Debian and without the network, finds no error in what we answer."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from astropy.io import votable

from tests.ivoa.clauses.jobs import ended, job, pending
from tests.ivoa.clauses.site import Site
from tests.ivoa.clauses.web import Answer, Params

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("service")]

ROOTS = {
    "capabilities": "{http://www.ivoa.net/xml/VOSICapabilities/v1.0}capabilities",
    "availability": "{http://www.ivoa.net/xml/VOSIAvailability/v1.0}availability",
    "jobs": "{http://www.ivoa.net/xml/UWS/v1.0}jobs",
    "job": "{http://www.ivoa.net/xml/UWS/v1.0}job",
    "parameters": "{http://www.ivoa.net/xml/UWS/v1.0}parameters",
    "results": "{http://www.ivoa.net/xml/UWS/v1.0}results",
    "votable": "{http://www.ivoa.net/xml/VOTable/v1.3}VOTABLE",
    "resource": "{http://www.ivoa.net/xml/RegistryInterface/v1.0}Resource",
}
"""Kind of a document to its root."""
VOTABLE = Path(votable.__file__).parent / "data/VOTable.v1.4.xsd"
"""The schema of VOTables, which stilts does not bring."""
Get = Callable[[Site], Answer]


def valid(stilts: Path, answer: Answer, kind: str, folder: Path) -> None:
    """The document is valid by the schemas that stilts brings, and by that of VOTables."""
    path = folder / "document.xml"
    path.write_bytes(answer.body)
    words = [str(stilts), "xsdvalidate", "uselocals=true", f"topel={ROOTS[kind]}", f"doc={path}"]
    words.append(f"schemaloc=http://www.ivoa.net/xml/VOTable/v1.3={VOTABLE}")
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    said = done.stdout + done.stderr
    assert (done.returncode, "ERROR" in said) == (0, False), f"{said}\n{answer.text[:2000]}"


def lint(stilts: Path, task: str, *words: str) -> None:
    """The linter says nothing."""
    done = subprocess.run([str(stilts), task, *words], capture_output=True, text=True, timeout=120, check=False)
    said = [
        line
        for line in (done.stdout + done.stderr).splitlines()
        if line.startswith(("E-", "F-", "W-", "ERROR", "WARNING"))
    ]
    assert (done.returncode, said) == (0, []), done.stderr


def get(path: str, *params: tuple[str, str]) -> Get:
    return lambda site: site.get(site.query.removesuffix("/sia2/query") + path, params)


def links(*params: tuple[str, str]) -> Get:
    return lambda site: site.get(site.links, params or [("ID", site.did)])


TABLES: dict[str, Get] = {
    "all rows": get("/sia2/query"),
    "one row": get("/sia2/query", ("MAXREC", "1")),
    "no rows": get("/sia2/query", ("MAXREC", "0")),
    "a search": get("/sia2/query", ("POS", "RANGE 0 360 -90 90"), ("BAND", "7e-7"), ("CALIB", "2")),
    "an error of the search": get("/sia2/query", ("POS", "BOX 1 2 3 4")),
    "links": links(),
    "links of what is unknown": links(("ID", "ivo://example.org/nothing")),
    "links without an ID": get("/datalink/links"),
}


@pytest.mark.parametrize("service", ["sia2", "datalink", "soda"])
@pytest.mark.parametrize("kind", ["capabilities", "availability"])
def test_documents_of_vosi_are_valid(site: Site, stilts: Path, tmp_path: Path, service: str, kind: str) -> None:
    answer = get(f"/{service}/{kind}")(site)
    assert answer.status == 200
    valid(stilts, answer, kind, tmp_path)


def test_the_record_for_registries_is_valid(site: Site, stilts: Path, tmp_path: Path) -> None:
    answer = get("/registry.xml")(site)
    assert answer.status == 200
    valid(stilts, answer, "resource", tmp_path)


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_valid(site: Site, stilts: Path, tmp_path: Path, name: str) -> None:
    valid(stilts, TABLES[name](site), "votable", tmp_path)


@pytest.mark.parametrize("name", TABLES)
def test_votlint_finds_nothing_in_tables(site: Site, stilts: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / "table.xml"
    path.write_bytes(TABLES[name](site).body)
    lint(stilts, "votlint", "ucd=true", "unit=true", f"votable={path}")


def test_datalinklint_finds_nothing_in_the_links_of_each_dataset(site: Site, stilts: Path) -> None:
    for row in [site.rows[0], site.rows[-1], site.row]:
        lint(stilts, "datalinklint", "report=EWF", f"votable={row['access_url']}")


def test_datalinklint_finds_nothing_in_links_of_what_is_unknown(site: Site, stilts: Path) -> None:
    lint(stilts, "datalinklint", "report=EWF", f"votable={site.links}?ID=ivo%3A%2F%2Fexample.org%2Fnothing")


def documents(site: Site, params: Params, phase: str) -> dict[str, tuple[str, Answer]]:
    """The documents of a job in a phase: name to kind and answer."""
    with job(site, params) as made:
        if phase in ("RUN", "COMPLETED", "ERROR"):
            made.send("RUN")
        if phase == "ABORTED":
            made.send("ABORT")
        if phase in ("COMPLETED", "ERROR"):
            assert made.end().findtext("phase") == phase
        children = {name: (name, made.ask(name)) for name in ("parameters", "results")}
        return {"job": ("job", made.ask()), "list": ("jobs", site.get(site.jobs)), **children}


@pytest.mark.parametrize("phase", ["PENDING", "RUN", "COMPLETED", "ERROR", "ABORTED"])
def test_documents_of_a_job_are_valid_in_each_phase(site: Site, stilts: Path, tmp_path: Path, phase: str) -> None:
    circle = "x 1 1" if phase == "ERROR" else site.circle
    for kind, answer in documents(site, [("ID", site.did), ("CIRCLE", circle)], phase).values():
        assert answer.status == 200
        valid(stilts, answer, kind, tmp_path)


def test_stilts_sees_faults(site: Site, stilts: Path, tmp_path: Path) -> None:
    """The checks above can fail: one wrong word each."""
    with pending(site) as made:
        answer = made.ask()
    wrong = Answer(200, {}, answer.body.replace(b"PENDING", b"DONE"), answer.url)
    with pytest.raises(AssertionError, match="DONE"):
        valid(stilts, wrong, "job", tmp_path)
    capabilities = get("/soda/capabilities")(site)
    wrong = Answer(200, {}, capabilities.body.replace(b'use="', b'use="x'), capabilities.url)
    with pytest.raises(AssertionError, match="use"):
        valid(stilts, wrong, "capabilities", tmp_path)
    path = tmp_path / "table.xml"
    path.write_bytes(TABLES["one row"](site).body.replace(b'datatype="double"', b'datatype="dubble"', 1))
    with pytest.raises(AssertionError, match="dubble"):
        lint(stilts, "votlint", f"votable={path}")


def test_results_of_a_job_can_be_loaded_by_stilts(site: Site, stilts: Path, tmp_path: Path) -> None:
    with ended(site) as made:
        (url,) = made.results().values()
        path = tmp_path / "cutout.fits"
        path.write_bytes(site.get(url).body)
    words = [str(stilts), "tpipe", f"in={path}#1", "omode=count"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True)
    assert "rows:" in done.stdout
