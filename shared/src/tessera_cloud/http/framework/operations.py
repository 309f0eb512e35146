"""Operations of the API. Each is declared once; its route, validation and documentation follow from the declaration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import UnionType
from typing import Annotated, Any, TypeAlias, TypeVar, Union, get_args, get_origin

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
from pydantic import BaseModel, ValidationError

from tessera_cloud.application.backend import Backend
from tessera_cloud.application.switch import check_running
from tessera_cloud.errors import VANISHED, BusyError, NoSuchUploadError, NotFoundError, UsageError, cut
from tessera_cloud.http.framework.links import base_url
from tessera_cloud.http.framework.outcome import note
from tessera_cloud.http.framework.parameters import (
    check_json,
    is_form,
    read_body,
    read_content,
    read_form,
    read_json,
    read_parameters,
    read_query,
)
from tessera_cloud.http.framework.refusals import check_names, check_no_query, check_written, to_usage_error

JSON = "application/json"
ZIP = "application/zip"
NO_PATH = "no such path; see /docs"
_Model = TypeVar("_Model", bound=BaseModel)
_ATTEMPTS = 3


@dataclass(frozen=True)
class Answer:
    """One of the answers of an operation.

    Parameters
    ----------
    status : int
        HTTP status.
    description : str
        Description of the answer in the OpenAPI document.
    model : type, optional
        Model of the JSON body; None for other bodies.
    content_type : str, optional
        Content type; empty if there is no body.
    location : bool, optional
        Whether the answer has a Location header.
    """

    status: int
    description: str
    model: type[BaseModel] | None = None
    content_type: str = JSON
    location: bool = False


@dataclass(frozen=True)
class Operation:
    """One method of one path.

    Parameters
    ----------
    method, path : str
        HTTP method, and path with path parameters as ``{name}``.
    name : str
        Operation id.
    summary : str
        Summary in one line.
    answers : tuple of Answer
        Answers of this operation. The document also lists errors that all operations may answer with.
    description : str
        Description in whole sentences.
    query : type, optional
        Model of the query string.
    body : type, optional
        Model of the JSON body.
    form_body : type, optional
        Model of a body that is a form, where `body` may also be one.
    files : tuple of str, optional
        Content types of a body that is a file, where `body` may also be one. The function reads the body itself.
    form : bool, optional
        Whether the parameters of `query` may also come in a form or JSON body, in all spellings of TESSCut's clients.
    multipart : bool, optional
        Whether this form may also have several parts (``multipart/form-data``).
    operator : bool, optional
        Whether requests must be signed by an operator.
    paid : bool, optional
        Whether answers cost so much that they stop while the service is paused.
    """

    method: str
    path: str
    name: str
    summary: str
    answers: tuple[Answer, ...]
    description: str = field(kw_only=True)
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    form_body: type[BaseModel] | None = None
    files: tuple[str, ...] = ()
    form: bool = False
    multipart: bool = False
    operator: bool = False
    paid: bool = False

    @property
    def path_parameters(self) -> list[str]:
        """Names of the path parameters."""
        return [piece[1:-1] for piece in self.path.split("/") if piece.startswith("{")]


@dataclass(frozen=True)
class Request:
    """A request, without its query or body.

    Parameters
    ----------
    event : APIGatewayProxyEvent
        Event of API Gateway.
    provider : callable
        Returns the services. Only operations that need them call it, because the first call opens clients.
    path : mapping
        Path parameters.
    """

    event: APIGatewayProxyEvent
    provider: Callable[[], Backend]
    path: Mapping[str, str] = field(default_factory=dict)

    @property
    def services(self) -> Backend:
        """Ports, settings and clock of the use cases."""
        return self.provider()

    @property
    def base(self) -> str:
        """Address of the API as the client sees it, without a slash at the end."""
        return base_url(self.event)

    @property
    def id(self) -> str:
        """Id of the request, made by API Gateway."""
        return str(self.event.request_context.request_id)

    def content(self) -> bytes:
        """Bytes of the body, as the client sent them."""
        return read_content(self.event)

    def parameters(self, *, multipart: bool = False) -> dict[str, list[str]]:
        """Parameters of the query string and of a form or JSON body, read like TESSCut's."""
        return read_parameters(self.event, multipart=multipart)


Handler: TypeAlias = Callable[..., "Response[Any] | BaseModel"]


