"""``tessera-admin smoke URL``: a few requests that prove a deployment, with the time of each."""

from __future__ import annotations

import argparse
import io
import json
import re
import time
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import urllib3
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from tessera.client.wire.address import Address, read_address
from tessera.errors import InvalidValueError, TesseraError
from tessera.sky.footprint import Footprint
from tessera.sky.position_text import parse_position
from tessera.sky.sphere import unit_vectors
from tessera_cloud.admin.command import Operator, Subparsers, add_command
from tessera_cloud.admin.lines import Line, exit_code, show
from tessera_cloud.bootstrap import USER_AGENT
from tessera_cloud.patience import REDIRECTIONS

TARGETS = ((84.2912, -80.4691), (98.2164, -75.9018))
"""Positions that are asked for first: pi Mensae, in MAST's cubes, and a star of the demonstration of `make local`."""
SIDE = 5
_SECONDS = 35.0
"""Longest wait for an answer: the API answers within 29 seconds."""


class WrongAnswerError(Exception):
    """A service answered otherwise than it should. The message says how."""


class _NotTriedError(Exception):
    """A step needs what an earlier step has not found."""


def register(commands: Subparsers) -> None:
    """Add the command."""
    parser = add_command(commands, "smoke", "prove a deployment with a few requests", run, stack=False)
    parser.add_argument(
        "url", metavar="URL", help="output PageUrl or CutoutApiUrl, your domain, or http://127.0.0.1:3000"
    )
    parser.add_argument("--target", metavar="'RA DEC'", help="position that a cube of the service sees, in degrees")


def run(asked: argparse.Namespace, _operator: Operator) -> int:
    """Ask everything, and print a line for each answer."""
    smoke = Smoke(read_address(asked.url), _position(asked.target) if asked.target else None)
    lines = []
    for line in smoke.lines():
        show(line)
        lines.append(line)
    return exit_code(lines)


def _position(text: str) -> tuple[float, float]:
    position = parse_position(text, "target")
    if position is None:
        raise InvalidValueError("target", text, "right ascension and declination, such as '84.2912 -80.4691'")
    return position


@dataclass
class Smoke:
    """The requests. Each uses what the ones before found.

    Parameters
    ----------
    address : Address
        Address of the service.
    target : (float, float) or None
        Right ascension and declination in degrees of a position to cut; by default one that the service has.
    """

    address: Address
    target: tuple[float, float] | None = None
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(headers={"User-Agent": USER_AGENT}))
    sector: int = 0
    cube: str = ""

    def lines(self) -> Iterator[Line]:
        """Make the requests, and yield a `Line` after each."""
        steps = (self.health, self.openapi, self.sectors, self.cutout, self.preview, self.page)
        for step in steps:
            yield self._line(step)

    def _line(self, step: Callable[[], str | Line]) -> Line:
        began = time.monotonic()
        try:
            said = step()
        except (
            WrongAnswerError,
            TesseraError,
            urllib3.exceptions.HTTPError,
            zipfile.BadZipFile,
            zlib.error,
            OSError,
        ) as error:
            said = Line("fail", step.__name__, " ".join(str(error).split()), _advice(error))
        except _NotTriedError:
            said = Line("skip", step.__name__, "not tried, because no position is known that a cube sees")
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            said = Line("fail", step.__name__, f"the answer has another form: {type(error).__name__} {error}")
        line = said if isinstance(said, Line) else Line("ok", step.__name__, said)
        return Line(line.state, line.what, f"{line.says} ({time.monotonic() - began:.2f} s)", line.advice)

    def _get(self, path: str, kind: str, **query: object) -> bytes:
        url = self.address.link(path, **query)
        try:
            answer = self.pool.request("GET", url, timeout=_SECONDS, retries=REDIRECTIONS)
        except urllib3.exceptions.MaxRetryError as error:
            raise urllib3.exceptions.HTTPError(f"{url.partition('?')[0]} cannot be reached: {_cause(error)}") from error
        found = answer.headers.get("content-type", "none")
        if answer.status != 200:
            raise WrongAnswerError(f"{url} answers {answer.status}: {_reason(answer.data)}")
        if kind not in found and "octet-stream" not in found:
            raise WrongAnswerError(f"{url} answers with content type {found}; it should have {kind}")
        return answer.data

    def _json(self, path: str, **query: object) -> dict[str, Any]:
        try:
            found = json.loads(self._get(path, "json", **query))
        except ValueError as error:
            raise WrongAnswerError(f"{path} answers with text that is not JSON: {error}") from error
        if not isinstance(found, dict):
            raise WrongAnswerError(f"{path} answers with JSON that is not an object")
        return found

    def health(self) -> str | Line:
        """State of the service."""
        found = self._json("/v1/health")
        if "cubes" not in found or "version" not in found:
            raise WrongAnswerError(f"/v1/health has no number of cubes and no version, but {sorted(found)}")
        says = f"version {found['version']}, {found['cubes']} cubes"
        if paused := found.get("paused"):
            reason = paused.get("reason", "no reason") if isinstance(paused, dict) else "no reason"
            return Line(
                "warn", "health", f"paused ({reason}), {says}", "make resume STACK=..., when the reason is gone"
            )
        if not found["cubes"]:
            return Line("fail", "health", f"no cubes, {says}", "start an execution of FootprintIndex, or build a cube")
        return says

    def openapi(self) -> str:
        """Document of the API."""
        paths = self._json("/openapi.json").get("paths", {})
        wanted = ("/v1/health", "/tesscut/api/v0.1/sector", "/tesscut/api/v0.1/astrocut")
        if missing := [path for path in wanted if path not in paths]:
            raise WrongAnswerError(f"/openapi.json does not describe {', '.join(missing)}")
        return f"{len(paths)} paths"

    def sectors(self) -> str:
        """Sectors of a known target."""
        places = [self.target] if self.target else [*TARGETS, None]
        for place in places:
            ra, dec = place or self._of_first_cube()
            found = self._json("/tesscut/api/v0.1/sector", ra=ra, dec=dec).get("results", [])
            if found:
                self.target = (ra, dec)
                self.sector, self.cube = int(found[0]["sector"]), str(found[0]["sectorName"])
                return f"{len(found)} cubes at {ra:.4f} {dec:+.4f}, first {self.cube}"
        raise WrongAnswerError(f"no cube sees {ra} {dec}")

    def _of_first_cube(self) -> tuple[float, float]:
        cubes = self._json("/v1/cubes", product="SPOC", limit=1).get("cubes", [])
        if not cubes:
            raise WrongAnswerError("/v1/cubes lists no cubes")
        corners = Footprint.parse_s_region(cubes[0]["s_region"]).vertices
        x, y, z = unit_vectors(corners[:, 0], corners[:, 1]).mean(axis=0)
        return float(np.rad2deg(np.arctan2(y, x))) % 360, float(np.rad2deg(np.arctan2(z, np.hypot(x, y))))

    def _needs_target(self) -> tuple[float, float]:
        if self.target is None or not self.cube:
            raise _NotTriedError
        return self.target

    def cutout(self) -> str:
        """A small cutout, read as FITS."""
        ra, dec = self._needs_target()
        query = {"ra": ra, "dec": dec, "y": SIDE, "x": SIDE, "sector": self.sector}
        archive = zipfile.ZipFile(io.BytesIO(self._get("/tesscut/api/v0.1/astrocut", "zip", **query)))
        names = [name for name in archive.namelist() if name.endswith(".fits")]
        if not names:
            raise WrongAnswerError(f"the archive of the cutout has no FITS file, but {archive.namelist()}")
        return f"{names[0]}: {check_pixels(archive.read(names[0]))}"

    def preview(self) -> str:
        """Light curve of the same pixels."""
        ra, dec = self._needs_target()
        self._json("/v1/preview", cube=self.cube, ra=ra, dec=dec, size=SIDE)
        picture = self._get("/v1/preview.png", "png", cube=self.cube, ra=ra, dec=dec, size=SIDE)
        if not picture.startswith(b"\x89PNG"):
            raise WrongAnswerError("/v1/preview.png is not a PNG")
        return f"light curve and a picture of {len(picture)} bytes"

    def page(self) -> str | Line:
        """Start page, and its program."""
        text = self._get("/", "html").decode("utf-8", "replace")
        if "/openapi.json" in text:
            return Line("skip", "page", "not at the address of the API", "make smoke URL=<output PageUrl>")
        if "js/main.js" not in text:
            raise WrongAnswerError("/ is not the page of Tessera")
        self._get("/js/main.js", "javascript")
        return "start page and its program"


