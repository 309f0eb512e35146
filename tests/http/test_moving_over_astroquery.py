"""What astroquery's users see where JPL Horizons is down."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from astroquery.mast import TesscutClass
from astroquery.mast.services import ServiceAPI
from requests import HTTPError

from tessera_cloud.errors import NoEphemerisError
from tests.support.api import Api
from tests.support.wsgi import application


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def served(api: Api) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, application(api), handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_astroquery_raises_and_does_not_say_that_no_sector_saw_the_target(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**asked: Any) -> Any:
        raise NoEphemerisError("JPL Horizons does not answer; try again later")

    monkeypatch.setattr(api.handlers.ephemerides, "find", fail)
    with served(api) as url:
        monkeypatch.setattr(ServiceAPI, "SERVICE_URL", url)
        with pytest.raises(HTTPError, match="503"):
            TesscutClass().get_sectors(objectname="Eleonora", moving_target=True)
