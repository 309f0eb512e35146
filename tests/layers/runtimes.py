"""Interpreters of the version that Lambda runs, for both processors: from the path, or from packages of Debian.

Nothing is installed: packages are unpacked into a folder, and qemu's user emulation runs those of another processor.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

DEBIAN = {"aarch64": "arm64", "x86_64": "amd64"}
"""Processors as uv and Python write them, and as Debian does."""
LOADER = {"aarch64": "ld-linux-aarch64.so.1", "x86_64": "ld-linux-x86-64.so.2"}
SUITE = "forky"
"""Release of Debian that has the version of Python."""
SCRIPT = Path("/usr/share/debootstrap/scripts/sid")
"""Steps that hold for releases which are newer than debootstrap."""


class MissingError(Exception):
    """The interpreter cannot be had on this machine; the text says what is missing."""


@dataclass(frozen=True)
class Runtime:
    """A command that runs Python, with the variables that it needs."""

    command: tuple[str, ...]
    environment: dict[str, str]


def find_runtime(processor: str, version: str, folder: Path) -> Runtime:
    """Return an interpreter of a version, such as 3.14, for a processor.

    Raises
    ------
    MissingError
        If this machine has none, and lacks what it takes to get one.
    """
    own = processor == platform.machine()
    found = shutil.which(f"python{version}")
    if own and found is not None:
        return Runtime((found,), {})
    emulator = shutil.which(f"qemu-{processor}-static") or shutil.which(f"qemu-{processor}")
    if not own and emulator is None:
        raise MissingError(f"there is no qemu-{processor} (package qemu-user-static)")
    root = unpack(processor, version, folder)
    python, home = str(root / f"usr/bin/python{version}"), {"PYTHONHOME": str(root / "usr")}
    if own:
        libraries = str(root / f"usr/lib/{processor}-linux-gnu")
        loader = next(root.rglob(LOADER[processor]))
        return Runtime((str(loader), "--library-path", libraries, python), home)
    return Runtime((str(emulator), "-L", str(root), python), home)


def unpack(processor: str, version: str, folder: Path) -> Path:
    """Unpack Python and its libraries into a folder, unless they are there, and return the folder."""
    root = folder / f"python{version}-{processor}"
    if root.is_dir():
        return root
    for program in ("debootstrap", "dpkg-deb", "apt-get"):
        if shutil.which(program) is None:
            raise MissingError(f"there is no python{version} for {processor}, and no {program} to get one from Debian")
    packages = folder / f"packages-{processor}"
    shutil.rmtree(packages, ignore_errors=True)
    download(DEBIAN[processor], version, packages)
    unfinished = folder / f"{root.name}.part"
    shutil.rmtree(unfinished, ignore_errors=True)
    for package in sorted((packages / "var/cache/apt/archives").glob("*.deb")):
        subprocess.run(["dpkg-deb", "--extract", package, unfinished], check=True)
    shutil.rmtree(packages)
    return unfinished.rename(root)


def download(architecture: str, version: str, packages: Path) -> None:
    """Fetch the packages that Python needs from the mirror of Debian that this machine uses."""
    sites = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(SITE)"], check=True, capture_output=True, text=True
    ).stdout.split()
    mirror = next((site for site in sites if site.rstrip("/").endswith("/debian")), None)
    if mirror is None:
        raise MissingError(f"there is no python{version} for {architecture}, and apt knows no mirror of Debian")
    wanted = f"python{version}-minimal,libpython{version}-stdlib,libstdc++6"
    options = ["--download-only", "--variant=minbase", f"--arch={architecture}", f"--include={wanted}"]
    done = subprocess.run(
        ["debootstrap", *options, SUITE, str(packages), mirror, str(SCRIPT)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise MissingError(f"debootstrap fetched no python{version} for {architecture}: {done.stdout.strip()[-300:]}")