def _is_list(annotation: object) -> bool:
    """Whether the type of a field is a list, or a list or None."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _is_list(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return any(_is_list(choice) for choice in get_args(annotation))
    return list in (annotation, origin)


def _validated(model: type[_Model], parameters: Mapping[str, list[str]]) -> _Model:
    """Validate the parameters of a query string. A parameter that is not a list may be given once.

    Raises
    ------
    UsageError
        Naming the parameter, its value and what is allowed.
    """
    lists = {name for name, field in model.model_fields.items() if _is_list(field.annotation)}
    for name, texts in parameters.items():
        if len(texts) > 1 and name not in lists:
            message = f"{cut(name)} is given {len(texts)} times; allowed: once"
            raise UsageError(message, parameter=name, value=", ".join(texts), allowed="once")
    given = {name: texts if name in lists else texts[0] for name, texts in parameters.items()}
    check_written(model, given, in_json=False)
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise to_usage_error(error, model, given, "query") from error


def _read_body(model: type[_Model], event: APIGatewayProxyEvent) -> _Model:
    text = read_body(event)
    if not text:
        raise UsageError.about("body", None, "a JSON object")
    return validated_document(model, read_json(text))


def validated_document(model: type[_Model], document: object) -> _Model:
    """Validate the content of a JSON body.

    Raises
    ------
    UsageError
        Naming the parameter, its value and what is allowed.
    """
    check_written(model, document, in_json=True)
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise to_usage_error(error, model, document, "body") from error


def to_response(answer: Response[Any] | BaseModel) -> Response[Any]:
    """Turn a model into a JSON answer. Other answers stay unchanged."""
    if isinstance(answer, BaseModel):
        return Response(200, JSON, answer.model_dump_json(), headers=dict(NO_STORE))
    return answer


NO_STORE = {"Cache-Control": "no-store"}


class Group:
    """Operations that belong together.

    Parameters
    ----------
    tag : str
        Chapter of the documentation.
    description : str
        What the operations are for, in a sentence.
    """

    def __init__(self, tag: str, description: str) -> None:
        self.tag, self.description = tag, description
        self.operations: list[tuple[Operation, Handler]] = []

    def add(self, operation: Operation) -> Callable[[Handler], Handler]:
        """Register the decorated function for an operation. It gets the request, and the query or body if any."""

        def decorate(handler: Handler) -> Handler:
            self.operations.append((operation, handler))
            return handler

        return decorate


def answer_request(operation: Operation, handler: Handler, request: Request) -> Response[Any]:
    """Validate a request and call the function of its operation.

    Raises
    ------
    UsageError
        If the request is wrong. The message names the parameter, its value and what is allowed.
    PausedError
        If the service is paused, and the operation costs money.
    """
    if operation.operator and request.event.resource != operation.path:
        raise NotFoundError(NO_PATH)  # it was signed for another path
    if operation.paid:
        check_running(request.services)
        if request.services.switch.error:
            note(switch_error=request.services.switch.error)
    return _answer_with_cubes(operation, handler, request, _given(operation, request))


def _given(operation: Operation, request: Request) -> list[Any]:
    """The query and the body, as far as an operation has them and does not read them itself."""
    given: list[Any] = []
    if operation.form:
        if operation.query:
            check_names(operation.query, request.parameters(multipart=operation.multipart))
        return given
    if operation.query:
        given.append(_validated(operation.query, read_query(request.event)))
    elif operation.path.startswith("/v1/"):
        check_no_query(read_query(request.event), has_body=operation.body is not None)
    if operation.files:
        return given
    if operation.form_body and is_form(request.event):
        given.append(_validated(operation.form_body, read_form(read_body(request.event))))
    elif operation.body:
        check_json(request.event, only=operation.operator)
        given.append(_read_body(operation.body, request.event))
    return given


def _answer_with_cubes(operation: Operation, handler: Handler, request: Request, given: Sequence[Any]) -> Response[Any]:
    """Answer. If a cube or an image is not what the index says, look at index and sources again, and answer anew.

    Raises
    ------
    BusyError
        If it changes as often as it is read.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return to_response(handler(request, *given))
        except VANISHED as error:
            if operation.operator or isinstance(error, NoSuchUploadError):
                raise
            note(vanished=attempt, vanished_error=str(error))
            if attempt == _ATTEMPTS:
                raise BusyError("the data were replaced or removed while they were read; try again later") from error
            from tessera_cloud.application.index.look_again import look_again  # noqa: PLC0415 - most answers need no index

            look_again(request.services)
            request.services.images.checked = 0.0
    raise AssertionError
