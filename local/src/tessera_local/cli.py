"""``python -m tessera_local start`` starts the whole service on this machine, and prints how to get a first cutout.

``python -m tessera_local put FOLDER`` copies frames to the running service. Their cubes are then built and served
without another command.

``python -m tessera_local stars TABLE`` gives the running service a catalogue of stars.

``python -m tessera_local frames FOLDER`` writes frames of the demonstration, for trying things with files.
"""

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import NoReturn

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from tessera.errors import TesseraError
from tessera.tess.products import SPOC
from tessera_cloud.admin import stars
from tessera_cloud.names import CubeId
from tessera_local import running
from tessera_local.builds import build_all, has_cubes
from tessera_local.demo import demonstration
from tessera_local.frames import PATTERNS, FramePlace, FramesError, check_place, put_demonstration, put_frames
from tessera_local.processes import PartError
from tessera_local.progress import Progress
from tessera_local.room import RoomError, is_full
from tessera_local.stack import Ended, Stack, StackError
from tessera_local.stars import put_demonstration_stars, put_stars

BLOCK_FUNCTION = "BuildBlockFunction"
STABLE_SECONDS = 3
"""Time that frames must stay unchanged before their cube is built. It is short, because a person waits for the cube."""

_EXAMPLES = """\
Add frames of your own, of SPOC or TICA. Their cubes are built and served soon after:

  make put FFIS=/folder/of/frames

Try it with the star "{name}" of the demonstration ({kind}, period {period} days):

  # curl
  curl -s '{url}/tesscut/api/v0.1/sector?ra={ra}&dec={dec}'
  curl -sL -o cutout.zip '{url}/tesscut/api/v0.1/astrocut?ra={ra}&dec={dec}&y=11&x=11'

  # astroquery
  from astropy.coordinates import SkyCoord
  from astroquery.mast import Tesscut
  Tesscut._service_api_connection.REQUEST_URL = "{url}/tesscut/api/v0.1/"
  cutouts = Tesscut.get_cutouts(coordinates=SkyCoord({ra}, {dec}, unit="deg"), size=11)

  # lightkurve, with the cutout of astroquery
  import lightkurve
  tpf = lightkurve.TessTargetPixelFile(cutouts[0])
  tpf.to_lightcurve(aperture_mask="threshold").plot()
"""


