"""An independent server of SIA 2.0, DataLink and SODA: GAVO's DaCHS, as Debian packages it, with a database of its own.

Nothing of the machine's own PostgreSQL or DaCHS is used but the programs. Both run as a user without privileges, in a
temporary folder, on free ports, and end with the context.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.ivoa.independent.fields import write_fields

HERE = Path(__file__).parent
USERS = ["gavo", "postgres", "nobody"]
"""Who runs the servers, if root starts them: the first that exists."""
SETTINGS = """\
[general]
rootDir={folder}/root
gavoGroup={group}
group={group}
maintainerAddress=nobody@example.com
[web]
serverURL=http://127.0.0.1:{port}
bindAddress=127.0.0.1
serverPort={port}
user={user}
[ivoa]
authority=org.example.test
"""
LONGEST_START = 180.0
"""How long a server may take to start on a busy machine, in seconds."""


class MissingError(Exception):
    """The server is not installed. The message says what is missing and how to get it."""


@dataclass(frozen=True)
class Machine:
    """Starts programs as the user of the servers, in their folder."""

    folder: Path
    programs: Path
    user: str | None
    group: str

    def command(self, *words: str) -> list[str]:
        """A program as the user of the servers; it ends with the process that started it, however that ends."""
        become = [f"--reuid={self.user}", f"--regid={self.group}", "--clear-groups"] if self.user else []
        return ["setpriv", "--pdeathsig=TERM", *become, *words]

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.pathsep.join([str(self.programs), "/usr/bin", "/bin"]),
            "HOME": str(self.folder),
            "GAVOSETTINGS": str(self.folder / "gavo.rc"),
            "LC_ALL": "C.UTF-8",
        }

    def run(self, *words: str) -> None:
        """Run a program to its end.

        Raises
        ------
        RuntimeError
            If it fails, with what it printed.
        """
        done = subprocess.run(
            self.command(*words),
            env=self.environment,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(words)}: {done.stdout}")

    @contextlib.contextmanager
    def started(self, words: list[str], ready: Callable[[], bool]) -> Iterator[None]:
        """Start a server, and wait until it is ready; it is stopped in the end.

        Raises
        ------
        RuntimeError
            If it ends, or is not ready in time, with what it printed.
        """
        log = self.folder / f"{words[0]}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                self.command(*words), env=self.environment, cwd=self.folder, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            deadline = time.monotonic() + LONGEST_START
            while not ready():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(
                        f"{words[0]} does not start: {log.read_text(encoding='utf-8', errors='replace')}"
                    )
                time.sleep(0.2)
            yield
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()  # the folder is thrown away
                process.wait()


@contextlib.contextmanager
def independent_server() -> Iterator[str]:
    """Start the database and the server with a few images; gives the address of the server.

    Raises
    ------
    MissingError
        If DaCHS or PostgreSQL with its extensions for the sky is not installed.
    """
    programs = _programs()
    user, group = _who()
    with tempfile.TemporaryDirectory(prefix="ivoa-") as name:
        machine = Machine(Path(name), programs, user, group)
        database, port = _free_port(), _free_port()
        _write_files(machine, port)
        with _database(machine, database):
            for words in (
                ["init", "-d", f"host=127.0.0.1 port={database} dbname=gavo user=owner"],
                ["imp", "//obscore"],
            ):
                machine.run("gavo", *words)
            _publish(machine)
            with _served(machine, f"http://127.0.0.1:{port}") as url:
                yield url


def _programs() -> Path:
    """Folder of PostgreSQL's programs."""
    servers = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    extensions = [
        list(Path("/usr/share/postgresql").glob(f"*/extension/{name}.control")) for name in ("pg_sphere", "q3c")
    ]
    if not (shutil.which("gavo") and servers and all(extensions)):
        raise MissingError(
            "the independent server needs: apt-get install python3-gavo postgresql-pgsphere postgresql-q3c"
        )
    return servers[-1].parent


def _who() -> tuple[str | None, str]:
    """The user to become, if any, and the group of the servers."""
    if os.getuid() != 0:
        return None, str(os.getgid())
    for name in USERS:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return name, str(entry.pw_gid)
    raise MissingError(f"the independent server needs a user without privileges: {', '.join(USERS)}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _write_files(machine: Machine, port: int) -> None:
    """The settings and the images, owned by the user of the servers."""
    import grp  # noqa: PLC0415 - only Unix has it, and so has DaCHS

    user = machine.user or pwd.getpwuid(os.getuid()).pw_name
    group = grp.getgrgid(int(machine.group)).gr_name
    settings = SETTINGS.format(folder=machine.folder, port=port, user=user, group=group)
    (machine.folder / "gavo.rc").write_text(settings, encoding="utf-8")
    write_fields(machine.folder / "fields/data")
    shutil.copy(HERE / "fields.rd", machine.folder / "fields/q.rd")
    (machine.folder / "socket").mkdir()
    if machine.user:
        for path in [machine.folder, *machine.folder.rglob("*")]:
            shutil.chown(path, machine.user, int(machine.group))


@contextlib.contextmanager
def _database(machine: Machine, port: int) -> Iterator[None]:
    folder, where = str(machine.folder / "database"), ["-h", "127.0.0.1", "-p", str(port)]
    machine.run("initdb", "-D", folder, "-A", "trust", "-U", "owner", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
    options = ["-p", str(port), "-k", f"{machine.folder}/socket", "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
    asked = machine.command("pg_isready", *where)

    def ready() -> bool:
        return subprocess.run(asked, env=machine.environment, capture_output=True, check=False).returncode == 0

    with machine.started(["postgres", "-D", folder, *options], ready):
        machine.run("createdb", *where, "-U", "owner", "--template", "template0", "gavo")
        yield


def _publish(machine: Machine) -> None:
    """Let the server know the images, and SIA 2.0 for all that it has."""
    shutil.move(machine.folder / "fields", machine.folder / "root/inputs/fields")
    machine.run("gavo", "imp", "fields/q")


@contextlib.contextmanager
def _served(machine: Machine, url: str) -> Iterator[str]:
    def ready() -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{url}/__system__/siap2/sitewide/availability", timeout=5).is_success
        return False

    with machine.started(["gavo", "serve", "debug"], ready):
        yield url
