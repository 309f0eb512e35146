"""How a function starts: light, and without anything that must not be in a picture of its memory (SnapStart).

Times are measured by `tests/bench/service/start.py`; here is what they depend on.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import types
from importlib.util import find_spec
from typing import Any

import pytest

from tessera_cloud.snapshot import preload
from tests.support.handlers import ROOT

pytestmark = pytest.mark.slow

FUNCTIONS = sorted(path.parent.name for path in ROOT.glob("functions/*/app.py"))
HEAVY: tuple[str, ...] = ("asdf", "astropy.coordinates", "astropy.modeling", "astropy.table", "astropy.time")
HEAVY += ("astropy.wcs", "gwcs", "matplotlib", "PIL", "requests", "scipy", "tessera.compat")
"""Modules that take a tenth of a second or more, and that only some requests need."""

START = """
import datetime, gc, importlib, json, os, random, secrets, socket, sys, time, uuid

said = []
REACHES = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg")
sys.addaudithook(lambda event, args: said.append(event) if event in REACHES else None)

def watch(module, name):
    real = getattr(module, name)
    def watched(*args, **kwargs):
        caller = sys._getframe(1).f_globals.get("__name__", "")
        if caller.split(".")[0] in ("app", "tessera", "tessera_cloud"):
            said.append(f"{module.__name__}.{name} by {caller}")
        return real(*args, **kwargs)
    setattr(module, name, watched)

for module, names in {
    time: ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter"),
    random: ("random", "uniform", "randint", "choice", "getrandbits"),
    uuid: ("uuid1", "uuid4"),
    os: ("urandom",),
    secrets: ("token_hex", "token_bytes", "token_urlsafe"),
}.items():
    for name in names:
        watch(module, name)

def look(frame, event, called):
    # datetime cannot be changed as the modules above are.
    if event == "c_call" and getattr(called, "__name__", "") in ("now", "utcnow", "today"):
        caller = frame.f_globals.get("__name__", "")
        if isinstance(called.__self__, type) and caller.split(".")[0] in ("app", "tessera", "tessera_cloud"):
            said.append(f"datetime.{called.__name__} by {caller}")

sys.setprofile(look)

import boto3
boto3.client = boto3.resource = lambda *args, **kwargs: said.append(f"a client of {args}")
outcomes = {}
for function in sys.argv[1:]:
    sys.path.insert(0, os.path.join(ROOT, "functions", function))
    sys.modules.pop("app", None)
    app = importlib.import_module("app")
    sys.path.pop(0)
    outcomes[function] = [*said, *(name for name in HEAVY if name in sys.modules)]
    if outcomes[function]:
        break  # what follows would be said to do the same
sockets = [each for each in gc.get_objects() if type(each) is socket.socket]
outcomes["open sockets"] = [str(each) for each in sockets if each.fileno() >= 0]
print(json.dumps(outcomes))
"""
"""Imports handlers one after the other, and tells for each what it read, reached, made and loaded."""


def start(*functions: str, first: str = "") -> dict[str, list[str]]:
    """Run `START` in a new process."""
    path = os.pathsep.join(str(ROOT / folder) for folder in ("layers/engine/src", "shared/src"))
    program = START.replace("outcomes = {}", f"outcomes = {{}}\n{first}")
    done = subprocess.run(
        [sys.executable, "-c", f"HEAVY, ROOT = {HEAVY}, {str(ROOT)!r}\n{program}", *functions],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    told: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_a_start_is_light_and_leaves_nothing_that_must_not_be_shared() -> None:
    """No connection, clock, random number, id or client, and nothing that only some requests need."""
    assert start(*FUNCTIONS) == {name: [] for name in [*FUNCTIONS, "open sockets"]}


def test_what_must_not_be_shared_is_noticed() -> None:
    own = "{'__name__': 'tessera_cloud.x', 'time': time, 'uuid': uuid, 'datetime': datetime}"
    first = f"""
boto3.client("s3")
eval("time.time()", {own})
eval("datetime.datetime.now()", {own})
eval("uuid.uuid4()", {own})
import astropy.time
kept = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
kept.connect(("127.0.0.1", 9))
"""
    told = start("ingest", first=first)

    assert told["ingest"][0] == "a client of ('s3',)"
    expected = {
        "datetime.now by tessera_cloud.x",
        "time.time by tessera_cloud.x",
        "uuid.uuid4 by tessera_cloud.x",
        "socket.connect",
        "astropy.time",
    }
    assert expected <= set(told["ingest"])
    assert len(told["open sockets"]) == 1


def test_a_picture_contains_what_the_first_request_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks = types.ModuleType("snapshot_restore_py")
    before: list[tuple[Any, ...]] = []
    after: list[tuple[Any, ...]] = []
    monkeypatch.setattr(hooks, "register_before_snapshot", lambda *hook: before.append(hook), raising=False)
    monkeypatch.setattr(hooks, "register_after_restore", lambda *hook: after.append(hook), raising=False)
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", hooks)

    preload("json.tool", "wave")

    assert [function(*arguments).__name__ for function, *arguments in before] == ["json.tool", "wave"]
    assert [function.__qualname__ for function, *_ in after] == ["Random.seed"]


def test_without_snapstart_nothing_is_preloaded() -> None:
    preload("no.such.module")


def test_the_modules_to_preload_exist() -> None:
    texts = [path.read_text(encoding="utf-8") for path in ROOT.glob("functions/*/app.py")]
    named = {name for text in texts for call in re.findall(r"preload\(([^)]*)\)", text) for name in call.split(", ")}

    assert named
    assert [name for name in named if find_spec(name.strip('"')) is None] == []
