"""Quick bench: whether a path has become slower, in three minutes, on any machine with Linux.

    python tests/bench/quick.py [--loaded] [--write] [--slow 0.35 [--only "make_cube"]]

It measures ratios, not seconds: ours against astrocut, or against what the machine allows (a copy of the bytes, ISA-L,
a bare client on the same link), in the same run, in turn, on one processor. A ratio is that of the shortest times.
Rows whose ratio is a quarter below that of quick.json, or whose times vary, get up to two more rounds, while there is
time. The bench fails if a row is below with the times of all rounds, or the mean of the rows is 18 % below, or requests
or bytes are more. Disks, links and processors are not alike, so a row that compares with them may be 40 % below. A row
whose two shortest times still differ by a tenth is told, and not judged: the machine is too busy for it.
Frames and cubes are small, so the ratios are not those of docs/performance.md.

--loaded is for a machine that is not calm, such as that of continuous integration: it compares with the smallest ratios
of several runs under load, and does all of it again before it fails. --write keeps the ratios of this run as those to
compare with; with --loaded, those that are smaller than the ones that are kept. --slow adds a share to our times: a
proof that the bench notices.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / place) for place in (".", "layers/engine/src", "shared/src", "local/src")]

from tests.bench.cutouts.programs import running  # noqa: E402
from tests.bench.support import quick_work  # noqa: E402
from tests.bench.support.s3_link import LATENCY, counted, serving  # noqa: E402

COMMITTED = ROOT / "tests/bench/quick.json"
ROUNDS, REPEATS, FEWER = 3, 6, 3
"""Rounds, and repeats in each; fewer of what needs a new process each time."""
LEAST, LEAST_OF_LIMIT, LEAST_MEAN, SETTLED = 0.75, 0.6, 0.82, 1.1
FEWEST = 0.5
"""Share of the rows that a mean needs."""
LONGEST, TRIES = 110, 2
"""Seconds after which no other round begins, and how often a busy machine may try."""
MORE = {"cutout 10x10 cold, bytes": 1.2}
"""How much a count may grow. Bytes that are on their way when a client stops to read are counted, too."""
NEEDED = ("astrocut", "asdf", "gwcs", "isal", "obstore", "aiohttp")
WORK = ROOT / "tests/bench/support/quick_work.py"
COLD, MEMORY = "cutout 10x10", "cutout 20x20, long"
OURS_IMPORT = "import tessera; tessera.make_cutouts, tessera.CubeFactory"
THEIR_IMPORT = "import numpy, astropy.io.fits, astropy.wcs, astropy.coordinates"
Samples = dict[tuple[str, str], list[float]]
Kept = dict[str, dict[str, float]]
"""Ratios of a calm machine, the smallest ones of busy ones (`loaded`), and counts."""


@dataclass(frozen=True)
class Row:
    """A ratio: how the reference does, in times of ours. More is better."""

    name: str
    work: str
    reference: str


ROWS = (
    Row("make_cube, astrocut", "make_cube", "peer"),
    Row("make_cube, copy", "make_cube", "limit"),
    Row("update_cube, astrocut", "update_cube", "peer"),
    Row("update_cube, copy", "update_cube", "limit"),
    Row("cutout 10x10 warm, astrocut", "cutout 10x10", "peer"),
    Row("cutout 10x10 warm, link", "cutout 10x10", "limit"),
    Row("cutout 30x30 warm, astrocut", "cutout 30x30", "peer"),
    Row("cutout 30x30 warm, link", "cutout 30x30", "limit"),
    Row("cutout 10x10 cold, astrocut", "cold", "peer"),
    Row("cutout 20x20 x 11,775 memory, file", "memory", "limit"),
    Row("moving target, astrocut", "moving", "peer"),
    Row("ASDF to FITS, astrocut", "asdf", "peer"),
    Row("archive, ISA-L alone", "archive", "limit"),
    Row("import, numpy and astropy", "import", "limit"),
)


class Bench:
    """The processes, and what they answered so far."""

    def __init__(self, folder: Path, url: str, stack: ExitStack) -> None:
        self.folder, self.url = folder, url
        self.environment = {
            "AWS_ENDPOINT_URL": url,
            "AWS_ALLOW_HTTP": "true",
            **dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION"), "us-east-1"),
            **dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "bench"),
            "HOME": str(folder),
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
        }
        self.samples: Samples = defaultdict(list)
        self.number = 0
        self.sides = {
            side: stack.enter_context(running([sys.executable, str(WORK), side, str(folder)], self.environment))
            for side in quick_work.SIDES
        }

    def once(self, side: str, case: str) -> dict[str, float]:
        """A case in a process of its own."""
        command = [sys.executable, str(WORK), side, str(self.folder), case]
        return dict(json.loads(self._output(command)))

    def importing(self, program: str) -> float:
        """Seconds of an import in a process of its own."""
        program = f"import time; s = time.perf_counter(); {program}; print(time.perf_counter() - s)"
        return float(self._output([sys.executable, "-c", program]))

    def _output(self, command: list[str]) -> str:
        path = os.pathsep.join(str(ROOT / place) for place in (".", "layers/engine/src"))
        environment = os.environ | self.environment | {"PYTHONPATH": path}
        done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout.splitlines()[-1]

    def sample(self, work: str, sides: list[str]) -> None:
        """Do a piece of work some times on all sides, in turn."""
        for _ in range(FEWER if work in ("cold", "memory") else REPEATS):
            self.number += 1
            for side in sides:
                self.samples[work, side].append(self._one(work, side))

    def _one(self, work: str, side: str) -> float:
        if work == "import":
            return self.importing(OURS_IMPORT if side == "ours" else THEIR_IMPORT)
        if work == "memory":
            return self.once("ours", MEMORY)["bytes"] if side == "ours" else quick_work.LONG_FILE
        if work == "cold":
            return self.once(side, COLD)["seconds"]
        return self.sides[side]((work, self.number))["seconds"]  # type: ignore[arg-type] # what a case is called with

    def counts(self) -> dict[str, int]:
        """Requests and bytes of a cutout in a new process, and of the next one in a process that knows the cube."""

        def spent(name: str, work: Callable[[], object]) -> dict[str, int]:
            before = counted(self.url)
            work()
            after = counted(self.url)
            used = {key: after.get(key, 0) - before.get(key, 0) for key in ("gets", "heads", "bytes down")}
            return {f"{name}, requests": used["gets"] + used["heads"], f"{name}, bytes": used["bytes down"]}

        cold = spent(f"{COLD} cold", lambda: self.once("ours", COLD))
        self._one(COLD, "ours")
        self.number += 1
        return cold | spent(f"{COLD} warm", lambda: self._one(COLD, "ours"))


def ratio(samples: Samples, row: Row, slow: float) -> float:
    """Of the shortest times of all rounds so far."""
    return min(samples[row.work, row.reference]) / (min(samples[row.work, "ours"]) * (1 + slow))


def settled(samples: Samples, row: Row) -> bool:
    """Whether the two shortest times of both sides agree, so that neither is one of a busy machine."""
    ours, theirs = (sorted(samples[row.work, side])[:2] for side in ("ours", row.reference))
    return max(ours[1] / ours[0], theirs[1] / theirs[0]) < SETTLED


def unsettled(samples: Samples) -> frozenset[str]:
    """Rows whose times vary."""
    return frozenset(row.name for row in ROWS if not settled(samples, row))


def least(name: str) -> float:
    """Smallest share of its committed ratio that a row may have."""
    apart = any(row.name == name and row.reference == "limit" and row.work != "memory" for row in ROWS)
    return LEAST_OF_LIMIT if apart else LEAST


def mean_change(ratios: dict[str, float], committed: dict[str, float], left_out: frozenset[str] = frozenset()) -> float:
    """Geometric mean of the ratios to those that are committed; 1 if too few rows are left."""
    names = committed.keys() - left_out
    if len(names) < FEWEST * len(committed):
        return 1.0
    return math.exp(sum(math.log(ratios[name] / committed[name]) for name in names) / len(names))


def measure(bench: Bench, committed: dict[str, float] | None, slow: Callable[[str], float]) -> dict[str, float]:
    """Ratios by row. Without ratios to compare with, all rounds are done."""
    wanted, started = list(ROWS), time.monotonic()
    for number in range(ROUNDS):
        for work in dict.fromkeys(row.work for row in wanted):
            bench.sample(work, ["ours", *dict.fromkeys(row.reference for row in ROWS if row.work == work)])
        ratios = {row.name: ratio(bench.samples, row, slow(row.work)) for row in ROWS}
        if committed is None:
            continue
        low = [row for row in ROWS if ratios[row.name] < least(row.name) * committed[row.name]]
        wanted = [row for row in ROWS if row in low or not settled(bench.samples, row)]
        if mean_change(ratios, committed, unsettled(bench.samples)) < LEAST_MEAN:
            wanted = list(ROWS)
        if not wanted or time.monotonic() - started > LONGEST:
            break
        names = [f"{row.name} {'fell' if row in low else 'varies'}" for row in wanted]
        print(f"round {number + 1}: {'; '.join(names)}", flush=True)
    return ratios


def report(
    ratios: dict[str, float],
    counts: dict[str, int],
    kept: Kept,
    varying: frozenset[str] = frozenset(),
) -> bool:
    """Print all rows; whether none fell. A row whose times still vary is not judged."""
    good = True
    for name, value in ratios.items():
        before = kept["ratios"][name]
        low = value < least(name) * before
        good &= not low or name in varying
        verdict = "  varies too much to judge" if name in varying else "  FELL" if low else ""
        print(f"  {name:36} {value:7.2f}  was {before:7.2f}  {value / before - 1:+5.0%}{verdict}")
    mean = mean_change(ratios, kept["ratios"], varying)
    print(
        f"  {'mean of the others' if varying else 'mean':36} {mean - 1:+24.0%}{'  FELL' if mean < LEAST_MEAN else ''}"
    )
    for name, count in counts.items():
        before = kept["counts"][name]
        grew = count > before * MORE.get(name, 1)
        good &= not grew
        print(f"  {name:36} {count:9,}  was {before:9,}{'  GREW' if grew else ''}")
    return good and mean >= LEAST_MEAN


@contextmanager
def ready() -> Iterator[Bench]:
    """The data in memory if there is room, the endpoint on the other processors, and all programs on one."""
    processors = sorted(os.sched_getaffinity(0))
    memory = Path("/dev/shm")
    roomy = os.access(memory, os.W_OK) and os.statvfs(memory).f_bavail * os.statvfs(memory).f_frsize > 2e9
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, -15)  # before other programs of this machine, where that is allowed
    with ExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix="tessera-bench-", dir=memory if roomy else None)
        folder = Path(stack.enter_context(temporary))
        objects = quick_work.make_data(folder)
        os.sched_setaffinity(0, processors[1:] or processors)
        url = stack.enter_context(serving(folder, objects, 1e12, LATENCY))
        os.sched_setaffinity(0, processors[:1])
        yield Bench(folder, url, stack)


def kept_with(ratios: dict[str, float], counts: dict[str, int], kept: Kept, *, loaded: bool) -> Kept:
    """What is committed when a run is kept, too."""
    if not loaded:
        return kept | {"ratios": ratios, "counts": dict[str, float](counts)}
    before = kept.get("loaded", {})
    return kept | {"loaded": {name: min(value, before.get(name, value)) for name, value in ratios.items()}}


def run(options: argparse.Namespace, kept: Kept) -> bool:
    """Measure, and report; whether no ratio fell. A run that is written is compared with itself."""
    which = "loaded" if options.loaded else "ratios"
    with ready() as bench:
        slow = lambda work: options.slow if options.only in (None, work) else 0.0  # noqa: E731
        ratios = measure(bench, None if options.write else kept[which], slow)
        counts = bench.counts()
        varying = unsettled(bench.samples)
    if options.write:
        rounded = {name: round(value, 3) for name, value in ratios.items()}
        kept = kept_with(rounded, counts, kept, loaded=options.loaded)
        COMMITTED.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    return report(ratios, counts, {"ratios": kept[which], "counts": kept["counts"]}, varying)


def tried(options: argparse.Namespace, kept: Kept, *, last: bool) -> bool:
    """Run; if a program fails before the last try, say so."""
    try:
        return run(options, kept)
    except (RuntimeError, subprocess.CalledProcessError) as error:
        if last:
            raise
        print(f"failed: {error}", flush=True)
        return False


def main() -> None:
    """Compare with the committed ratios, or write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--loaded", action="store_true", help="compare with the smallest ratios of runs under load")
    parser.add_argument("--write", action="store_true", help="keep the ratios of this run in quick.json")
    parser.add_argument("--slow", type=float, default=0.0, help="share that is added to our times")
    parser.add_argument("--only", help="work that is slowed; by default all of it")
    options = parser.parse_args()
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        sys.exit(f"{', '.join(missing)} cannot be imported; make bench-quick runs this in .venv, which has them.")
    warnings.simplefilter("ignore")  # asdf has no schemas of Roman's
    started = time.monotonic()
    kept, good = json.loads(COMMITTED.read_text(encoding="utf-8")), False
    for again in range(TRIES if options.loaded else 1):
        if again:
            print("once more, because a busy machine may have done it", flush=True)
        if good := tried(options, kept, last=not options.loaded or again + 1 == TRIES):
            break
    print(f"{'no ratio fell' if good else 'FAILED'}: {time.monotonic() - started:.0f} s")
    sys.exit(not good)


if __name__ == "__main__":
    main()
