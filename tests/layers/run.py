"""Build the layers for both processors, and use each build in the interpreter that Lambda would run it with.

Usage: python -m tests.layers.run

Handlers are imported, a cube is made and cut, and the products must be the same bytes on both processors as here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.layers.runtimes import MissingError, Runtime, find_runtime
from tests.support.frames import tiny_sector

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build/layers"
PROCESSORS = ("aarch64", "x86_64")
MAKEFILES = {"dependencies": "Dependencies", "engine": "Engine", "tables": "Tables", "asdf": "Asdf"}
ROMAN = ROOT / "tests/data/roman_asdf/roman_like_wfi07_l2_window.asdf"
USE = Path(__file__).with_name("use.py")


def deployed_version() -> str:
    """Return the version of Python that the stacks name."""
    found = set(re.findall(r"python(3\.\d+)", (ROOT / "stacks/layers.yaml").read_text(encoding="utf-8")))
    if len(found) != 1:
        sys.exit(f"stacks/layers.yaml names {len(found)} versions of Python: {sorted(found)}")
    return str(found.pop())


def build_layers(processor: str) -> Path:
    """Run the makefiles of the layers as `sam build` does, and return the folder with their modules."""
    folder = BUILD / processor
    shutil.rmtree(folder, ignore_errors=True)
    folders = {f"layers/{name}": layer for name, layer in MAKEFILES.items()} | {"shared": "Shared"}
    for name, layer in folders.items():
        subprocess.run(
            ["make", "-sf", f"{name}/Makefile", f"build-{layer}Layer", f"PYTHON={sys.executable}"],
            cwd=ROOT,
            env=os.environ | {"ARTIFACTS_DIR": str(folder / layer), "PROCESSOR": processor},
            stdout=subprocess.DEVNULL,
            check=True,
        )
    return folder


def use(runtime: Runtime, path: list[Path], frames: Path) -> dict[str, str]:
    """Run `use.py` in an interpreter that sees nothing but some folders."""
    done = subprocess.run(
        [*runtime.command, "-B", str(USE), str(frames), str(ROMAN), str(ROOT / "functions")],
        env={"PATH": os.defpath, "LANG": "C.UTF-8", "AWS_DEFAULT_REGION": "us-east-1"}
        | runtime.environment
        | {"PYTHONPATH": os.pathsep.join(map(str, path))},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(runtime.command)} cannot use the layers; the reason is above")
    said: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return said


def main() -> None:
    """Compare what each processor makes with what this machine makes of the sources."""
    version = deployed_version()
    with tempfile.TemporaryDirectory() as folder:
        frames = Path(folder)
        for name, data in tiny_sector(6):
            (frames / name).write_bytes(data)
        here = use(Runtime((sys.executable,), {}), [ROOT / "layers/engine/src", ROOT / "shared/src"], frames)
        failed = False
        for processor in PROCESSORS:
            started = time.monotonic()
            layers = build_layers(processor)
            try:
                runtime = find_runtime(processor, version, BUILD)
            except MissingError as error:
                print(f"{processor}: built, not run: {error}")
                continue
            there = use(runtime, sorted(layers.glob("*/python")), frames)
            wanted = here | {"machine": processor, "python": version}
            wrong = [name for name in wanted if there.get(name) != wanted[name]]
            failed |= bool(wrong)
            outcome = f"differs from here in {', '.join(wrong)}" if wrong else "the same products as here"
            seconds = time.monotonic() - started
            print(f"{processor}: Python {version}, {there['handlers']} handlers imported, {outcome}, {seconds:.0f} s")
    sys.exit(failed)


if __name__ == "__main__":
    main()
