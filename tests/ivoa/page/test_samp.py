"""The page sends what it shows to other programs, by a real SAMP hub with its web profile."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pyvo.samp import SAMPHubServer, SAMPIntegratedClient, SAMPProxyError
from pyvo.samp.hub import WebProfileDialog

from tests.page.conftest import Visit

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [
    pytest.mark.stack,
    pytest.mark.xdist_group("page"),
    # The hub tells its programs of each other, also one that leaves at that moment.
    pytest.mark.filterwarnings(r"ignore:samp\.hub\.event\..* failed \[Invalid client ID\]:pyvo.samp.SAMPWarning"),
]
expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

HUB = "http://localhost:21012/"
"""Where the web profile has a hub."""
FIRST, SECOND = "tess-s0001-4-2", "tess-s0002-4-2"


class Person(WebProfileDialog):  # type: ignore[misc]
    """The person before the hub; `answers` is what he says when the hub asks whether a page may connect."""

    def __init__(self, *, answers: bool | None) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def show_dialog(self, samp_name: str, *_: object) -> None:
        self.asked.append(samp_name)
        if self.answers is not None:
            (self.consent if self.answers else self.reject)()


@dataclass
class Program:
    """A program that is connected to the hub and answers every message in the same way."""

    client: SAMPIntegratedClient
    page: Page
    answer: Mapping[str, object] | None
    got: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def receive(
        self, _key: str, _sender: str, message_id: str, mtype: str, params: dict[str, str], _extra: object
    ) -> None:
        self.got.append((mtype, params))
        if self.answer is not None:
            self.client.reply(message_id, self.answer)


@dataclass
class Interop:
    """A hub, its person, and the programs that are connected."""

    server: SAMPHubServer
    person: Person
    page: Page
    programs: list[Program] = field(default_factory=list)

    def add(self, name: str, *mtypes: str, answer: Mapping[str, object] | None = None) -> Program:
        client = SAMPIntegratedClient(name=name)
        client.connect(hub=self.server, pool_size=1)
        good = {"samp.status": "samp.ok", "samp.result": {}}
        program = Program(client, self.page, good if answer is None else answer or None)
        for mtype in mtypes:
            client.bind_receive_call(mtype, program.receive)
        self.programs.append(program)
        return program


@pytest.fixture
def interop(visit: Visit, tmp_path: Path) -> Iterator[Interop]:
    """A hub at a port of its own; the browser finds it where the standard says."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    person = Person(answers=True)
    server = SAMPHubServer(addr="127.0.0.1", lockfile=str(tmp_path / "samp"), web_profile_dialog=person, web_port=port)
    server.start()
    visit.page.route(f"{HUB}**", lambda route: route.continue_(url=f"http://127.0.0.1:{port}/"))
    visit.elsewhere = (f"http://127.0.0.1:{port}/",)
    world = Interop(server, person, visit.page)
    try:
        yield world
    finally:
        for program in world.programs:
            program.client.disconnect()
        server.stop()


def connect(visit: Visit, interop: Interop) -> Any:
    """The panel of the view of both cubes, after the hub has let the page in."""
    page = visit.open_star(f"&cubes={FIRST},{SECOND}&size=10,12")
    page.get_by_role("button", name="Find programs by SAMP").click()
    ask_person(visit, interop)
    expect(page.locator("#samp-send")).to_be_visible()
    return page.locator("#samp")


def ask_person(visit: Visit, interop: Interop) -> None:
    for _ in range(100):
        interop.person.handle_queue()
        if interop.person.asked:
            return
        visit.page.wait_for_timeout(50)
    pytest.fail("the hub was not asked to let the page in")


def send(panel: Any, what: str, to: str | None = None) -> None:
    panel.locator("#samp-what").select_option(label=what)
    if to:
        panel.locator("#samp-to").select_option(label=to)
    panel.get_by_role("button", name="Send", exact=True).click()


def wait_for(program: Program, count: int) -> list[tuple[str, dict[str, str]]]:
    """All messages to a program. What the page sends reaches the hub only while this process waits for the browser."""
    end = time.monotonic() + 15
    while len(program.got) < count and time.monotonic() < end:
        program.page.wait_for_timeout(50)
    assert len(program.got) == count
    return program.got


def last_two(program: Program, count: int) -> list[tuple[str, dict[str, str]]]:
    """The last of so many messages, one for each cube. The hub delivers them at once, so either may be first."""
    return sorted(wait_for(program, count)[-2:], key=lambda message: message[1]["url"])


def query(url: str) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}


