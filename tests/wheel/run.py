"""Use the built wheel as its users do: in empty environments of each Python that is here, without extras and with all.

Usage: python run.py WHEEL [VERSION ...]

The programs of our pages are run with the installed wheel; no source of ours is on its path. Packages are installed by
the hashes of requirements/engine.txt and engine-all.txt.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SUPPORTED = ["3.11", "3.12", "3.13", "3.14"]
LOCKS = {"none": "engine.txt", "all": "engine-all.txt"}
"""Extras to the lock of what they bring."""
REFUSED = {
    "tessera image cut image.asdf -t '270 66'": "ASDF files need the package asdf; pip install 'tessera-cubes[asdf]'",
    "tessera cube info s3://bucket/cube.fits": "pip install 'tessera-cubes[remote]'",
}
"""Commands that need an extra, to what their one line of error says."""


def find_python(version: str) -> str | None:
    """The interpreter of a version on the path or among pyenv's, if there is one."""
    folder = ask("pyenv", "prefix", version)
    for candidate in (f"python{version}", f"{folder}/bin/python"):
        found = ask(candidate, "-c", "import sys, venv; print(sys.executable)")
        if found is not None:
            return found
    return None


def ask(*command: str) -> str | None:
    """What a program prints, or None if it fails or is not there."""
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


class Environment:
    """An environment that holds the wheel.

    Parameters
    ----------
    python : str
        Interpreter that it is made with.
    wheel : Path
        The wheel to install.
    extras : str
        A key of LOCKS.
    folder : Path
        Where to make it.
    """

    def __init__(self, python: str, wheel: Path, extras: str, folder: Path) -> None:
        self.folder = folder
        uv = str(ROOT / "tools/uv")
        into = ["--quiet", "--python", str(folder / "bin/python")]
        lock = str(ROOT / "requirements" / LOCKS[extras])
        subprocess.run([uv, "venv", "--quiet", "--no-project", "--python", python, str(folder)], check=True)
        subprocess.run([uv, "pip", "install", *into, "--require-hashes", "--requirement", lock], check=True)
        subprocess.run([uv, "pip", "install", *into, "--no-deps", str(wheel)], check=True)
        subprocess.run([uv, "pip", "check", *into], check=True)

    def run(self, command: list[str], folder: Path, *, fails: bool = False) -> str:
        """Run a program of the environment; what it printed."""
        environment = readers_environment(self.folder) | {"MPLBACKEND": "agg"}
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if (done.returncode != 0) != fails:
            sys.exit(f"{' '.join(command)}\nends with status {done.returncode}:\n{done.stdout}")
        return done.stdout

    def shell(self, code: str, folder: Path, *, fails: bool = False) -> str:
        """Run commands of a shell; what they printed."""
        return self.run(["bash", "-euo", "pipefail", "-c", code], folder, fails=fails)


def use(environment: Environment, version: str, extras: str) -> str:
    """Import, run and refuse what the extras allow; what was seen, in words."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        printed = environment.shell("tessera --version", folder).strip()
        assert printed == version, f"tessera --version prints {printed}; the wheel has {version}"
        script = ["python", "-I", str(HERE / "import_all.py"), str(environment.folder), extras]
        imported = environment.run(script, folder).splitlines()[-1]
        for command, told in REFUSED.items() if extras == "none" else ():
            refusal = environment.shell(command, folder, fails=True)
            assert told in refusal, f"{command}: {refusal}"
            assert len(refusal.splitlines()) == 1, f"{command}: {refusal}"
    blocks = sum(run_page(environment, blocks) for blocks in pages_of(extras).values())
    return f"{imported}; {blocks} blocks of pages ran"


def pages_of(extras: str) -> dict[str, list[Block]]:
    """By page the blocks that are run: of the engine's readme without extras, of every page with all of them."""
    pages = {
        page: [block for block in blocks if "tessera_cloud" not in block.code]
        for page, blocks in blocks_to_run(service=False).items()
    }
    return pages if extras == "all" else {"layers/engine/README.md": pages["layers/engine/README.md"]}


def run_page(environment: Environment, blocks: list[Block]) -> int:
    """Run the Python of a page in one namespace, and its commands in one shell; how many blocks these are."""
    python = NAMES + "".join(block.code for block in blocks if block.language == "python")
    shell = "".join(block.code for block in blocks if block.language == "sh")
    for command in (["python", "-c", python], ["bash", "-euo", "pipefail", "-c", shell]):
        with tempfile.TemporaryDirectory() as name:
            put_files(Path(name))
            environment.run(command, Path(name))
    return len(blocks)


def try_wheel(wheel: Path, version: str, python: str, extras: str) -> str:
    """Make an environment and use the wheel there; a line that says what was seen."""
    start = time.monotonic()
    folder = ROOT / "build/wheel" / f"{version}-{extras}"
    shutil.rmtree(folder, ignore_errors=True)
    seen = use(Environment(python, wheel, extras, folder), wheel.name.split("-")[1], extras)
    return f"Python {version}, extras: {extras}: {seen}; {time.monotonic() - start:.0f} s"


def ask_the_service(installed: Path) -> None:
    """Run the programs of the pages that ask a service, in an environment with the wheel."""
    file = "tests/docs/test_pages_on_the_stack.py"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", file, "--installed", str(installed)]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        sys.exit("The programs that ask a service fail with the wheel")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("versions", nargs="*", default=SUPPORTED)
    parser.add_argument("--jobs", type=int, default=2, help="environments that are tried side by side")
    parser.add_argument("--service", action="store_true", help="run the programs that ask a service, too")
    options = parser.parse_args()
    found = {version: find_python(version) for version in options.versions}
    with ThreadPoolExecutor(options.jobs) as pool:
        tried = [
            pool.submit(try_wheel, options.wheel, version, python, extras)
            for extras in LOCKS
            for version, python in found.items()
            if python is not None
        ]
        for each in tried:
            print(each.result(), flush=True)
    for version in [version for version, python in found.items() if python is None]:
        print(f"Python {version}: not tried, because it is not installed here")
    if not tried:
        sys.exit("None of these Pythons is installed here")
    if options.service:
        ask_the_service(ROOT / "build/wheel" / f"{[version for version in found if found[version]][-1]}-all")


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / folder) for folder in (".", "layers/engine/src", "shared/src", "local/src")]
    from tests.docs.pages import Block, blocks_to_run
    from tests.docs.world import NAMES, put_files, readers_environment

    main()
