"""Builds the documentation site: ``make docs``.

The pages of docs/ and the reference, which is made from the sources, become a site in build/docs. The notebooks
are run. Some of them ask a service, so a one-machine stack runs meanwhile on a free port.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SOURCES = ("layers/engine/src", "shared/src", "local/src")
sys.path[:0] = [str(ROOT), *(str(ROOT / source) for source in SOURCES)]

from tessera.cli.main import build_parser  # noqa: E402 - the path is set above
from tools.site import check, command_reference, http_reference, python_reference, staging  # noqa: E402 - see above

READY = "Tessera is ready"
LOCAL = (str(ROOT / ".venv/bin/python"), "-m", "tessera_local")


def main() -> int:
    """Build the site, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "build/docs", help="folder of the site")
    parser.add_argument("--text-only", action="store_true", help="do not run the notebooks")
    parser.add_argument(
        "--wheel", type=Path, help="run the notebooks with the package of this wheel, not with the sources"
    )
    options = parser.parse_args()
    shutil.rmtree(options.output, ignore_errors=True)  # pages that no longer exist
    work = options.output.with_name(f"{options.output.name}-work")
    source = work / "source"
    staging.stage(source)
    write_reference(source / "reference")
    with nullcontext(None) if options.text_only else service(work) as url:
        if url:
            write_frames(work / "frames")
        code = run_sphinx(source, options.output, work, library(options.wheel, work), url)
    found = [] if code else list(check.problems(options.output))
    print("\n".join(found), end="\n" if found else "")
    return code or bool(found)


def write_reference(folder: Path) -> None:
    """Write the pages that are made from the sources."""
    python_reference.write_pages(folder / "python")
    command_reference.write_pages(build_parser(), folder / "command_line")
    document = ROOT / "shared/src/tessera_cloud/http/documents/openapi.json"
    http_reference.write_pages(json.loads(document.read_text(encoding="utf-8")), folder / "operations")
    parts = {"Python": "python/index", "Command line": "command_line/index", "HTTP operations": "operations/index"}
    index = folder / "index.md"
    text = index.read_text(encoding="utf-8")
    for title, place in parts.items():
        text = text.replace(f"**{title}**", f"[{title}]({place})")
    index.write_text(text + staging.toctree(parts.values()), encoding="utf-8")


def library(wheel: Path | None, work: Path) -> Path:
    """The folder of the package that the notebooks import: of the sources, or of a wheel that is unpacked here."""
    if wheel is None:
        return ROOT / SOURCES[0]
    folder = work / "wheel"
    shutil.rmtree(folder, ignore_errors=True)
    with zipfile.ZipFile(wheel) as members:
        members.extractall(folder)
    return folder


def run_sphinx(source: Path, output: Path, work: Path, package: Path, url: str | None) -> int:
    """Run Sphinx so that each machine and locale gets the same site, and return its exit code."""
    notebooks = work / "notebooks"
    quiet = notebooks / "profile_default/ipython_kernel_config.json"
    quiet.parent.mkdir(parents=True, exist_ok=True)
    quiet.write_text(json.dumps({"IPKernelApp": {"log_level": "ERROR"}}), encoding="utf-8")  # no word about transports
    environment = os.environ | {
        "PYTHONPATH": str(package),
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "LC_ALL": "C.UTF-8",
        "LANGUAGE": "",
        "TZ": "UTC",
        "COLUMNS": "100",
        "JUPYTER_PATH": "",
        "JUPYTER_CONFIG_DIR": str(notebooks),
        "JUPYTER_DATA_DIR": str(notebooks),
        "IPYTHONDIR": str(notebooks),
        "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", "0"),
        "XDG_CACHE_HOME": str(notebooks),
        "XDG_CONFIG_HOME": str(notebooks),
        "https_proxy": "http://127.0.0.1:9",  # nothing listens there, so that no notebook reaches the internet
        "no_proxy": "127.0.0.1,localhost",
        "TESSERA_NOTEBOOKS": "force" if url else "off",
        "TESSERA_SERVICE": url or "",
        "TESSERA_HOME": str(work / "stack"),
        "TESSERA_FRAMES": str(work / "frames"),
        "TESSERA_CLONE": str(ROOT),
    }
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet", "--fresh-env"]
    folders = ["-c", str(HERE), "-d", str(work / "doctrees"), str(source), str(output)]
    return subprocess.run([*command, *folders], env=environment, check=False).returncode


@contextmanager
def service(work: Path) -> Iterator[str]:
    """The address of a one-machine stack with the demonstration, which runs in the meantime."""
    port = free_port()
    command = [*LOCAL, "start", "--home", str(work / "stack"), "--port", str(port)]
    log = work / "stack.log"
    with log.open("w+", encoding="utf-8") as lines:
        stack = subprocess.Popen(command, stdout=lines, stderr=subprocess.STDOUT, cwd=ROOT)
        try:
            wait_until_ready(stack, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            stack.send_signal(signal.SIGINT)
            stack.wait(timeout=120)


def write_frames(folder: Path) -> None:
    """Write the simulated frames that the notebooks begin with."""
    for product in ("spoc", "tica"):
        command = [*LOCAL, "frames", str(folder / product), "--product", product.upper()]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=ROOT)


def wait_until_ready(stack: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the stack answers.

    Raises
    ------
    RuntimeError
        If the stack ends before.
    """
    while READY not in log.read_text(encoding="utf-8"):
        try:
            stack.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            continue
        raise RuntimeError(f"the one-machine stack ended:\n{log.read_text(encoding='utf-8')}")


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
