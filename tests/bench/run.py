"""Run benches one after the other, and write their results: what `make bench` does.

    python tests/bench/run.py [--only cubes cutouts/images] [--out build/bench] [--machine TEXT] [--date 2026-11-27]

All of it takes about 45 minutes on two cores. Each bench is a program that can be run alone. Results are in
results.json and, as a table, in results.md; rows of benches that are not run stay if they are of the same version and
machine. A bench that does not end is stopped. Ends with an error if a bench did.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / place) for place in (".", "layers/engine/src")]

from tests.bench.support.results import Results, as_page, read_results, read_rows, write_results  # noqa: E402

BENCHES = (
    "goals",
    "cubes/cube",
    "cubes/block",
    "cubes/arrays",
    "cutouts/cutout",
    "cutouts/images",
    "cutouts/moving",
    "cutouts/memory",
    "service/start",
    "service/request",
    "service/archives",
    "service/service",
    "service/preview",
    "service/coverage",
    "bulk/plan",
    "bulk/price",
    "bulk/rates",
    "bulk/proof",
)
"""In the order in which they are run: what users wait for first, long proofs last."""
LONGEST, GRACE = 1800, 30
"""Seconds after which a bench is stopped, and that it has to remove its files then."""


def chosen(only: list[str]) -> list[str]:
    """Benches of some names, which are those of benches or of their folders."""
    unknown = [name for name in only if not any(name in (bench, bench.split("/")[0]) for bench in BENCHES)]
    if unknown:
        sys.exit(f"ONLY is {unknown[0]!r}; allowed: {', '.join(BENCHES)}, or the folder of several.")
    return [bench for bench in BENCHES if not only or bench in only or bench.split("/")[0] in only]


def this_machine() -> str:
    """Processor, cores, memory and versions, without a name."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    kind = models[0] if models and models[0] != "unknown" else platform.machine()
    return f"{kind}, {os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}, Python {platform.python_version()}"


def environment_of(rows: Path) -> dict[str, str]:
    """Where a bench puts its rows, and bytecode, without which an import is that of a program that was never run."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"TESSERA_BENCH_ROWS": str(rows), "PYTHONPYCACHEPREFIX": str(rows.with_name("bytecode"))}


def run(bench: str, rows: Path, longest: float = LONGEST) -> bool:
    """Run a bench; whether it ended well."""
    print(f"== {bench}", flush=True)
    started = time.monotonic()
    command = [sys.executable, str(ROOT / f"tests/bench/{bench}.py")]
    process = subprocess.Popen(command, env=environment_of(rows), start_new_session=True)
    try:
        return not process.wait(longest)
    except subprocess.TimeoutExpired:
        print(f"{bench} was stopped, because it takes longer than {longest:.0f} s", flush=True)
        return False
    finally:  # also when this program is interrupted
        end(process)
        print(f"== {bench}: {time.monotonic() - started:.0f} s", flush=True)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a bench, which may remove its files, and whatever it has left."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def measure(benches: list[str], results: Results, path: Path) -> list[str]:
    """Run benches, and write their results after each; what was wrong with them."""
    rows, missed, failed = path.with_name("rows.jsonl"), [], []
    for bench in benches:
        rows.write_text("", encoding="utf-8")
        well = False
        try:
            well = run(bench, rows)
        finally:  # also when the bench is interrupted
            made = read_rows(rows)
            results = results.with_rows(made)
            write_results(results, path)
            path.with_suffix(".md").write_text(as_page(results), encoding="utf-8")
        if any(row.ok is False for row in made):
            missed.append(bench)
        elif not well:
            failed.append(bench)
    rows.unlink()
    print(f"{path.with_suffix('.md')}: {len(results.rows)} rows")
    ends = {"missed a goal": missed, "failed": failed}
    return [f"{what}: {', '.join(names)}" for what, names in ends.items() if names]


def main() -> None:
    """Run what is asked for."""
    from tessera import __version__

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--out", type=Path, default=ROOT / "build/bench")
    parser.add_argument("--machine", default=this_machine())
    parser.add_argument("--date", default=datetime.datetime.now(datetime.UTC).date().isoformat())
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # of benches, too; a shell may have told us to ignore it
    benches = chosen(options.only)
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out.absolute() / "results.json"
    results = Results(__version__, options.machine, options.date, ())
    if path.exists() and (found := read_results(path)).version == __version__ and found.machine == options.machine:
        results = Results(__version__, options.machine, options.date, found.rows)
    try:
        wrong = measure(benches, results, path)
    except KeyboardInterrupt:
        sys.exit(f"interrupted; {path} has the results so far")
    if wrong:
        sys.exit("; ".join(wrong))


if __name__ == "__main__":
    main()
