"""JSON responses under ``/v1``, stored in the response cache where they may be reused."""

from collections.abc import Callable
from typing import Any

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from matinee.server.middleware.response_cache import (
    CACHE,
    CachedResponse,
    Dependency,
    ResponseCacheMiddleware,
    cache_key,
    with_duration,
)
from matinee.server.snapshot import ModelSnapshot

JSON_TYPE = "application/json"


def no_count() -> None:
    """Count nothing."""


def respond(
    request: Request,
    snapshot: ModelSnapshot,
    strategy: str,
    content: dict[str, Any],
    dependency: Dependency | None = None,
    on_send: Callable[[], None] = no_count,
) -> Response:
    """The response: model version and strategy, the content, and the time it took.

    With a ``dependency`` the response is cached while that is unchanged; without, never.
    ``on_send`` is called each time the response is sent, from the cache too.
    """
    body = to_json(
        {"model_version": snapshot.version, "strategy": strategy, **content}, inf_nan_mode="null"
    )[:-1]
    if dependency is not None:
        cache: ResponseCacheMiddleware = request.scope[CACHE]
        route = request.scope["route"].path
        response = CachedResponse(dependency, body, route, on_send)
        cache.put(cache_key(request.scope), snapshot, response)
    on_send()
    return Response(with_duration(body, request.scope), media_type=JSON_TYPE)
