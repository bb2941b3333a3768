"""Errors as problem documents (RFC 9457): what is wrong, where, and how to fix it."""

import json
import logging
import re
from collections.abc import Sequence
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.responses import Response

from matinee.display.plain_data import JsonObject
from matinee.errors import BadModel, BadRatings, BadSetting, Face, MatineeError, UnknownId
from matinee.feedback.database import StoreError
from matinee.server.asgi import Scope
from matinee.server.methods import allowed_methods

log = logging.getLogger("matinee.server")

STORE_FAILED = "the feedback store cannot be used now; the server's log says why. Try again later"
STATUS_OF: dict[type[MatineeError], int] = {
    UnknownId: 404,
    BadSetting: 422,
    BadRatings: 422,
    BadModel: 500,
    MatineeError: 422,
}
PROBLEM_TYPE = "application/problem+json"
MAX_ERRORS = 20  # listed for one request
MAX_VALUE_LENGTH = 40  # characters of an invalid value
SHOULD_BE = "Input should be"  # how pydantic begins
TYPES = {  # pydantic's error type: what JSON calls the type
    "dict_type": 'an object {"NAME": VALUE}',
    "model_attributes_type": 'an object {"NAME": VALUE}',
    "model_type": 'an object {"NAME": VALUE}',
    "list_type": "a list [VALUE, ...]",
    "bool_parsing": "true or false",
}
WHY_NOT_PARSED = re.compile(r", (unable to|got a) .*")  # how pydantic may go on
LIMITS = {  # pydantic's error type: the key of the limit, and its wording
    "less_than_equal": ("le", "at most"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"),
    "greater_than": ("gt", "above"),
}


class Problem(Exception):
    """An error that is answered with a problem document."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[dict[str, str]] = (),
        retry_after: int | None = None,
        close: bool = False,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = list(errors)
        self.headers: dict[str, str] = {}
        if retry_after is not None:
            self.headers["Retry-After"] = str(retry_after)
        if status == 401:
            self.headers["WWW-Authenticate"] = 'Bearer realm="matinee"'
        if close:
            self.headers["Connection"] = "close"

    def response(self, scope: Scope) -> Response:
        """The document: ``type, title, status, detail``, invalid fields, and the model version."""
        title = HTTPStatus(self.status).phrase
        document: dict[str, object] = {
            "type": f"urn:matinee:problem:{title.lower().replace(' ', '-')}",
            "title": title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            document["errors"] = self.errors
        state = getattr(scope.get("app"), "state", None)
        if state is not None and hasattr(state, "matinee"):
            document["model_version"] = state.matinee.main.version
        return Response(to_json(document), self.status, self.headers, media_type=PROBLEM_TYPE)


def library_problem(error: MatineeError) -> Problem:
    """The problem for an error of the library; the store's own message goes only to the log."""
    if isinstance(error, StoreError):
        log.error("%s", error)
        return Problem(503, STORE_FAILED, retry_after=5)
    status = next(STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF)
    return Problem(status, error.worded(Face.HTTP))


def validation_problem(error: RequestValidationError) -> Problem:
    """The problem for an invalid request: the fields that are wrong, and what they must be."""
    invalid = error.errors()
    errors = [{"where": _location(one), "message": _message(one)} for one in invalid[:MAX_ERRORS]]
    first = errors[0]
    more = f" (and {len(invalid) - 1} more)" if len(invalid) > 1 else ""
    return Problem(422, f"{first['where']}: {first['message']}{more}", errors=errors)


def _location(error: JsonObject) -> str:
    """The path of a field; of invalid JSON only the body, as the rest is a character position."""
    parts = error["loc"][:1] if error["type"] == "json_invalid" else error["loc"]
    return ".".join(str(part) for part in parts)


def _message(error: JsonObject) -> str:
    """What is wrong: the value and its limit where pydantic's message omits them."""
    if error["type"] == "json_invalid":
        return f"it is not JSON: {error['ctx']['error']} at character {error['loc'][-1]}"
    if error["type"] in LIMITS:
        key, comparison = LIMITS[error["type"]]
        value = str(error["input"])[:MAX_VALUE_LENGTH]
        return f"it is {value}; it must be {comparison} {error['ctx'][key]}"
    message = str(error["msg"]).removeprefix("Value error, ")
    if not message.startswith(SHOULD_BE):
        return message
    limit = WHY_NOT_PARSED.sub("", message.removeprefix(SHOULD_BE).strip())
    must_be = f"it must be {TYPES.get(error['type'], limit)}"
    value = error["input"]
    return must_be if isinstance(value, bytes) else f"it is {shortened(value)}; {must_be}"


def shortened(value: object) -> str:
    """A value as JSON, cut where it is long; lists and objects by their type alone."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    text = json.dumps(value, ensure_ascii=False).encode(errors="replace").decode()
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[:MAX_VALUE_LENGTH]}…"


def http_problem(error: HTTPException, method: str) -> Problem:
    """The problem for an error of the framework, such as an unknown path."""
    details = {
        404: "there is nothing at this path; GET /openapi.json lists all paths",
        405: f"{method} is not allowed on this path; GET /openapi.json lists what is",
    }
    problem = Problem(error.status_code, details.get(error.status_code, str(error.detail)))
    problem.headers |= dict(error.headers or {})
    return problem


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of an application with a problem document."""

    async def on_problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return error.response(request.scope)

    async def on_library_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, MatineeError)
        return library_problem(error).response(request.scope)

    async def on_validation_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return validation_problem(error).response(request.scope)

    async def on_http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        problem = http_problem(error, request.method)
        if problem.status == 405:
            problem.headers["Allow"] = ", ".join(allowed_methods(app.routes, request.scope["path"]))
            if request.method == "OPTIONS":
                return Response(status_code=204, headers={"Allow": problem.headers["Allow"]})
        return problem.response(request.scope)

    async def on_unexpected_error(request: Request, error: Exception) -> Response:
        log.error("a request failed", exc_info=error)
        return Problem(500, "the server failed; its log says why").response(request.scope)

    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(MatineeError, on_library_error)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(Exception, on_unexpected_error)
