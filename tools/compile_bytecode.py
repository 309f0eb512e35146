"""Put bytecode beside every module of a layer. A cold start then compiles nothing, and is about 3 times as fast.

Lambda mounts layers read-only, so the bytecode has to be made here, by the minor version of Python that the runtime
has: with python3.14 if there is one, else with CPython 3.14 in WebAssembly, run by node (`npm ci` in this folder).

With --drop-sources the bytecode takes the place of the sources (PEP 3147), which saves an eighth of a layer. Tracebacks
then show the file and the line of a package, but not its text.

Usage: python compile_bytecode.py [--drop-sources] DIRECTORY
"""

import shutil
import subprocess
import sys
from pathlib import Path

RUNTIME = "3.14"
MAGIC = (3627).to_bytes(2, "little") + b"\r\n"  # first bytes of a .pyc of Python 3.14
UNCHECKED_HASH = (1).to_bytes(4, "little")  # Python loads such bytecode without a look at the source or its time
WHERE_LAYERS_ARE = "/opt/python"  # folder of the modules in tracebacks
HERE = Path(__file__).parent


def main(root: Path, drop_sources: bool) -> None:
    """Compile all modules below root, and check that none is missing."""
    if (python := find_python()) is not None:
        mode = ["--invalidation-mode", "unchecked-hash", "-s", str(root), "-p", WHERE_LAYERS_ARE]
        subprocess.run([python, "-m", "compileall", "-q", *mode, str(root)], check=True)
    elif shutil.which("node") is not None and (HERE / "node_modules" / "pyodide").is_dir():
        subprocess.run(["node", HERE / "compile_bytecode.mjs", str(root), WHERE_LAYERS_ARE], check=True)
    else:
        sys.exit(f"bytecode needs python{RUNTIME}, or node and `npm ci` in tools; `make build` installs them")
    check_bytecode(root)
    if drop_sources:
        replace_sources(root)


def bytecode_of(source: Path) -> Path:
    """Return where the runtime looks for the bytecode of a module."""
    return source.parent / "__pycache__" / f"{source.stem}.cpython-{RUNTIME.replace('.', '')}.pyc"


def replace_sources(root: Path) -> None:
    """Put the bytecode of each module in the place of its source."""
    for source in list(root.rglob("*.py")):
        bytecode_of(source).replace(source.with_suffix(".pyc"))
        source.unlink()
    for folder in list(root.rglob("__pycache__")):
        shutil.rmtree(folder)


def find_python() -> str | None:
    """Return a command that runs CPython of the runtime's version; None if there is none."""
    version = "import sys; print(sys.implementation.name, *sys.version_info[:2])"
    for command in (sys.executable, f"python{RUNTIME}"):
        try:
            answer = subprocess.run([command, "-c", version], check=True, capture_output=True, text=True).stdout
        except (OSError, subprocess.CalledProcessError):
            continue
        if answer.split() == ["cpython", *RUNTIME.split(".")]:
            return command
    return None


def check_bytecode(root: Path) -> None:
    """Stop the build if a module has no bytecode, or has bytecode that the runtime would not load without checks."""
    sources = list(root.rglob("*.py"))
    for source in sources:
        bytecode = bytecode_of(source)
        if not bytecode.is_file() or bytecode.read_bytes()[:8] != MAGIC + UNCHECKED_HASH:
            sys.exit(f"no bytecode for {source}")
    print(f"bytecode: {len(sources)} modules of {root}")


if __name__ == "__main__":
    main(Path(sys.argv[-1]).resolve(), "--drop-sources" in sys.argv[1:-1])
