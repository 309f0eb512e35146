"""The API in this process: requests go through the routes of the template to the real handlers, as proxy events."""

from __future__ import annotations

import base64
import dataclasses
import io
import itertools
import json
import re
import zipfile
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tessera.sky.wcs import frame_wcs
from tessera_cloud.contracts import BuildRequest
from tessera_cloud.errors import NoCutoutsError
from tessera_cloud.http.documents.openapi import GROUPS
from tessera_cloud.ports import ObjectStore
from tessera_cloud.settings import BulkSettings, Settings
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.archives import file_names
from tests.support.builds import SETTINGS, run_build, store_with
from tests.support.frames import NamedFrame, centred_wcs, spoc_frame, tiny_error, tiny_flux, tiny_sector
from tests.support.handlers import Handlers
from tests.support.tica import tica_frame
from tests.template.documents import Json, folder_of, functions

HOST = "abc.execute-api.us-east-1.amazonaws.com"
BASE = f"https://{HOST}/prod"
SHAPE = (40, 30)
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:"
JOBS, BUILDS, LISTS = f"{MACHINE}CutoutJob", f"{MACHINE}CubeBuild", f"{MACHINE}BulkJob"
API_SETTINGS = dataclasses.replace(
    SETTINGS,
    cutout_job_machine=JOBS,
    cube_build_machine=BUILDS,
    max_sync_pixels=100,
    max_job_pixels=900,
    bulk=BulkSettings(machine=LISTS),
)
RA, DEC = (float(value) for value in frame_wcs(dict(centred_wcs(SHAPE))).all_pix2world([[14.2, 20.3]], 0)[0])
N_CADENCES = {1: 5, 2: 4}


def sky(row: float, column: float) -> tuple[float, float]:
    """Position of a pixel of the frames, RA and Dec in degrees."""
    ra, dec = frame_wcs(dict(centred_wcs(SHAPE))).all_pix2world([[column, row]], 0)[0]
    return float(ra), float(dec)


def same_field_in_sector_two() -> list[NamedFrame]:
    """Frames of another sector with the same WCS."""
    return [
        spoc_frame(
            sector=2,
            cadence_index=cadence,
            flux=tiny_flux(cadence, SHAPE),
            error=tiny_error(cadence, SHAPE),
            wcs_cards=centred_wcs(SHAPE),
            tstart=1355.0 + cadence,
            tstop=1355.5 + cadence,
        )
        for cadence in range(N_CADENCES[2])
    ]


def store_of_cubes(*, tica: bool = False) -> MemoryStore:
    """Store with cubes of two sectors at the same place on the sky, and with `tica` also a TICA cube elsewhere."""
    frames = [*tiny_sector(N_CADENCES[1], SHAPE), *same_field_in_sector_two()]
    store = store_with(frames + [tica_frame(n, tiny_flux(n, SHAPE)) for n in range(3)] if tica else frames)
    for sector in (1, 2):
        run_build(store, BuildRequest(sector=sector, camera=4, ccd=2))
    if tica:
        run_build(store, BuildRequest(sector=27, camera=1, ccd=4, product="TICA"))
    return store


@dataclass(frozen=True)
class Answered:
    """Answer that a client gets."""

    status: int
    headers: dict[str, str]
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def location(self) -> str:
        return self.headers["location"]

    @property
    def members(self) -> list[str]:
        return zipfile.ZipFile(io.BytesIO(self.content)).namelist()

    @property
    def files(self) -> list[str]:
        """Members of an archive but for the description of it."""
        return file_names(zipfile.ZipFile(io.BytesIO(self.content)))


def _routes() -> list[tuple[str, str, bool]]:
    """Path, folder of the function, and whether requests must be signed. A function answers all methods of a path."""
    found = []
    for name, body in functions().items():
        for event in body.get("Events", {}).values():
            if event["Type"] == "Api":
                properties: Json = event["Properties"]
                assert properties["Method"] == "any", f"{properties['Path']}: Method must be any, so that HEAD works"
                signed = properties.get("Auth", {}).get("Authorizer") == "AWS_IAM"
                found.append((properties["Path"], folder_of(name), signed))
    return found


ROUTES = _routes()
OPERATIONS = [(each.method, each.path) for group in GROUPS for each, _ in group.operations]
"""Method and path of each operation."""
_REQUESTS = itertools.count()


NO_PATH = Answered(404, {}, b'{"msg": "no such path", "error": {"code": "not_found", "message": "no such path"}}')
"""Answer of API Gateway for a path that does not exist, and for a request that is not signed."""


