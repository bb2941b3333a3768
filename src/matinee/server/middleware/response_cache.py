"""A cache of responses, valid while the models and the feedback they depend on are unchanged."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from pydantic_core import to_json

from matinee.display.plain_data import JsonMapping, JsonObject
from matinee.server.asgi import App, Receive, Scope, Send
from matinee.server.lifecycle import ServerState
from matinee.server.middleware.request_metrics import CACHED_ROUTE, START_TIME
from matinee.server.snapshot import ModelSnapshot

MAX_CACHE_BYTES = 96 * 1024 * 1024
CACHE = "matinee.response_cache"  # scope key: the cache that may store the response


class Dependency(NamedTuple):
    """What a response depends on besides its model: a user, with their stamp before computing."""

    user: str | None = None
    stamp: tuple[int, int] = (0, 0)
    personal: bool = False  # about people, although about no single one


class CachedResponse(NamedTuple):
    """A JSON body that is valid while its user's stamp is unchanged."""

    dependency: Dependency
    body: bytes  # without the time taken, which comes last
    route: str
    on_send: Callable[[], JsonObject]  # what is added each time the response is sent
    etag: bytes  # names the body


class ResponseCacheMiddleware:
    """Serves cached responses to GET requests; evicts the least recently used.

    All entries belong to the current models: a reload clears the cache.
    """

    def __init__(self, app: App, state: ServerState, max_bytes: int = MAX_CACHE_BYTES) -> None:
        self.app = app
        self.state = state
        self.max_bytes = max_bytes
        self.size = 0  # bytes of keys and bodies
        self.entries: OrderedDict[bytes, CachedResponse] = OrderedDict()
        self.snapshots = state.snapshots

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET":
            scope[CACHE] = self
            response = self.get(cache_key(scope))
            if response is not None:
                scope[CACHED_ROUTE] = response.route
                await send_cached(response, scope, send)
                return
        await self.app(scope, receive, send)

    def get(self, key: bytes) -> CachedResponse | None:
        """The valid response for a key, or None."""
        self._drop_old_models()
        response = self.entries.get(key)
        if response is None:
            return None
        user, stamp, _ = response.dependency
        if user is not None and self.state.changes.stamp(user) != stamp:
            self._drop(key)
            return None
        self.entries.move_to_end(key)
        return response

    def put(self, key: bytes, snapshot: ModelSnapshot, response: CachedResponse) -> None:
        """Store a response, unless its model has been replaced in the meantime."""
        self._drop_old_models()
        if snapshot not in self.snapshots:
            return
        self._drop(key)
        self.entries[key] = response
        self.size += len(key) + len(response.body)
        while self.size > self.max_bytes:
            self._drop(next(iter(self.entries)))

    def _drop_old_models(self) -> None:
        if self.snapshots is not self.state.snapshots:
            self.snapshots = self.state.snapshots
            self.entries.clear()
            self.size = 0

    def _drop(self, key: bytes) -> None:
        response = self.entries.pop(key, None)
        if response is not None:
            self.size -= len(key) + len(response.body)


def cache_key(scope: Scope) -> bytes:
    """The path and query of a request, percent-encoded as they arrived."""
    key: bytes = scope["raw_path"] + b"?" + scope["query_string"]
    return key


def with_duration(body: bytes, scope: Scope, members: JsonMapping) -> bytes:
    """A complete JSON body: its own, members of this sending, the milliseconds since its request.

    ``body`` lacks the closing brace.
    """
    own = b"," + to_json(members)[1:-1] if members else b""
    milliseconds = (time.perf_counter() - scope[START_TIME]) * 1000
    return b'%b%b,"took_ms":%.3f}' % (body, own, milliseconds)


def etag_of(body: bytes) -> bytes:
    """A weak validator of a body: equal bodies differ only in the time they took."""
    return b'W/"%b"' % hashlib.blake2b(body, digest_size=12).hexdigest().encode()


def cache_headers(dependency: Dependency, etag: bytes) -> list[tuple[bytes, bytes]]:
    """Headers by which a client may ask whether a response is unchanged.

    What is the same for everybody may be stored by browsers; what is about a person may not.
    """
    if dependency.user is not None or dependency.personal:
        return [(b"etag", etag)]
    return [(b"etag", etag), (b"cache-control", b"private, no-cache")]


def is_unchanged(scope: Scope, etag: bytes) -> bool:
    """Whether the client has this body already."""
    values = [value for name, value in scope["headers"] if name == b"if-none-match"]
    return any(etag == one.strip() for value in values for one in value.split(b","))


async def send_cached(response: CachedResponse, scope: Scope, send: Send) -> None:
    """Send a cached JSON document, or 304 to a client that has it."""
    headers = cache_headers(response.dependency, response.etag)
    if is_unchanged(scope, response.etag):
        await send({"type": "http.response.start", "status": 304, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return
    body = with_duration(response.body, scope, response.on_send())
    headers += [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