def test_a_program_gets_each_kind_in_the_message_that_it_takes(visit: Visit, interop: Interop) -> None:
    topcat = interop.add("topcat", "table.load.*", "coord.pointAt.sky")
    panel = connect(visit, interop)
    ra, dec = str(visit.site.ra), str(visit.site.dec)

    for count, what in enumerate(("the position", "the table of observations here"), start=1):
        send(panel, what)
        wait_for(topcat, count)
    (_, place), (votable, table) = topcat.got
    assert place == {"ra": ra, "dec": dec}
    assert (votable, query(table["url"])) == ("table.load.votable", {"POS": f"CIRCLE {ra} {dec} 0.035"})
    assert table["url"].startswith(f"{visit.site.url}/sia2/query?")
    send(panel, "the coverage of the sectors")
    assert [(kind, urlsplit(each["url"]).path) for kind, each in last_two(topcat, 4)] == [
        ("table.load.fits", "/v1/coverage/SPOC/s0001.fits"),
        ("table.load.fits", "/v1/coverage/SPOC/s0002.fits"),
    ]
    send(panel, "the target pixel files")
    _, (kind, pixels) = last_two(topcat, 6)
    wanted = {"cube": SECOND, "ra": ra, "dec": dec, "size": "10,12", "aperture": "default"}
    assert (kind, query(pixels["url"])) == ("table.load.fits", wanted)
    assert visit.page.request.get(pixels["url"]).body().startswith(b"SIMPLE  =")
    send(panel, "the light curves")
    _, (kind, curve) = last_two(topcat, 8)
    assert (kind, curve["format"]) == ("table.load.stil", "csv")
    assert visit.page.request.get(curve["url"]).text().startswith("time_btjd,flux,flux_err,quality\n")


def test_a_coverage_goes_as_a_coverage_to_who_takes_it_and_not_to_ds9(visit: Visit, interop: Interop) -> None:
    aladin = interop.add("Aladin", "coverage.load.moc.fits", "table.load.fits")
    ds9 = interop.add("SAOImageDS9", "table.load.fits", "image.load.fits", "coord.pointAt.sky")
    panel = connect(visit, interop)

    send(panel, "the coverage of the sectors")
    assert {kind for kind, _ in wait_for(aladin, 2)} == {"coverage.load.moc.fits"}
    send(panel, "the position")
    wait_for(ds9, 1)
    assert len(aladin.got) == 2


def test_a_message_to_one_program_reaches_no_other(visit: Visit, interop: Interop) -> None:
    one, other = (interop.add(name, "coord.pointAt.sky") for name in ("one", "other"))
    panel = connect(visit, interop)
    send(panel, "the position", to="other")
    wait_for(other, 1)
    expect(panel).to_contain_text("Position to other: opened")
    assert one.got == []
    send(panel, "the position", to="all of them")
    wait_for(one, 1)
    wait_for(other, 2)


def test_what_went_wrong_in_a_program_is_told_as_text(visit: Visit, interop: Interop) -> None:
    error = {"samp.status": "samp.error", "samp.result": {}, "samp.error": {"samp.errortxt": "<b>no such file</b>"}}
    interop.add("<i>odd</i>", "coord.pointAt.sky", answer=error)
    panel = connect(visit, interop)
    send(panel, "the position")
    expect(panel.locator(".bad")).to_have_text("Position to <i>odd</i>: failed: <b>no such file</b>")


def test_a_program_that_does_not_answer_leaves_it_open(visit: Visit, interop: Interop) -> None:
    silent = interop.add("silent", "coord.pointAt.sky", answer={})
    panel = connect(visit, interop)
    send(panel, "the position")
    wait_for(silent, 1)
    expect(panel).to_contain_text("Position to silent: sent, no answer yet")


