"""The real handlers of functions/, over a store in memory."""

from __future__ import annotations

import datetime
import importlib.util
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from tessera_cloud.adapters.name_resolver import BundledNames
from tessera_cloud.adapters.star_catalogue import NoStars
from tessera_cloud.application.caches import CubeCache
from tessera_cloud.bootstrap import Services
from tessera_cloud.ports import ObjectStore, StarCatalogue
from tessera_cloud.testing.memory_ephemerides import MemoryEphemerides
from tessera_cloud.testing.memory_state import MemoryAlarms, MemoryExecutions, MemoryLinks, MemoryQueue, MemoryState
from tests.support.builds import SETTINGS, at

ROOT = Path(__file__).parents[2]
NOON = at(0)
NAMES = sorted(path.parent.name for path in ROOT.glob("functions/*/app.py"))


@dataclass
class Context:
    """Context that the runtime passes with an event."""

    function_name: str
    memory_limit_in_mb: int = 2048
    aws_request_id: str = "00000000-0000-0000-0000-000000000000"

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:us-east-1:123456789012:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


def load(name: str) -> ModuleType:
    """Import the module of a function, as the runtime would."""
    spec = importlib.util.spec_from_file_location(f"functions_{name}", ROOT / "functions" / name / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Handlers:
    """All functions of the stack, with one store and one clock. The clock stands still unless a test sets another."""

    def __init__(self, store: ObjectStore, clock: Callable[[], datetime.datetime] = NOON) -> None:
        self.clock = clock
        self.state, self.queue, self.executions = MemoryState(), MemoryQueue(), MemoryExecutions()
        self.links, self.alarms = MemoryLinks(), MemoryAlarms()
        self.ephemerides = MemoryEphemerides()
        self.names = BundledNames()
        self.stars: StarCatalogue = NoStars()
        self.services = Services(
            store,
            SETTINGS,
            CubeCache(),
            clock=self.now,
            open_state=lambda settings: self.state,
            open_queue=lambda settings: self.queue,
            open_executions=lambda: self.executions,
            open_links=lambda settings: self.links,
            open_alarms=lambda: self.alarms,
            open_ephemerides=lambda settings: self.ephemerides,
            open_names=lambda settings: self.names,
            open_stars=lambda settings: self.stars,
            open_public_store=lambda settings: store,
        )
        self._modules: dict[str, ModuleType] = {}

    def now(self) -> datetime.datetime:
        """Current time by the clock."""
        return self.clock()

    def module(self, name: str) -> ModuleType:
        """Module of a function, which is imported at its first call."""
        if name not in self._modules:
            self._modules[name] = load(name)
        return self._modules[name]

    def invoke(self, name: str, event: dict[str, Any]) -> Any:
        """Call a handler. Event and answer pass through JSON."""
        handler = self.module(name).lambda_handler
        answer = handler(json.loads(json.dumps(event)), Context(name), services=lambda: self.services)
        return json.loads(json.dumps(answer))


def sample_event(name: str) -> dict[str, Any]:
    """Sample event of a function, from events/."""
    document: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))
    return document
