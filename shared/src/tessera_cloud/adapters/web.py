"""Requests to public addresses."""

from __future__ import annotations

import urllib3

from tessera import __version__
from tessera_cloud.errors import TransientError
from tessera_cloud.patience import REDIRECTIONS


def fetch(url: str, seconds: float) -> tuple[int, bytes]:
    """Send GET to an address and to at most three redirections, and wait at most `seconds` for each.

    Returns
    -------
    (int, bytes)
        Status and body of the last answer.

    Raises
    ------
    TransientError
        If there is no answer, or more redirections.
    """
    pool = urllib3.PoolManager(headers={"User-Agent": f"tessera/{__version__}"})
    try:
        answer = pool.request("GET", url, timeout=seconds, retries=REDIRECTIONS)
    except urllib3.exceptions.HTTPError as error:
        raise TransientError(f"{url} does not answer: {error}") from error
    return answer.status, answer.data