def test_programs_that_come_and_go_are_seen(visit: Visit, interop: Interop) -> None:
    panel = connect(visit, interop)
    expect(panel).to_contain_text("No program is connected to the hub yet.")
    expect(panel.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    late = interop.add("late", "image.load.fits")
    expect(panel).to_contain_text("None of the connected programs takes this: late.")
    late.client.disconnect()
    interop.programs.clear()
    expect(panel).to_contain_text("No program is connected to the hub yet.")


@pytest.mark.parametrize("question", ["getRegisteredClients", "allowReverseCallbacks"])
def test_the_page_may_leave_before_the_hub_has_answered(visit: Visit, interop: Interop, question: str) -> None:
    interop.add("other", "coord.pointAt.sky")
    held: list[tuple[Any, Any]] = []

    def hold(route: Any) -> None:
        if question in (route.request.post_data or "") and not held:
            held.append((route, route.fetch(url=visit.elsewhere[0])))
        else:
            route.fallback()

    visit.page.route(f"{HUB}**", hold)
    visit.elsewhere += (HUB,)
    panel = connect(visit, interop)
    assert wait_until(lambda: bool(held), visit)
    panel.get_by_role("button", name="Disconnect").click()
    expect(panel.get_by_role("button", name="Find programs by SAMP")).to_be_focused()
    [(route, answer)] = held
    route.fulfill(response=answer)
    visit.page.wait_for_timeout(300)
    assert visit.troubles == []


@pytest.mark.parametrize("question", ["getMetadata", "getSubscriptions"])
def test_a_program_may_leave_while_the_page_asks_about_it(visit: Visit, interop: Interop, question: str) -> None:
    leaving = interop.add("leaving", "coord.pointAt.sky")
    interop.add("staying", "coord.pointAt.sky")
    name: str = leaving.client.get_public_id()
    questions: list[str] = []

    def leave_first(route: Any) -> None:
        asked = route.request.post_data or ""
        if question in asked and name in asked:
            questions.append(asked)
            if len(questions) == 1:
                leaving.client.disconnect()
                interop.programs.remove(leaving)
        route.fallback()

    visit.page.route(f"{HUB}**", leave_first)
    panel = connect(visit, interop)
    send(panel, "the position")
    expect(panel).to_contain_text("Position to staying: opened")
    assert questions
    expect(panel.locator("#samp-to")).to_have_text("staying")
    expect(panel).not_to_contain_text("The hub has ended the connection.")


def test_what_cannot_be_sent_is_told_until_it_can(visit: Visit, interop: Interop) -> None:
    interop.add("topcat", "table.load.*")
    panel = connect(visit, interop)
    panel.locator("#samp-what").select_option(label="the target pixel files")
    button = panel.get_by_role("button", name="Send", exact=True)
    expect(button).to_be_enabled()
    rows = visit.page.locator("#rows")
    for typed, told in (("1000", "The files are too large to be sent."), ("0", "Correct the fields that are marked")):
        rows.fill(typed)
        rows.blur()
        expect(panel).to_contain_text(told)
        expect(button).to_be_disabled()
    rows.fill("10")
    rows.blur()
    expect(button).to_be_enabled()
    expect(panel).not_to_contain_text("Correct the fields")


def test_a_page_that_is_refused_says_so(visit: Visit, interop: Interop) -> None:
    interop.person.answers = False
    page = visit.open_star()
    page.get_by_role("button", name="Find programs by SAMP").click()
    ask_person(visit, interop)
    expect(page.locator("#samp")).to_contain_text("The hub has refused this page")
    expect(page.get_by_role("button", name="Find programs by SAMP")).to_be_focused()


def test_who_waits_for_the_hub_may_stop(visit: Visit, interop: Interop) -> None:
    interop.person.answers = None
    page = visit.open_star()
    page.get_by_role("button", name="Find programs by SAMP").click()
    ask_person(visit, interop)
    expect(page.locator("#samp")).to_contain_text("Waiting for the hub. It asks you")
    page.get_by_role("button", name="Stop waiting").press("Enter")
    expect(page.get_by_role("button", name="Find programs by SAMP")).to_be_focused()
    interop.person.consent()
    page.wait_for_timeout(500)
    expect(page.locator("#samp-send")).to_be_hidden()


def names_of(watcher: Program) -> list[str | None]:
    """Names of the programs at the hub; None for a program that has told none, or that leaves while it is asked."""
    names: list[str | None] = []
    for each in watcher.client.get_registered_clients():
        try:
            names.append(watcher.client.get_metadata(each).get("samp.name"))
        except SAMPProxyError:
            names.append(None)
    return names


def wait_until(holds: Callable[[], bool], visit: Visit) -> bool:
    """Wait for at most ten seconds until something holds; whether it does."""
    for _ in range(100):
        if holds():
            return True
        visit.page.wait_for_timeout(100)
    return False


def test_the_page_leaves_the_hub_and_notices_that_it_ends(visit: Visit, interop: Interop) -> None:
    visit.forgiven = "Failed to load resource"
    watcher = interop.add("watcher")
    panel = connect(visit, interop)
    assert wait_until(lambda: "Tessera" in names_of(watcher), visit)  # the page tells its name after it has connected
    panel.get_by_role("button", name="Disconnect").click()
    expect(panel.get_by_role("button", name="Find programs by SAMP")).to_be_focused()
    assert wait_until(lambda: "Tessera" not in names_of(watcher), visit)
    interop.person.asked.clear()
    panel.get_by_role("button", name="Find programs by SAMP").click()
    ask_person(visit, interop)
    expect(panel.get_by_role("button", name="Disconnect")).to_be_visible()
    watcher.client.disconnect()
    interop.programs.clear()
    interop.server.stop()
    expect(panel).to_contain_text("The hub has ended the connection.")
