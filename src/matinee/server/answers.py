"""Answers as JSON, and those that stay true kept for the next time they are asked for."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from matinee.server.asgi import App, Receive, Scope, Send

if TYPE_CHECKING:
    from matinee.server.serving import Serving
    from matinee.server.state import State

BYTES_KEPT = 96 * 1024 * 1024  # of answers
STARTED = "matinee.started"  # in a scope: when the request came
ANSWERS = "matinee.answers"  # in a scope: where to keep answers
ROUTE = "matinee.route"  # in a scope: the route of a kept answer
JSON_TYPE = "application/json"


Stamp = tuple[int, int]


class Holds(NamedTuple):
    """What an answer depends on beside its model: a user, as they were before it was made."""

    user: str | None = None
    stamp: Stamp = (0, 0)


def nothing() -> None:
    """Count nothing."""


class Kept(NamedTuple):
    """An answer that holds as long as its user's stamp is the same."""

    user: str | None
    stamp: Stamp
    body: bytes  # without its end
    route: str
    counted: Callable[[], None]  # called when it is given again


def answer(
    request: Request,
    serving: "Serving",
    strategy: str,
    content: dict[str, Any],
    holds: Holds | None = None,
    count: Callable[[], None] = nothing,
) -> Response:
    """The answer to a request: who answered and how, what was found, and how long it took.

    ``holds`` says what it depends on beside the model, so that it may be given again while
    nothing of that changes; None never keeps it. ``count`` is called whenever it is given.
    """
    body = to_json(
        {"model_version": serving.version, "strategy": strategy, **content}, inf_nan_mode="null"
    )[:-1]
    if holds is not None:
        answers: Answers = request.scope[ANSWERS]
        route = request.scope["route"].path
        answers.keep(key_of(request.scope), serving, Kept(*holds, body, route, count))
    count()
    return Response(ended(body, request.scope), media_type=JSON_TYPE)


def ended(body: bytes, scope: Scope) -> bytes:
    """A whole answer: the time it took comes last."""
    took = (time.perf_counter() - scope[STARTED]) * 1000
    return b'%b,"took_ms":%.3f}' % (body, took)


def key_of(scope: Scope) -> bytes:
    """What was asked: the path and the query, as they came."""
    key: bytes = scope["raw_path"] + b"?" + scope["query_string"]
    return key


class Answers:
    """The kept answers, the least used leaving first; as a layer, it gives them again.

    All are of the models that answer now: they leave together when these are swapped.
    """

    def __init__(self, app: App, state: "State", most: int = BYTES_KEPT) -> None:
        self.app = app
        self.state = state
        self.most = most
        self.size = 0
        self.kept: OrderedDict[bytes, Kept] = OrderedDict()
        self.of = state.serving

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET":
            scope[ANSWERS] = self
            found = self.find(key_of(scope))
            if found is not None:
                scope[ROUTE] = found.route
                found.counted()
                await send_json(ended(found.body, scope), send)
                return
        await self.app(scope, receive, send)

    def find(self, key: bytes) -> Kept | None:
        """The answer kept for a key, if it still holds."""
        self.forget_old_models()
        found = self.kept.get(key)
        if found is None:
            return None
        if found.user is not None and self.state.changes.stamp(found.user) != found.stamp:
            self.drop(key)
            return None
        self.kept.move_to_end(key)
        return found

    def keep(self, key: bytes, serving: "Serving", one: Kept) -> None:
        """Keep an answer, as long as there is room; not if its model was swapped meanwhile."""
        self.forget_old_models()
        if serving not in self.of:
            return
        self.drop(key)
        self.kept[key] = one
        self.size += len(key) + len(one.body)
        while self.size > self.most:
            self.drop(next(iter(self.kept)))

    def forget_old_models(self) -> None:
        """Let all answers go that are of models which were swapped."""
        if self.of is not self.state.serving:
            self.of = self.state.serving
            self.kept.clear()
            self.size = 0

    def drop(self, key: bytes) -> None:
        """Forget the answer to a key."""
        old = self.kept.pop(key, None)
        if old is not None:
            self.size -= len(key) + len(old.body)


async def send_json(body: bytes, send: Send) -> None:
    """Send a JSON document."""
    headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