class Stopped(BaseException):
    """Raised when SIGINT or SIGTERM arrives."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    options = _parser().parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        code: int = options.run(options)
    except Stopped as stopped:
        return 128 + stopped.number
    except (StackError, PartError, FramesError, RoomError, running.NotRunningError, TesseraError) as error:
        print(f"tessera: {error}", file=sys.stderr)
        return 1
    except (ClientError, BotoCoreError, Boto3Error) as error:
        reason = f"no room is left on the disk of {options.home}" if is_full(options.home) else str(error)
        print(f"tessera: {reason}", file=sys.stderr)
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tessera_local", description=__doc__)
    commands = parser.add_subparsers(required=True)
    environ = os.environ
    put = commands.add_parser("put", help="copy frames to the running service")
    put.add_argument("place", help="folder or s3:// prefix with frames, of SPOC or TICA")
    put.set_defaults(run=_put)
    catalogue = commands.add_parser("stars", help="give the running service a catalogue of stars")
    stars.add_arguments(catalogue, needs_tables=True)
    catalogue.set_defaults(run=_put_stars)
    frames = commands.add_parser("frames", help="write simulated full-frame images of the demonstration to a folder")
    frames.add_argument("folder", type=Path, help="folder of the files; it is made if it does not exist")
    frames.add_argument("--product", choices=PATTERNS, default=SPOC.name, help="kind of frames")
    frames.add_argument(
        "--count",
        type=int,
        choices=range(1, demonstration.N_FRAMES + 1),
        default=5,
        metavar=f"1..{demonstration.N_FRAMES}",
        help="how many; each has 36 MB (TICA: 18 MB)",
    )
    frames.set_defaults(run=_write_frames)
    start = commands.add_parser("start", help="start everything and serve until Ctrl-C")
    start.set_defaults(run=_start)
    for command in (put, catalogue, start):
        command.add_argument(
            "--home", type=Path, default=Path(environ.get("TESSERA_HOME") or ".local"), help="state and logs"
        )
    start.add_argument(
        "--port", type=int, default=int(environ.get("PORT") or 3000), help="port of the HTTP API on 127.0.0.1"
    )
    start.add_argument("--ffis", default=environ.get("FFIS") or None, help="folder or s3:// prefix with frames")
    start.add_argument(
        "--block-workers", type=int, default=min(3, os.cpu_count() or 1), help="blocks built at the same time"
    )
    start.add_argument("--s3-port", type=int, default=0, help="port of S3; 0 takes a free one")
    return parser


def _start(options: argparse.Namespace) -> int:
    if options.ffis:
        check_place(options.ffis)
    progress = Progress()
    if old := [str(path) for name in ("s3", "localstack") if (path := options.home / name).is_dir()]:
        progress.say(f"{' and '.join(old)} are of an earlier Tessera and no longer used; delete them to free the disk")
    stack = Stack(
        options.home,
        port=options.port,
        s3_port=options.s3_port,
        parameters={
            "BlockConcurrency": str(options.block_workers),
            "StableSeconds": str(STABLE_SECONDS),
            "MaxBuilds": "1",
        },
        environment={"TESSERA_INDEX_SECONDS": "1"},  # so that new cubes are served at once, not after a minute
        concurrency={BLOCK_FUNCTION: options.block_workers},
        on_end=_interrupter(),
    )
    with ExitStack() as started:
        with progress.step("S3, Step Functions, Lambda and API Gateway"):
            started.enter_context(stack)
        with progress.step("frames into the FFI bucket") as step:
            step.megabytes = _load(stack, options.ffis, progress) / 1e6
        failed = _report_failures(build_all(stack, progress, options.block_workers), progress)
        progress.table(stack.reports)
        if failed and (options.ffis or not has_cubes(stack)):
            return 1
        stack.start_events()
        started.enter_context(running.announced(stack))
        _serve_until_signal(stack, progress)
    return 0


def _load(stack: Stack, place: str | None, progress: Progress) -> int:
    if place:
        return put_frames(FramePlace.of(stack), place, progress)
    put_demonstration_stars(stack)
    return put_demonstration(stack, progress)


def _put(options: argparse.Namespace) -> int:
    service = running.read(options.home)
    progress = Progress()
    check_place(options.place)
    with progress.step("frames into the FFI bucket"):
        put_frames(service.frames, options.place, progress)
    progress.say(f"The cubes will be built, and served at {service.url}")
    return 0


def _put_stars(options: argparse.Namespace) -> int:
    service = running.read(options.home)
    made = put_stars(service.frames.s3, service.cube_bucket, options.tables, options.name, options.epoch)
    Progress().say(stars.report(made))
    return 0


def _write_frames(options: argparse.Namespace) -> int:
    make = demonstration.frame if options.product == SPOC.name else demonstration.tica_frame
    options.folder.mkdir(parents=True, exist_ok=True)
    for index in range(options.count):
        name, content = make(index)
        (options.folder / name).write_bytes(content)
        print(options.folder / name)
    return 0


def examples(url: str) -> str:
    """Commands for a first cutout with curl, astroquery and lightkurve."""
    star = demonstration.EXAMPLES[0]
    return _EXAMPLES.format(url=url, name=star.name, kind=star.kind, period=star.period_days, ra=star.ra, dec=star.dec)


def _report_failures(builds: Mapping[CubeId, Ended], progress: Progress) -> bool:
    failed = {cube_id: ended for cube_id, ended in builds.items() if ended.status != "SUCCEEDED"}
    for cube_id, ended in failed.items():
        progress.say(f"cube {cube_id} could not be built: {ended.error or ended.status}: {_cause(ended)}")
    return bool(failed)


def _cause(ended: Ended) -> str:
    """Message of an error, from the JSON document that Lambda makes of an exception."""
    try:
        return str(json.loads(ended.cause or "")["errorMessage"])
    except (ValueError, KeyError, TypeError):
        return ended.cause or "no cause given"


def _serve_until_signal(stack: Stack, progress: Progress) -> None:
    try:
        progress.say(f"Tessera is ready: {stack.url}")
        progress.say("\n" + examples(stack.url))
        while True:
            signal.pause()
    except Stopped as stopped:
        progress.say(f"{stopped}: saving and stopping")


def _interrupter() -> Callable[[str], None]:
    """Function that raises `StackError` in the main thread, whatever that does. Other threads call it with a reason."""
    reasons: list[str] = []

    def fail(_number: int, _frame: FrameType | None) -> NoReturn:
        raise StackError(f"{reasons[0]}. The data are kept; start Tessera again")

    def interrupt(reason: str) -> None:
        reasons.append(reason)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    signal.signal(signal.SIGUSR1, fail)
    return interrupt


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    """Raise `Stopped` for the first signal only, so that later ones do not disturb the cleaning up."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise Stopped(number)
