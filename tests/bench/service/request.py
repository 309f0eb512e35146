"""Where the time of one request for a cutout goes: milliseconds of each stage, from the event to the answer.

    python tests/bench/service/request.py [--sizes 10 30] [--repeats 20] [--folder DIR]

The real handler of the cutout API runs in this process. Cube, index and sidecar are behind an S3 endpoint (s3_link.py),
the shared records in the local stack's table process. Functions at the borders of stages are timed; a stage has the
time of its functions without that of other stages inside. `wall` is what a client waits for. `cpu` is processor time of
all threads of this process. Each request has a place of its own; the first is in an empty process (`first`), the others
are medians (`warm`). The floor is one latency and the bytes over the link.
"""

from __future__ import annotations

import argparse
import importlib
import io
import json
import os
import socket
import statistics
import sys
import tempfile
import time
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from functools import wraps
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / place) for place in (".", "layers/engine/src", "shared/src", "local/src")]

from tests.bench.cutouts.cutout import BUCKET, FOLDER, make_cube, some_targets  # noqa: E402
from tests.bench.support.report import record  # noqa: E402
from tests.bench.support.s3_link import LATENCY, TOTAL, counted, serving  # noqa: E402

BENCH, N_FRAMES = "service/request", 1282
TABLE, RESULTS, CUBES = "state", "results", "cubes"
ETAG = "etag"
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
STAGES = (
    ("validation", "tessera_cloud.http.tesscut.parameters:parse_cutout_request"),
    ("validation", "tessera_cloud.http.framework.operations:_given"),
    ("switch, share of the client", "tessera_cloud.http.framework.operations:check_running"),
    ("switch, share of the client", "tessera_cloud.http.cutouts.respond:charge"),
    ("switch, share of the client", "tessera_cloud.http.cutouts.respond:charge_result"),
    ("index search", "tessera_cloud.http.cutouts.respond:place_order"),
    ("index search", "tessera_cloud.http.cutouts.respond:no_cubes"),
    ("sidecar", "tessera_cloud.application.cutouts.answer:known_cubes"),
    ("placement", "tessera_cloud.application.cutouts.fixed:Position.plan"),
    ("reading", "tessera_cloud.application.cutouts.planned:read_rows"),
    ("reading", "tessera_cloud.application.cutouts.planned:PlannedCutout.cut"),
    ("assembly of the window", "tessera_cloud.application.cutouts.planned:assemble_cutout"),
    ("headers", "tessera.tpf.fixed:tpf_pieces"),
    ("checksum of the rows", "tessera.tpf.rows:PixelTable.data_sum"),
    ("rows", "tessera.tpf.rows:PixelTable.pieces"),
    ("deflate", "tessera_cloud.application.cutouts.answer:write_zip"),
    ("claim and storage of a large answer", "tessera_cloud.application.cutouts.answer:is_first"),
    ("claim and storage of a large answer", "tessera_cloud.adapters.s3:S3Store.write"),
    ("claim and storage of a large answer", "tessera_cloud.adapters.s3:S3Store.upload_part"),
    ("address of a large answer", "tessera_cloud.http.cutouts.respond:result_url"),
    ("base64", "base64:b64encode"),
    ("log", "tessera_cloud.http.framework.outcome:tell"),
)
"""Borders of the stages: a stage, and a function of a module or of a class in it."""
ROUTING, RUNTIME, FRONT = "routing", "JSON of the runtime client", "front: event, and answer to bytes"


