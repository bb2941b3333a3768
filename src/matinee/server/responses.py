"""JSON responses under ``/v1``, stored in the response cache where they may be reused."""

from collections.abc import Callable

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from matinee.display.plain_data import JsonObject
from matinee.server.middleware.response_cache import (
    CACHE,
    CachedResponse,
    Dependency,
    ResponseCacheMiddleware,
    cache_headers,
    cache_key,
    etag_of,
    is_unchanged,
    with_duration,
)
from matinee.server.snapshot import ModelSnapshot

JSON_TYPE = "application/json"


Members = Callable[[], JsonObject]


def no_members() -> JsonObject:
    """Nothing to add."""
    return {}


def respond(
    request: Request,
    snapshot: ModelSnapshot,
    strategy: str,
    content: JsonObject,
    dependency: Dependency | None = None,
    on_send: Members = no_members,
) -> Response:
    """The response: model version and strategy, the content, and the time it took.

    With a ``dependency`` the response is cached while that is unchanged; without, never.
    ``on_send`` is called each time the response is sent, from the cache too; what it returns is
    added to the response.
    """
    body = to_json(
        {"model_version": snapshot.version, "strategy": strategy, **content}, inf_nan_mode="null"
    )[:-1]
    headers: list[tuple[bytes, bytes]] = []
    if dependency is not None:
        cache: ResponseCacheMiddleware = request.scope[CACHE]
        route, etag = request.scope["route"].path, etag_of(body)
        cached = CachedResponse(dependency, body, route, on_send, etag)
        cache.put(cache_key(request.scope), snapshot, cached)
        headers = cache_headers(dependency, etag)
        if is_unchanged(request.scope, etag):
            return with_headers(Response(status_code=304), headers)
    body = with_duration(body, request.scope, on_send())
    return with_headers(Response(body, media_type=JSON_TYPE), headers)


def with_headers(response: Response, headers: list[tuple[bytes, bytes]]) -> Response:
    """The response with further headers."""
    response.raw_headers.extend(headers)
    return response
