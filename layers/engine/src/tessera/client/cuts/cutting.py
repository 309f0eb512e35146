"""Operations that make cutouts: at once where the service can, and by a job otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from tessera.client.cuts.archives import unpack
from tessera.client.cuts.orders import Order, OrderForm
from tessera.client.cuts.results import NOWHERE, ServiceCutout
from tessera.client.places import Position, TargetInput, read_position
from tessera.client.records import JobState, read_place
from tessera.client.watching import JOB, Show, watch
from tessera.client.wire.documents import ask, read_fields
from tessera.client.wire.exchange import check_kind, exchange
from tessera.client.wire.failures import DamagedAnswerError, FailedJobError, NothingFoundError
from tessera.client.wire.steps import Answer, Send, Service, Steps, work
from tessera.cutouts.output_names import check_replaceable_by
from tessera.cutouts.results import Status
from tessera.errors import UNREADABLE
from tessera.io.temporary import largest_temporary
from tessera.targets.places import NamedPlace

_ZIPS = ("application/zip", "application/x-zip-compressed", "application/octet-stream", "binary/octet-stream")
_FITS = (".fits",)


@dataclass(frozen=True)
class Delivery:
    """Where results go, and whose they are.

    Parameters
    ----------
    folder : Path or None
        Folder of the files; without it, results contain them as bytes.
    number : int
        Number of the target.
    target : object
        Target as it was given.
    show : callable, optional
        Shows the progress of a job: ``show(done, total)``, in cubes.
    """

    folder: Path | None = None
    number: int = 0
    target: Any = None
    show: Show | None = None


def failed(
    delivery: Delivery, place: tuple[float, float], status: Status, reason: str, cube: str = ""
) -> ServiceCutout:
    """Result of a target that could not be cut."""
    return ServiceCutout(cube, *place, status, reason, number=delivery.number, target=delivery.target)


def resolve(name: str, service: Service) -> Steps[NamedPlace]:
    """Ask for the position of a name."""
    return ask(service.get("/v1/resolve", name=name), service, read_place)


def settle_position(target: TargetInput, service: Service, argument: str = "target") -> Steps[Position]:
    """Read a position that a user gave; ask for that of a name."""
    position = read_position(target, argument)
    if position.is_known:
        return position
    place = yield from resolve(position.name, service)
    return Position(place.ra, place.dec)


def settle(order: Order, service: Service) -> Steps[Order]:
    """Ask for the position of an order that has a name."""
    if isinstance(order.target, Position) and not order.target.is_known:
        place = yield from resolve(order.target.name, service)
        return order.at(place.ra, place.dec)
    return order


def cut(order: Order, delivery: Delivery, service: Service) -> Steps[list[ServiceCutout]]:
    """Make cutouts, and wait for them."""
    order = yield from settle(order, service)
    request = order.cutouts_request(service)
    answer = yield from exchange(Send(request.method, request.url, request.document, largest_temporary()), service)
    with answer:
        if answer.status != HTTPStatus.ACCEPTED:
            return (yield from work(lambda: _unpacked(answer, order.place, delivery, service)))
        state = read_fields(answer, service, JobState.read)
    service.narrator.say("%s makes the cutouts as job %s", service.address, state.id)
    state = yield from watch(state, lambda: look(state.id, service), service, JOB, show=delivery.show)
    return (yield from fetch(state, order.place, delivery, service))


def cut_one_of_many(form: OrderForm, delivery: Delivery, service: Service) -> Steps[list[ServiceCutout]]:
    """Make the cutouts of one of many targets. Errors become results."""
    place = NOWHERE
    try:
        order = form.order(delivery.target)
        place = order.place
        order = yield from settle(order, service)
        place = order.place
        return (yield from cut(order, delivery, service))
    except NothingFoundError as error:
        return [failed(delivery, place, "no overlap", str(error))]
    except UNREADABLE as error:
        return [failed(delivery, place, "error", str(error))]


def _unpacked(answer: Answer, place: tuple[float, float], delivery: Delivery, service: Service) -> list[ServiceCutout]:
    check_kind(answer, service, _ZIPS, "an archive")

    def check(path: Path, start: bytes) -> None:
        _check_fits(path.name, start, answer.where)
        check_replaceable_by(path, start)

    results = []
    for name, content in unpack(answer, delivery.folder, _FITS, check):
        if isinstance(content, bytes):
            _check_fits(name, content, answer.where)
        results.append(_result(name, content, place, delivery))
    return results


def _check_fits(name: str, start: bytes, where: str) -> None:
    if not start.startswith(b"SIMPLE  ="):
        raise DamagedAnswerError(f"{where} sends {name}, which is not a FITS file")


def _result(name: str, content: bytes | Path, place: tuple[float, float], delivery: Delivery) -> ServiceCutout:
    data, path = (content, None) if isinstance(content, bytes) else (None, content)
    cube = name.partition("_")[0]
    return ServiceCutout(
        cube, *place, "ok", "", name, data=data, path=path, number=delivery.number, target=delivery.target
    )


def start_job(order: Order, service: Service) -> Steps[tuple[Order, JobState]]:
    """Begin a job, or find it."""
    order = yield from settle(order, service)
    return order, (yield from ask(order.job_request(service), service, JobState.read))


def look(job_id: str, service: Service) -> Steps[JobState]:
    """Ask for the state of a job."""
    return ask(service.get(f"{JOB.path}/{job_id}"), service, JobState.read)


def fetch(
    state: JobState, place: tuple[float, float], delivery: Delivery, service: Service
) -> Steps[list[ServiceCutout]]:
    """Load the files of a job that has ended.

    Raises
    ------
    FailedJobError
        When the job has no files.
    """
    if not state.archive:
        raise no_result(state, service)
    with (yield from load(state.archive, service)) as answer:
        made = yield from work(lambda: _unpacked(answer, place, delivery, service))
    lost = [cube for cube in state.cubes if cube.status == "failed"]
    results = made + [failed(delivery, place, "error", cube.reason, cube.cube) for cube in lost]
    if state.n_failed > len(lost):  # the service names cubes that could not be read only in the reason of the job
        results.append(failed(delivery, place, "error", state.reason or f"{state.n_failed} cubes could not be cut"))
    return results


def no_result(state: JobState, service: Service) -> FailedJobError:
    """Error of a job that has no files."""
    reason = state.reason or "; ".join(f"{cube.cube}: {cube.reason}" for cube in state.cubes if cube.reason)
    said = f"{service.address} has no result of the job {state.id}, which is {state.status}"
    return FailedJobError(f"{said}: {reason}" if reason else said)


def load(url: str, service: Service) -> Steps[Answer]:
    """Load a file of a result."""
    return exchange(Send("GET", url, most=largest_temporary()), service)