class Clock:
    """Time of each stage without that of the stages inside it, of the thread that makes the clock."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        self._stages: list[str] = []
        self._since = self._now()

    @staticmethod
    def _now() -> tuple[float, float]:
        return time.perf_counter(), time.process_time()

    def _turn(self) -> None:
        now = self._now()
        if self._stages:
            for index in (0, 1):
                self.spent[self._stages[-1]][index] += now[index] - self._since[index]
        self._since = now

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the block as a stage."""
        self._turn()
        self._stages.append(name)
        try:
            yield
        finally:
            self._turn()
            self._stages.pop()

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, whose calls, and whose steps if it gives an iterator, count as a stage."""

        def steps(answer: Iterator[Any]) -> Iterator[Any]:
            while True:
                with self.stage(name):
                    try:
                        item = next(answer)
                    except StopIteration:
                        return
                yield item

        @wraps(function)
        def call(*arguments: Any, **options: Any) -> Any:
            with self.stage(name):
                answer = function(*arguments, **options)
            return steps(answer) if isinstance(answer, Iterator) else answer

        return call

    def watch(self) -> None:
        """Time the functions of `STAGES` from now on."""
        for name, place in STAGES:
            module, _, path = place.partition(":")
            owner: Any = importlib.import_module(module)
            *classes, last = path.split(".")
            for each in classes:
                owner = getattr(owner, each)
            setattr(owner, last, self.timed(name, getattr(owner, last)))


# ---------------------------------------------------------------- what the handler needs


def objects(cube_path: Path, folder: Path) -> dict[str, Path]:
    """Cube, index and sidecar, as the endpoint serves them."""
    from tessera.cutouts.open_cube import open_cube
    from tessera_cloud import keys
    from tessera_cloud.application.index.footprint_index import FootprintIndex
    from tessera_cloud.application.index.messages import FoundCube
    from tessera_cloud.application.index.read_cube import build_row

    obs_id = cube_path.name.removesuffix("-cube.fits")
    key = f"{FOLDER}/{cube_path.name}"
    found = FoundCube(obs_id=obs_id, bucket=BUCKET, key=key, size=cube_path.stat().st_size, etag=ETAG)
    with open_cube(cube_path) as file:
        sidecar, row = file.cube.to_sidecar(), build_row(found, file.cube)
    (folder / "sidecar").write_bytes(sidecar)
    (folder / "index").write_bytes(FootprintIndex.of([row]).to_json())
    return {
        f"/{BUCKET}/{key}": cube_path,
        f"/{CUBES}/{keys.sidecar(ETAG)}": folder / "sidecar",
        f"/{CUBES}/{keys.FOOTPRINT_INDEX}": folder / "index",
    }


@contextmanager
def table(folder: Path) -> Iterator[str]:
    """The process of the shared records; its address."""
    import boto3

    from tessera_local.processes import start_control

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        process = start_control(folder, probe.getsockname()[1], storage="", functions="")
    try:
        process.wait_until_ready()
        client = boto3.client("dynamodb", endpoint_url=process.url, region_name="us-east-1", **KEYS)
        names = (("kind", "HASH"), ("name", "RANGE"))
        client.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in names],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in names],
            BillingMode="PAY_PER_REQUEST",
        )
        yield process.url
    finally:
        process.stop()


class Context:
    """What Lambda tells a handler."""

    function_name, memory_limit_in_mb, aws_request_id = "cutout_api", 2048, "request"
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:cutout_api"


def load_handler(s3: str, tables: str) -> Callable[..., Any]:
    """The handler of the cutout API, with the environment of the endpoint and the table."""
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_S3": s3,
        "AWS_ENDPOINT_URL_DYNAMODB": tables,
        "AWS_ALLOW_HTTP": "true",
        "POWERTOOLS_TRACE_DISABLED": "true",
        "TESSERA_FFI_BUCKET": "frames",
        "TESSERA_CUBE_BUCKET": CUBES,
        "TESSERA_RESULT_BUCKET": RESULTS,
        "TESSERA_STATE_TABLE": TABLE,
        "TESSERA_CUBE_SOURCES": f"{BUCKET}/tess/public/mast",
        "TESSERA_CLIENT_DAILY_GB": "1000",
    }
    sys.path.insert(0, str(ROOT / "functions/cutout_api"))
    handler: Callable[..., Any] = importlib.import_module("app").lambda_handler
    return handler


# ---------------------------------------------------------------- one request


def event_of(target: tuple[float, float], size: int) -> dict[str, Any]:
    """What the local front makes of a request."""
    from aiohttp.test_utils import make_mocked_request
    from multidict import CIMultiDict

    from tessera_local.template.deployed import Route
    from tessera_local.web.api_gateway import proxy_event

    path = "/tesscut/api/v0.1/astrocut"
    query = f"ra={target[0]:.6f}&dec={target[1]:.6f}&y={size}&x={size}"
    request = make_mocked_request("GET", f"{path}?{query}", headers=CIMultiDict({"Host": "localhost"}))
    route = Route("get", path, "cutout_api", "Prod")
    return proxy_event(request, route, path, {}) | {"body": None, "isBase64Encoded": False}


def ask(handler: Callable[..., Any], clock: Clock, target: tuple[float, float], size: int) -> tuple[int, bytes]:
    """Answer one request as the stack does; status and body."""
    from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller

    from tessera_local.lambdas.worker import Outcome
    from tessera_local.web.api_gateway import _response

    with clock.stage(FRONT):
        payload = json.dumps(event_of(target, size))
    with clock.stage(RUNTIME):
        event = LambdaMarshaller().unmarshal_request(payload)
    with clock.stage(ROUTING):
        answer = handler(event, Context())
    with clock.stage(RUNTIME):
        text, _ = LambdaMarshaller().marshal_response(answer)
        data = text.encode()
    with clock.stage(FRONT):
        response = _response(Outcome(data), wants_bytes=True)
    assert response is not None, data[:1000]
    return response.status, bytes(response.body or b"")


def is_right(content: bytes, cube_path: Path, size: int, target: tuple[float, float]) -> bool:
    """Whether an archive has the pixels that the library cuts out of the local file."""
    from astropy.coordinates import SkyCoord
    from astropy.io import fits

    from tessera import CutoutOptions, make_cutouts

    place = SkyCoord(*(round(each, 6) for each in target), unit="deg")
    (made,) = make_cutouts(cube_path, place, size, options=CutoutOptions(placement="tesscut"))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        served = archive.read(archive.namelist()[0])
    with fits.open(io.BytesIO(served)) as ours, fits.open(io.BytesIO(made.data)) as local:
        names = ("TIME", "FLUX", "FLUX_ERR")
        return all(ours[1].data[name].tobytes() == local[1].data[name].tobytes() for name in names)


def kept_answers() -> list[bytes]:
    """A list that gets each answer that is stored from now on, since the endpoint throws it away."""
    from tessera_cloud.adapters.s3 import S3Store

    kept, write = [], S3Store.write

    def keep(store: S3Store, bucket: str, key: str, data: bytes, **options: Any) -> str:
        kept.append(bytes(data))
        return write(store, bucket, key, data, **options)

    S3Store.write = keep
    return kept


# ---------------------------------------------------------------- the table


def show(size: int, runs: list[dict[str, list[float]]], asked: dict[str, int]) -> None:
    """Print seconds of each stage: medians of warm requests, and what the first took more."""
    first, others = runs[0], runs[1:]
    floor = LATENCY + size * size * N_FRAMES * 8 / TOTAL
    warm = {
        name: [statistics.median(run[name][kind] for run in others) for kind in (0, 1)]
        for name in dict.fromkeys(name for run in runs for name in run)
    }
    case = f"{size}x{size} x {N_FRAMES:,}"
    print(f"\n{case}: floor {1e3 * floor:.1f} ms; requests and bytes of a warm one: {asked}")
    for name, (wall, cpu) in sorted(warm.items(), key=lambda item: -item[1][0]):
        mark = " *" if wall > 0.1 * floor else ""
        print(f"  {name:36} first {1e3 * first[name][0]:7.2f}  warm {1e3 * wall:7.2f}  cpu {1e3 * cpu:7.2f} ms{mark}")
        record(BENCH, case, name, wall, "s", limit=floor)
    record(BENCH, case, "first request", sum(wall for wall, _ in first.values()), "s", limit=floor)
    record(BENCH, case, "warm request", sum(wall for wall, _ in warm.values()), "s", limit=floor)
    record(BENCH, case, "processor time of a warm request", sum(cpu for _, cpu in warm.values()), "s")


def measure(url: str, tables: str, cube_path: Path, options: argparse.Namespace) -> None:
    """Ask for each size, and print its table."""
    log = io.StringIO()
    with redirect_stdout(log):
        handler, clock = load_handler(url, tables), Clock()
    stored = kept_answers()
    clock.watch()
    for size in options.sizes:
        runs, before = [], {}
        for target in some_targets(cube_path, options.repeats + 1):
            clock.spent = defaultdict(lambda: [0.0, 0.0])
            stored.clear()
            before = counted(url)
            with redirect_stdout(log):
                status, body = ask(handler, clock, target, size)
            runs.append(clock.spent)
            assert status in (200, 303), body
            assert is_right(body or stored[-1], cube_path, size, target), target
        now = counted(url)
        show(size, runs, {name: now[name] - before.get(name, 0) for name in now})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 30])
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--folder", type=Path, help="keep the cube there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as temporary:
        folder = Path(temporary)
        cube_path = make_cube(options.folder or folder, N_FRAMES)
        (folder / "logs").mkdir()
        with table(folder) as tables, serving(folder, objects(cube_path, folder)) as url:
            measure(url, tables, cube_path, options)


if __name__ == "__main__":
    main()
