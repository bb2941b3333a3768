"""Errors as problem documents (RFC 9457): what is wrong, where, and what to do."""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.responses import Response

from matinee.errors import BadModel, BadRatings, BadSetting, Face, MatineeError, UnknownId
from matinee.feedback.store import StoreError
from matinee.server.asgi import Scope

log = logging.getLogger("matinee.server")

STORE_FAILED = "the feedback store cannot be used now; the server's log says why. Try again later"
STATUS_OF: dict[type[MatineeError], int] = {
    UnknownId: 404,
    BadSetting: 422,
    BadRatings: 422,
    BadModel: 500,
    MatineeError: 422,
}
MOST_ERRORS = 20  # listed of one request
MOST_SHOWN = 40  # characters of a value that is named
LIMITS = {  # pydantic's name of a broken limit: where it keeps the limit, and our words
    "less_than_equal": ("le", "at most"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"),
    "greater_than": ("gt", "above"),
}


class Problem(Exception):
    """Something that is answered with a problem document instead of what was asked for."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[dict[str, Any]] = (),
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
        """The document: ``type, title, status, detail``, where it was, and what answered."""
        title = HTTPStatus(self.status).phrase
        document: dict[str, Any] = {
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
        return Response(
            to_json(document), self.status, self.headers, media_type="application/problem+json"
        )


def of_error(error: MatineeError) -> Problem:
    """The problem that one of the library's errors is."""
    if isinstance(error, StoreError):
        log.error("%s", error)
        return Problem(503, STORE_FAILED, retry_after=5)
    status = next(STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF)
    return Problem(status, error.worded(Face.HTTP))


def of_validation(error: RequestValidationError) -> Problem:
    """A request that is not of the shape asked for: which part, and what it should be."""
    errors = []
    for one in error.errors()[:MOST_ERRORS]:
        broken = one["type"] == "json_invalid"  # then the rest of its place is a character
        place = ".".join(str(part) for part in one["loc"][: 1 if broken else None])
        errors.append({"where": place, "message": _message(one)})
    first = errors[0]
    more = f" (and {len(error.errors()) - 1} more)" if len(error.errors()) > 1 else ""
    return Problem(422, f"{first['where']}: {first['message']}{more}", errors=errors)


def _message(error: dict[str, Any]) -> str:
    """What is wrong in our words, with value and limit, where they say more than pydantic's."""
    if error["type"] == "json_invalid":
        return f"it is not JSON: {error['ctx']['error']} at character {error['loc'][-1]}"
    if error["type"] in LIMITS:
        key, words = LIMITS[error["type"]]
        value = str(error["input"])[:MOST_SHOWN]
        return f"it is {value}; it must be {words} {error['ctx'][key]}"
    return str(error["msg"]).removeprefix("Value error, ")


def answer_with_problems(app: FastAPI) -> None:
    """Let an application answer every error with a problem document."""

    async def problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return error.response(request.scope)

    async def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, MatineeError)
        return of_error(error).response(request.scope)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return of_validation(error).response(request.scope)

    async def of_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        told = {
            404: "there is nothing at this path; GET /openapi.json lists what there is",
            405: f"{request.method} is not for this path; GET /openapi.json says what is",
        }
        found = Problem(error.status_code, told.get(error.status_code, str(error.detail)))
        found.headers |= dict(error.headers or {})
        return found.response(request.scope)

    async def unforeseen(request: Request, error: Exception) -> Response:
        log.error("an answer failed", exc_info=error)
        return Problem(500, "the server failed; its log says why").response(request.scope)

    app.add_exception_handler(Problem, problem)
    app.add_exception_handler(MatineeError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(Exception, unforeseen)
