"""A Ceph cluster of one machine with its S3 (RGW): it lives in a folder of its own, and ends with its context.

Objects are kept in memory. Ports are free ones. The keys of its accounts are made for it, so nobody else is let in.
A monitor ends where less than 5 % of the disk is free, unless it is told not to: ours needs little of a disk.
"""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.s3_servers import S3Server

PROGRAMS = (
    "ceph",
    "ceph-authtool",
    "ceph-mgr",
    "ceph-mon",
    "ceph-osd",
    "monmaptool",
    "radosgw",
    "radosgw-admin",
    "setpriv",
)
PACKAGES = "radosgw ceph-mon ceph-osd ceph-mgr ceph-common ceph-base"
START_SECONDS = 90.0
ANSWER_SECONDS = 60.0
END_SECONDS = 10.0
ALL = ("mon", "allow *", "osd", "allow *", "mds", "allow *", "mgr", "allow *")
CONF = """[global]
fsid = {fsid}
mon_initial_members = a
mon_host = {monitor}
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 8
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
osd_objectstore = memstore
memstore_device_bytes = 2147483648
keyring = {home}/keyring
mon_data = {home}/mon
mon_data_avail_crit = 0
mgr_data = {home}/mgr
osd_data = {home}/osd
run_dir = {home}/run
log_file = {home}/log/$name.log
admin_socket = {home}/run/$name.asok
[client.admin]
rgw_data = {home}/rgw
rgw_frontends = beast endpoint=127.0.0.1:{port} tcp_nodelay=1
"""


class CephError(RuntimeError):
    """Ceph did not start. The message has the reason."""


def missing() -> list[str]:
    """Name the programs of Ceph that this machine lacks."""
    return [name for name in PROGRAMS if not shutil.which(name)]


class _Cluster:
    def __init__(self, home: Path, ends: ExitStack) -> None:
        self._home, self._ends = home, ends
        self._servers: dict[str, subprocess.Popen[bytes]] = {}
        self.port, first, second = _free_ports(3)
        self._monitor = f"[v2:127.0.0.1:{first},v1:127.0.0.1:{second}]"
        self._fsid = str(uuid.uuid4())
        self._conf, self._keyring = home / "ceph.conf", home / "keyring"
        for folder in ("mon", "mgr", "osd", "run", "log", "rgw"):
            (home / folder).mkdir()
        self._conf.write_text(CONF.format(fsid=self._fsid, monitor=self._monitor, home=home, port=self.port))

    def call(self, program: str, *arguments: object) -> str:
        """Run a program of Ceph to its end, and return what it prints."""
        command = [program, *map(str, arguments)]
        if program not in ("ceph-authtool", "monmaptool"):
            command[1:1] = ["-c", str(self._conf)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            text = f"{' '.join(command)} did not answer within {ANSWER_SECONDS:g} s"
            raise CephError("; ".join([text, *self._ended()])) from None
        if done.returncode:
            raise CephError(f"{' '.join(command)} answered {done.returncode}: {done.stderr.strip()[-500:]}")
        return done.stdout

    def _ended(self) -> list[str]:
        """Say which servers have ended, and what they said."""
        ended = {name: server.returncode for name, server in self._servers.items() if server.poll() is not None}
        return [f"{name} ended with {code}: {self._said(name)}" for name, code in ended.items()]

    def _said(self, program: str) -> str:
        return (self._home / "log" / f"{program}.out").read_text(errors="replace").strip()[-500:]

    def start(self, program: str, *arguments: object) -> subprocess.Popen[bytes]:
        """Start a server, which ends with the cluster, or with this process if it is killed."""
        log = self._ends.enter_context((self._home / "log" / f"{program}.out").open("wb"))
        command = ["setpriv", "--pdeathsig", "KILL", program, "-c", str(self._conf), "-f", *map(str, arguments)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._ends.callback(_end, process)
        self._servers[program] = process
        return process

    def allow(self, name: str, *rights: str) -> None:
        """Make a key, and add it to the ring of keys."""
        with self._keyring.open("a") as ring:
            ring.write(self.call("ceph", "auth", "get-or-create", name, *rights))

    def start_monitor(self) -> None:
        caps = [word for kind, right in zip(ALL[::2], ALL[1::2], strict=True) for word in ("--cap", kind, right)]
        self.call("ceph-authtool", "--create-keyring", self._keyring, "--gen-key", "-n", "mon.", *caps[:3])
        self.call("ceph-authtool", self._keyring, "--gen-key", "-n", "client.admin", *caps)
        monmap = self._home / "monmap"
        self.call("monmaptool", "--create", "--addv", "a", self._monitor, "--fsid", self._fsid, monmap)
        self.call("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap, "--keyring", self._keyring)
        self.start("ceph-mon", "-i", "a")

    def start_stores(self) -> None:
        self.allow("mgr.x", "mon", "allow profile mgr", "osd", "allow *", "mds", "allow *")
        self.start("ceph-mgr", "-i", "x")
        number = str(uuid.uuid4())
        self.call("ceph", "osd", "new", number)
        self.allow("osd.0", "mon", "allow profile osd", "mgr", "allow profile osd", "osd", "allow *")
        self.call("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", number)
        self.start("ceph-osd", "-i", "0")

    def start_s3(self) -> S3Server:
        gateway = self.start("radosgw", "-n", "client.admin")
        until = time.monotonic() + START_SECONDS
        while not _listens(self.port):
            if gateway.poll() is not None or time.monotonic() > until:
                raise CephError(f"radosgw did not listen on port {self.port}: {self._said('radosgw')}")
            time.sleep(0.1)
        access, secret = secrets.token_hex(10), secrets.token_hex(20)
        keys = ("--access-key", access, "--secret-key", secret)
        who = ("--uid", "tessera", "--display-name", "tessera")
        self.call("radosgw-admin", "-n", "client.admin", "user", "create", *who, *keys)
        return S3Server(f"http://127.0.0.1:{self.port}", access, secret, "ceph")


def _free_ports(count: int) -> list[int]:
    with ExitStack() as probes:
        sockets: Sequence[socket.socket] = [probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in sockets:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in sockets]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def ceph() -> Iterator[S3Server]:
    """Run Ceph, and give its S3.

    Raises
    ------
    CephError
        If a program of it is missing or fails.
    """
    if missing():
        raise CephError(f"there is no {', '.join(missing())} (packages of Debian and Ubuntu: {PACKAGES})")
    with tempfile.TemporaryDirectory(prefix="ceph-", ignore_cleanup_errors=True) as folder, ExitStack() as ends:
        cluster = _Cluster(Path(folder), ends)
        cluster.start_monitor()
        cluster.start_stores()
        yield cluster.start_s3()
