"""The canary: a small cutout through the service's own address, compared with what it has to be."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from typing import Literal, TypeAlias
from urllib.parse import urlencode

import numpy as np
from astropy.io import fits
from pydantic import BaseModel, ConfigDict

from tessera_cloud.errors import TransientError
from tessera_cloud.ports import StateStore

Fetch: TypeAlias = Callable[[str, float], tuple[int, bytes]]
"""Sends GET to an address, waits at most some seconds, and returns status and body. Raises `TransientError`."""
KIND = "canary"
"""Kind of the records of checksums."""
PATH = "/tesscut/api/v0.1/astrocut"
_SECONDS = 35.0


class Target(BaseModel):
    """A small cutout of a cube that does not change, and what is known of it.

    Parameters
    ----------
    ra, dec : float
        Position in degrees.
    sector : int
        Sector of the cube.
    side : int
        Rows and columns of the cutout.
    cadences : int
        Number of frames of the cube.
    began, ended : float
        Range of the column TIME in days (BTJD).
    sha256 : str
        Checksum of the pixels, see `checksum`; empty to compare with that of the first run.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    ra: float
    dec: float
    sector: int
    side: int = 3
    cadences: int
    began: float
    ended: float
    sha256: str = ""

    @property
    def name(self) -> str:
        """Name of the record of its checksum."""
        return f"s{self.sector:04d}/{self.ra:.4f}/{self.dec:+.4f}/{self.side}"


class Seen(BaseModel):
    """What the canary saw: the outcome, the reason if it failed, and the checksum of the pixels."""

    outcome: Literal["passed", "failed", "paused"]
    reason: str = ""
    sha256: str = ""


class WrongAnswerError(Exception):
    """The service answered otherwise than it has to. The message says how."""


def checksum(flux: np.ndarray) -> str:
    """SHA-256 of pixels in FITS byte order, in hexadecimal digits.

    Only the column FLUX counts: cards and barycentric times change with releases and dates, and pixels do not.
    """
    return hashlib.sha256(np.ascontiguousarray(flux, dtype=">f4").tobytes()).hexdigest()


def _cut(url: str, target: Target, fetch: Fetch) -> bytes:
    query = {"ra": target.ra, "dec": target.dec, "y": target.side, "x": target.side, "sector": target.sector}
    address = f"{url}{PATH}?{urlencode(query)}"
    status, body = fetch(address, _SECONDS)
    if status != 200:
        raise WrongAnswerError(f"{address} answered {status}: {body[:200].decode('utf-8', 'replace')}")
    if not body.startswith(b"PK"):
        raise WrongAnswerError(f"{address} answered no archive, but {body[:200].decode('utf-8', 'replace')}")
    return body


def _columns(archive: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Columns FLUX and TIME of the one target pixel file of an archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as members:
            (name,) = members.namelist()
            with fits.open(io.BytesIO(members.read(name)), memmap=False) as file:
                table = [hdu.data for hdu in file][1]  # all are read, because a file may end too early
                return np.asarray(table["FLUX"]), np.asarray(table["TIME"], dtype=float)
    except Exception as error:  # a damaged file may raise anything, and is what the canary looks for
        raise WrongAnswerError(f"the answer is no archive of one target pixel file: {error}") from error


def _is_paused(url: str, fetch: Fetch) -> bool:
    status, body = fetch(f"{url}/v1/health", _SECONDS)
    health = json.loads(body) if status == 200 else None
    if not isinstance(health, dict):
        raise WrongAnswerError(f"{url}/v1/health answered {status}, and not with the state of the service")
    return bool(health.get("paused"))


def _pixels(flux: np.ndarray, times: np.ndarray, target: Target) -> str:
    """Compare pixels and times with what is known, and return the checksum."""
    wanted = (target.cadences, target.side, target.side)
    if flux.shape != wanted:
        raise WrongAnswerError(f"the pixels have the shape {flux.shape}; it has to be {wanted}")
    known = times[np.isfinite(times)]
    if not known.size or known.min() < target.began or known.max() > target.ended:
        span = f"{known.min():.3f} to {known.max():.3f}" if known.size else "nothing"
        raise WrongAnswerError(f"the times are {span}; they have to lie within {target.began:g} and {target.ended:g}")
    return checksum(flux)


def _remembered(target: Target, found: str, state: StateStore) -> str:
    """Checksum that the pixels have to have: the given one, or that of the first run."""
    if target.sha256:
        return target.sha256
    item = state.get(KIND, target.name)
    if item is None:
        state.put(KIND, target.name, {"sha256": found}, over=0)
        return found
    return str(item.value["sha256"])


def look(url: str, target: Target, *, fetch: Fetch, state: StateStore) -> Seen:
    """Ask a service for its health and for a cutout, and compare the pixels.

    Parameters
    ----------
    url : str
        Address of the service, without a slash at the end.
    target : Target
        What to cut.
    fetch : callable
        Sends a request.
    state : StateStore
        Has the checksum of the first run.

    Returns
    -------
    Seen
        ``paused`` if the service says so. Then nothing is cut, and nothing is wrong.
    """
    try:
        if _is_paused(url, fetch):
            return Seen(outcome="paused")
        found = _pixels(*_columns(_cut(url, target, fetch)), target)
        expected = _remembered(target, found, state)
    except (WrongAnswerError, TransientError, ValueError) as error:
        return Seen(outcome="failed", reason=str(error))
    if found != expected:
        reason = f"the pixels have the checksum {found}; it has to be {expected}"
        return Seen(outcome="failed", reason=reason, sha256=found)
    return Seen(outcome="passed", sha256=found)