class Api:
    """The handlers, with routes and signature checks of API Gateway in front."""

    def __init__(self, store: ObjectStore, settings: Settings = API_SETTINGS) -> None:
        self.handlers = Handlers(store)
        self.handlers.services = dataclasses.replace(self.handlers.services, settings=settings)

    @property
    def store(self) -> MemoryStore:
        store = self.handlers.services.store
        assert isinstance(store, MemoryStore)
        return store

    def get(self, target: str, **query: Any) -> Answered:
        return self.request("GET", f"{target}?{urlencode(query, doseq=True)}" if query else target)

    def post(
        self, target: str, document: Any = None, *, signed: bool = False, address: str = "127.0.0.1", **form: Any
    ) -> Answered:
        if form:
            body, kind = urlencode(form, doseq=True).encode(), "application/x-www-form-urlencoded"
        else:
            body, kind = json.dumps(document).encode(), "application/json"
        return self.request("POST", target, body=body, content_type=kind, signed=signed, address=address)

    def request(
        self,
        method: str,
        target: str,
        *,
        body: bytes = b"",
        content_type: str = "",
        signed: bool = False,
        address: str = "127.0.0.1",
        encoding: str = "",
    ) -> Answered:
        """Send a request to a path, or to the address in an answer."""
        place = urlsplit(target.removeprefix(BASE))
        for path, function, must_sign in ROUTES:
            pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path))
            if re.fullmatch(pattern, place.path):
                if must_sign and not signed:
                    return NO_PATH
                event = proxy_event(method, place.path, path, place.query, body=body, content_type=content_type)
                event["requestContext"]["identity"]["sourceIp"] = address
                event["headers"] |= {"Content-Encoding": encoding} if encoding else {}
                return _answered(self.handlers.invoke(function, event))
        return NO_PATH

    def run_jobs(self) -> list[str]:
        """Run all jobs as the state machine would, also those that start meanwhile; return names of executions."""
        done: list[str] = []
        executions = self.handlers.executions
        while name := next((name for name in self.running_jobs() if name not in done), None):
            request = dict(executions.executions[JOBS, name].request or {})
            try:
                for item in self.handlers.invoke("plan_job", request)["items"]:
                    self.handlers.invoke("cut_item", {"job": request["job"], "item": item})
                self.handlers.invoke("finish_job", request | {"machine": JOBS})
                executions.end(JOBS, name)
            except NoCutoutsError as error:
                caught = {"Error": "NoCutoutsError", "Cause": json.dumps({"errorMessage": str(error)})}
                self.handlers.invoke("tend_jobs", request | {"machine": JOBS, "error": caught})
                executions.end(JOBS, name, "FAILED", error="NoCutoutsError", cause=caught["Cause"])
            done.append(name)
        return done

    def running_jobs(self) -> list[str]:
        """Names of the executions that run."""
        return [
            name
            for (machine, name), execution in self.handlers.executions.executions.items()
            if machine == JOBS and execution.status == "RUNNING"
        ]

    def sweep_jobs(self) -> None:
        """What the schedule of a minute does."""
        self.handlers.invoke("tend_jobs", {"machine": JOBS})


def proxy_event(
    method: str, path: str, resource: str, query: str, *, body: bytes = b"", content_type: str = ""
) -> dict[str, Any]:
    """Event that API Gateway makes of a request."""
    headers = {"Host": HOST, "X-Forwarded-Proto": "https"} | ({"Content-Type": content_type} if content_type else {})
    several = parse_qs(query, keep_blank_values=True)
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in several.items()} or None,
        "multiValueQueryStringParameters": several or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abc",
            "domainName": HOST,
            "httpMethod": method,
            "identity": {"sourceIp": "127.0.0.1"},
            "path": f"/prod{path}",
            "requestId": f"c6af9ac6-7b61-11e6-9a41-{next(_REQUESTS):012x}",
            "resourcePath": resource,
            "stage": "prod",
        },
        "body": base64.b64encode(body).decode() if body else None,
        "isBase64Encoded": bool(body),
    }


def _answered(answer: dict[str, Any]) -> Answered:
    text = answer.get("body") or ""
    content = base64.b64decode(text) if answer.get("isBase64Encoded") else text.encode()
    headers = {name.lower(): values[0] for name, values in answer["multiValueHeaders"].items()}
    return Answered(answer["statusCode"], headers, content)