def check_pixels(data: bytes) -> str:
    """Read a target pixel file with its checksums, and say what it has.

    Raises
    ------
    WrongAnswerError
        If a checksum is wrong, or pixels or times are not as they should be.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", AstropyWarning)
        try:
            with fits.open(io.BytesIO(data), checksum=True) as file:
                pixels = file[1].data
                flux, times = np.array(pixels["FLUX"]), np.array(pixels["TIME"])
                aperture = file[2].data.shape
        except (AstropyWarning, LookupError, OSError, ValueError) as error:
            raise WrongAnswerError(f"the cutout is not a target pixel file: {error}") from error
    if flux.shape[1:] != (SIDE, SIDE) or aperture != (SIDE, SIDE):
        raise WrongAnswerError(f"the cutout has {flux.shape[1:]} pixels; asked were {SIDE} x {SIDE}")
    if not len(times) or not np.isfinite(flux).any():
        raise WrongAnswerError(f"the cutout has {len(times)} cadences and no finite pixel")
    return f"{len(times)} cadences, checksums right, {np.isfinite(flux).mean():.0%} of the pixels finite"


def _cause(error: urllib3.exceptions.MaxRetryError) -> str:
    """What the network said, without the objects that urllib3 names before it."""
    said = re.sub(r"\w+\((?:host|'<).*?\): ", "", str(error.reason or error))
    return said.removeprefix("Failed to establish a new connection: ")


def _reason(data: bytes) -> str:
    """Message of an error of ours, or the beginning of another text."""
    text = data[:500].decode("utf-8", "replace")
    try:
        error = json.loads(data)["error"]
        text = str(error["message"] if isinstance(error, dict) else error)
    except (ValueError, KeyError, TypeError):
        pass
    return " ".join(text.split())[:200]


def _advice(error: Exception) -> str:
    if isinstance(error, urllib3.exceptions.HTTPError):
        return "check the address, and that the stack is deployed or `make local` runs"
    text = str(error)
    if "/ is not the page" in text or re.search(r"/(js/main\.js)? answers 40[34]", text):
        return "make publish-page STACK=..., if the page was never published"
    if "no cube sees" in text:
        return "name a position that a cube of yours sees: --target 'RA DEC'"
    if " answers 5" in text:
        return "read the log group of the service, see docs/operations/alarms.md"
    return ""
