"""Queries that an endpoint has parsed: clients ask the same of one user after another.

FastAPI takes about .2 ms for a query of a list, nearly as long as the list takes.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Any, get_type_hints

from fastapi.params import Path
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

MAX_QUERIES = 1024
MAX_QUERY_BYTES = 256  # longer ones, which hold lists of items, hardly come again

Endpoint = Callable[..., Awaitable[Response]]


class QueryMemo:
    """The arguments of an endpoint by query string, for one whose query depends on nothing else."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        hints = get_type_hints(endpoint, include_extras=True)
        self.path = {name: TypeAdapter(hint) for name, hint in hints.items() if is_in_path(hint)}
        self.parsed: dict[bytes, Mapping[str, object]] = {}

    def put(self, request: Request, arguments: Mapping[str, object]) -> None:
        """Note the arguments of a request that FastAPI has found valid."""
        query: bytes = request.scope["query_string"]
        if len(query) <= MAX_QUERY_BYTES:
            if len(self.parsed) >= MAX_QUERIES:
                self.parsed.clear()
            self.parsed[query] = {n: one for n, one in arguments.items() if n not in self.path}

    def arguments(self, request: Request) -> Mapping[str, object] | None:
        """The arguments of a request, or None where its query is new or its path is not valid."""
        parsed = self.parsed.get(request.scope["query_string"])
        if parsed is None:
            return None
        try:
            path = {
                name: adapter.validate_python(request.path_params[name])
                for name, adapter in self.path.items()
            }
        except ValidationError:
            return None
        return {**parsed, **path}


def is_in_path(hint: Any) -> bool:
    """Whether the type of an argument says that it stands in the path."""
    return any(isinstance(one, Path) for one in getattr(hint, "__metadata__", ()))


def memoized_query(endpoint: Endpoint) -> Endpoint:
    """An endpoint with a QueryMemo, which its JsonRoute asks before it has FastAPI parse."""
    memo = QueryMemo(endpoint)

    @wraps(endpoint)
    async def note_arguments(request: Request, **arguments: object) -> Response:
        memo.put(request, arguments)
        return await endpoint(request, **arguments)

    vars(note_arguments)["query_memo"] = memo
    return note_arguments


def memo_of(endpoint: Callable[..., Any]) -> QueryMemo | None:
    """The QueryMemo of an endpoint that has one."""
    memo: QueryMemo | None = getattr(endpoint, "query_memo", None)
    return memo
