"""Say at once what this machine lacks for the commands of the Makefile, what each thing is for, and how to get it.

Usage: python3 check_machine.py [--needed] [--port PORT] [--make VERSION] [--home FOLDER]

With --needed, only what no command works without is looked at, and nothing is printed if all of it is there. The exit
code is 1 if something needed is missing. It runs with Python 3.7, so that an old Python can say that it is too old.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

PYTHONS = (3, 11), (3, 14)
MAKE = (3, 82)
DISK_GB, MEMORY_GB = 4, 3
"""What `make local` takes (docs/guide/service/local_service.md)."""
GB = 1e9
OPTIONAL = {
    "Chromium": (["chromium", "chromium-browser", "google-chrome"], "chromium", "tests of the page"),
    "Firefox": (["firefox", "firefox-esr"], "firefox-esr", "make test-browsers"),
    "curl": (["curl"], "curl", "programs of README.md and docs"),
    "jq": (["jq"], "jq", "programs of README.md and docs"),
    "unzip": (["unzip"], "unzip", "programs of README.md and docs"),
    "fitsverify": (["fitsverify"], "fitsverify", "an independent opinion on our FITS files"),
    "bsdtar": (["bsdtar"], "libarchive-tools", "an independent opinion on our zip files"),
    "7z": (["7z"], "p7zip-full", "an independent opinion on our zip files"),
    "stilts": (["stilts"], "stilts", "make test-ivoa"),
    "Ceph": (["radosgw"], "radosgw ceph-mon ceph-osd ceph-mgr ceph-common", "make test-s3"),
    "qemu": (["qemu-aarch64-static", "qemu-aarch64"], "qemu-user-static", "make test-layers, for arm64"),
    "debootstrap": (["debootstrap"], "debootstrap", "make test-layers, where there is no Python of Lambda's version"),
    "Docker": (["docker"], "docker.io", "make sam-local"),
}
"""Programs without which a command leaves something out: their names on the path, Debian's package, and what for."""


class Findings:
    """What is there and what is missing, in lines for a terminal."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self.n_missing = 0

    def note(self, there: bool, what: str, remedy: str, needed: bool = True) -> None:
        """Print a line about one thing, with its remedy if it is missing."""
        self.n_missing += needed and not there
        if there and self._quiet:
            return
        mark = "ok     " if there else "MISSING" if needed else "without"
        print(mark, what if there else f"{what}: {remedy}")


def check_python(found: Findings) -> None:
    """Look at the Python that runs this, and at what environments need."""
    lowest, highest = (".".join(map(str, version)) for version in PYTHONS)
    good = PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]
    found.note(
        good,
        f"Python {platform.python_version()}",
        f"Tessera needs Python {lowest} to {highest}; install one (apt-get install python3, brew install python) "
        "or name yours: make PYTHON=/path/to/python3",
    )
    there = all(map(find_spec, ("venv", "ensurepip")))
    found.note(there, "modules venv and ensurepip of Python", "apt-get install python3-venv")


def check_make(found: Findings, version: str) -> None:
    """Look at the version of make, which is old on macOS, and for bash."""
    good = tuple(int(part) for part in version.split(".")[:2]) >= MAKE
    wanted = ".".join(map(str, MAKE))
    found.note(
        good, f"GNU make {version}", f"{wanted} or newer is needed; brew install make, and write gmake instead of make"
    )
    found.note(shutil.which("bash") is not None, "bash", "the recipes are written for it; install bash")


def check_room(found: Findings, home: Path) -> None:
    """Look at the free disk and the memory."""
    place = next(folder for folder in (home.absolute(), *home.absolute().parents) if folder.is_dir())
    free = shutil.disk_usage(str(place)).free / GB
    found.note(
        free >= DISK_GB,
        f"{free:.1f} GB of free disk at {place}",
        f"make local needs {DISK_GB} GB; free some, or name another folder: make local TESSERA_HOME=/folder",
    )
    found.note(os.access(str(place), os.W_OK), f"write access to {place}", "take a folder of your own")
    memory = memory_gb()
    found.note(
        memory >= MEMORY_GB,
        f"{memory:.1f} GB of memory",
        f"make local needs {MEMORY_GB} GB; end other programs, or use a larger machine",
    )


def memory_gb() -> float:
    """Return the memory of this machine, or what its kernel says can be had of it."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        sizes = {line.split(":")[0]: float(line.split()[1]) for line in lines if line.endswith(" kB")}
        return sizes["MemAvailable"] * 1024 / GB
    except (OSError, KeyError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / GB


def check_port(found: Findings, port: int) -> None:
    """Look whether the port of the service is free."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            reason = error.strerror or str(error)
        else:
            reason = ""
    remedy = f"{reason}; end what uses it, or take another: make local PORT={port + 1}"
    found.note(not reason, f"port {port} for the service", remedy)


def check_index(found: Findings) -> None:
    """Fetch a small package, as the environments fetch theirs."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, "six"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    reason = (done.stdout.strip().splitlines() or ["pip failed"])[-1]
    remedy = f"{reason}; connect to the network, or configure pip for your index (pip config)"
    found.note(done.returncode == 0, "the package index that pip is configured for", remedy)


def check_optional(found: Findings) -> None:
    """Look for programs without which something is left out."""
    for name, (programs, package, purpose) in OPTIONAL.items():
        there = any(map(shutil.which, programs))
        found.note(there, name, f"it is for {purpose}; apt-get install {package}", needed=False)


def main() -> int:
    """Print what is there and what is missing, and return the exit code."""
    parser = argparse.ArgumentParser(description="Say what this machine lacks, and how to get it.")
    parser.add_argument("--needed", action="store_true", help="look only at what no command works without")
    parser.add_argument("--port", type=int, default=3000, help="port of the service")
    parser.add_argument("--make", default="4.0", help="version of make")
    parser.add_argument("--home", type=Path, default=Path(".local"), help="folder of the data of the service")
    chosen = parser.parse_args()
    found = Findings(quiet=chosen.needed)
    check_python(found)
    check_make(found, chosen.make)
    if not chosen.needed:
        check_room(found, chosen.home)
        check_port(found, chosen.port)
        check_index(found)
        check_optional(found)
    return 1 if found.n_missing else 0


if __name__ == "__main__":
    sys.exit(main())
