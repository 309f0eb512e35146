"""A cube with a star that varies, and requests for previews of it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import numpy as np

from tessera_cloud.contracts import BuildRequest
from tessera_cloud.http.previews.models import Preview
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import DEC, RA, SHAPE, Answered, Api, _answered, proxy_event
from tests.support.builds import run_build, store_with
from tests.support.frames import CADENCE_DAYS, FIRST_TSTART, centred_wcs, spoc_frame

CUBE = "tess-s0001-4-2"
N = 24
STAR = (20, 14)
FLAGGED = {5: 32, 11: 4096}


def frame_pixels(cadence: int) -> tuple[Any, Any]:
    """Flux and error: a star that varies, one that does not, and stray light that grows."""
    flux = np.random.default_rng([7, cadence]).normal(100, 1, SHAPE)
    flux += 3.0 * cadence
    flux[20:22, 14:16] += 500 + 100 * np.sin(cadence)
    flux[25, 10] += 800
    return flux.astype(np.float32), np.full(SHAPE, 2.5, np.float32)


def star_store() -> MemoryStore:
    """A store with a cube of these frames."""
    frames = []
    for cadence in range(N):
        flux, error = frame_pixels(cadence)
        start = FIRST_TSTART + cadence * CADENCE_DAYS
        frames.append(
            spoc_frame(
                cadence_index=cadence,
                flux=flux,
                error=error,
                wcs_cards=centred_wcs(SHAPE),
                tstart=start,
                tstop=start + CADENCE_DAYS,
                dquality=FLAGGED.get(cadence, 0),
            )
        )
    store = store_with(frames)
    run_build(store, BuildRequest(sector=1, camera=4, ccd=2))
    return store


def ask(api: Api, path: str = "/v1/preview", *, headers: dict[str, str] | None = None, **query: Any) -> Answered:
    """Ask for a preview of the star."""
    given = {"cube": CUBE, "ra": RA, "dec": DEC, "size": "9"} | query
    event = proxy_event("GET", path, path, urlencode(given))
    event["headers"] |= headers or {}
    event["multiValueHeaders"] |= {name: [value] for name, value in (headers or {}).items()}
    return _answered(api.handlers.invoke("cutout_api", event))


def whole(api: Api, **query: Any) -> dict[str, Any]:
    """A preview of the star as JSON, which its model describes wholly."""
    answer = ask(api, **query)
    assert answer.status == 200, answer.content
    document: dict[str, Any] = json.loads(answer.content)
    Preview.model_validate(document, extra="forbid")
    return document
