"""Put the runtime's bytecode beside every module of a layer: a cold start then compiles nothing (about 3x faster).

Layers are read-only on Lambda, so the bytecode is made here, by the same minor Python as the runtime's: python3.13 if
there is one, else CPython 3.13 compiled to WebAssembly, run by node (`npm ci` in this folder).

Usage: python compile_bytecode.py DIRECTORY
"""

import shutil
import subprocess
import sys
from pathlib import Path

RUNTIME = "3.13"
MAGIC = (3571).to_bytes(2, "little") + b"\r\n"  # first bytes of a .pyc of Python 3.13
UNCHECKED_HASH = (1).to_bytes(4, "little")  # neither times nor sources are looked at when it is loaded
WHERE_LAYERS_ARE = "/opt/python"  # for tracebacks
HERE = Path(__file__).parent


def main(root: Path) -> None:
    """Compile all modules below root, and check that none is missing."""
    if (python := find_python()) is not None:
        mode = ["--invalidation-mode", "unchecked-hash", "-s", str(root), "-p", WHERE_LAYERS_ARE]
        subprocess.run([python, "-m", "compileall", "-q", *mode, str(root)], check=True)
    elif shutil.which("node") is not None and (HERE / "node_modules" / "pyodide").is_dir():
        subprocess.run(["node", HERE / "compile_bytecode.mjs", str(root), WHERE_LAYERS_ARE], check=True)
    else:
        sys.exit(f"bytecode needs python{RUNTIME}, or node and `npm ci` in tools; `make build` sees to it")
    check_bytecode(root)


def find_python() -> str | None:
    """Return the CPython of the runtime's version, if there is one here that runs."""
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
    """Stop the build unless each module has bytecode that the runtime loads as it is."""
    sources = list(root.rglob("*.py"))
    for source in sources:
        bytecode = source.parent / "__pycache__" / f"{source.stem}.cpython-{RUNTIME.replace('.', '')}.pyc"
        if not bytecode.is_file() or bytecode.read_bytes()[:8] != MAGIC + UNCHECKED_HASH:
            sys.exit(f"no bytecode for {source}")
    print(f"bytecode: {len(sources)} modules of {root}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
