"""Change the pure modules in small ways, and tell which changes no test notices; see `make mutants`.

mutmut makes the changes ("mutants") and runs the tests. Its settings are in pyproject.toml: the modules, and the tests
that are to notice. tests/mutants.toml lists mutants that may survive, with the reason. mutmut needs all packages in one
folder `src`, so it works in build/mutants, which has links to ours.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import walk_mutatable_files
from mutmut.utils.format_utils import orig_function_and_class_names_from_key

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "mutants"
LINKS = {
    "src/tessera": "layers/engine/src/tessera",
    "src/tessera_cloud": "shared/src/tessera_cloud",
    "src/tessera_local": "local/src/tessera_local",
    "tests": "tests",
    "pyproject.toml": "pyproject.toml",
}
# mutmut signals a mutant after some time even if it has ended, when another process may have its number. Its limit on
# processor time is enough: it ends endless loops, and the pure modules wait for nothing.
MUTMUT = """
import mutmut.workers.isolation as isolation
from mutmut.__main__ import cli
isolation.register_timeout = lambda pid, timeout_s: None
cli()
"""
NOTICED = {"killed", "timeout", "caught by type check"}


def prepare() -> None:
    """Make the folder in which mutmut works, without what an earlier run left there."""
    shutil.rmtree(WORK, ignore_errors=True)
    for name, target in LINKS.items():
        link = WORK / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(ROOT / target)


def pattern_of(module: str) -> str:
    """Names of the mutants of a module, given as a path: ``layers/engine/src/tessera/windows.py``."""
    return ".".join(Path(module.partition("src/")[2]).with_suffix("").parts) + ".*"


def check_listed(modules: list[str]) -> None:
    """Refuse a module that pyproject.toml does not list: mutmut would change nothing.

    Raises
    ------
    SystemExit
        When there is such a module.
    """
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutmut"]
    listed = {pattern_of(name) for name in settings["only_mutate"]}
    for module in modules:
        if pattern_of(module) not in listed:
            allowed = "a path below a folder src that only_mutate of [tool.mutmut] in pyproject.toml lists"
            raise SystemExit(f"The module cannot be {module!r}; allowed: {allowed}")


def run(modules: list[str], processes: int) -> None:
    """Run mutmut. What it prints goes to a file, unless somebody watches: it draws its progress ten times a second.

    Raises
    ------
    SystemExit
        When the tests fail without any mutant, or mutmut does.
    """
    command = [sys.executable, "-c", MUTMUT, "run", "--max-children", str(processes)]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}  # noqa: TID251 - it starts a program
    with (WORK / "mutmut.log").open("w") as log:
        output = None if sys.stdout.isatty() else log
        ended = subprocess.run(
            [*command, *map(pattern_of, modules)], cwd=WORK, env=environment, stdout=output, check=False
        )
    if ended.returncode:
        raise SystemExit(f"mutmut ended with {ended.returncode}; see {log.name}")


def results() -> Iterator[tuple[str, str, str]]:
    """Name, function and status of each mutant that was tested."""
    for path in walk_mutatable_files():
        data = SourceFileMutationData(path=path)
        data.load()
        for name, exit_code in data.exit_code_by_key.items():
            status = status_by_exit_code[exit_code]
            if status != "not checked":
                function, owner = orig_function_and_class_names_from_key(name)
                module = name.partition(".x_")[0].partition(".xǁ")[0]
                yield name, ".".join(filter(None, (module, owner, function))), status


def changed_line(name: str) -> str:
    """The lines of a mutant that are not in the original, without indentation."""
    diff = get_diff_for_mutant(name).splitlines()[2:]
    return " ".join(line[1:].strip() for line in diff if line.startswith("+"))


def read_list() -> Callable[[str, str], str | None]:
    """The mutants that may survive: a function that gives the reason for one, or None."""
    document = tomllib.loads((ROOT / "tests" / "mutants.toml").read_text(encoding="utf-8"))
    everywhere = [(re.compile(item["pattern"]), item["reason"]) for item in document["everywhere"]]
    listed = {(item["function"], line): item["reason"] for item in document["survivor"] for line in item["lines"]}

    def reason(function: str, line: str) -> str | None:
        found = (why for pattern, why in everywhere if pattern.search(line))
        return listed.get((function, line)) or next(found, None)

    return reason


def main() -> int:
    """Run the mutants of all modules or of those that are named, and list the survivors."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("modules", nargs="*", help="such as layers/engine/src/tessera/windows.py")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--no-run", action="store_true", help="list the survivors of the last run")
    options = parser.parse_args()
    check_listed(options.modules)
    if not options.no_run:
        prepare()
        run(options.modules, options.processes)
    os.chdir(WORK)
    reason, tested = read_list(), list(results())
    survivors = [(function, changed_line(name)) for name, function, status in tested if status not in NOTICED]
    unlisted = [(function, line) for function, line in survivors if reason(function, line) is None]
    for function, line in unlisted:
        print(f"{function}\n    {line}")
    counts = Counter(status for _, _, status in tested)
    print(f"{len(tested)} mutants:", ", ".join(f"{number} {status}" for status, number in counts.most_common()))
    print(f"{len(unlisted)} of {len(survivors)} survivors are not in tests/mutants.toml")
    return 1 if unlisted else 0


if __name__ == "__main__":
    sys.exit(main())
