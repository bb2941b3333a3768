"""Routes whose JSON bodies are strict: no key twice in an object, and no NaN."""

import json
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response

from matinee.display.plain_data import JsonObject
from matinee.server.query_memo import memo_of


class JsonRequest(Request):
    """A request that reads its JSON strictly."""

    async def json(self) -> Any:
        """The body. Raises JSONDecodeError for what is not JSON, HTTPException for a key twice."""
        body = await self.body()
        try:
            return json.loads(body, object_pairs_hook=unique_keys, parse_constant=refuse_constant)
        except json.JSONDecodeError:
            raise
        except RecursionError:
            raise json.JSONDecodeError("it is nested too deeply", "", 0) from None
        except ValueError as error:  # not UTF-8, or a number of thousands of digits
            raise json.JSONDecodeError(str(error), "", 0) from None


def unique_keys(pairs: list[tuple[str, Any]]) -> JsonObject:
    """The object of some pairs. Raises HTTPException when a key occurs twice."""
    result = dict(pairs)
    if len(result) < len(pairs):
        [(name, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise HTTPException(422, f"body: the key {name!r} occurs twice in one object; give it once")
    return result


def refuse_constant(name: str) -> NoReturn:
    """Raise JSONDecodeError for NaN and Infinity, which Python would read."""
    raise json.JSONDecodeError(f"{name} is not a number of JSON", "", 0)


class JsonRoute(APIRoute):
    """A route whose body is read strictly, and whose query is parsed once where it has a memo."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """The handler of a request."""
        handle, memo = super().get_route_handler(), memo_of(self.endpoint)

        async def handle_strictly(request: Request) -> Response:
            arguments = memo.arguments(request) if memo else None
            if memo and arguments is not None:
                return await memo.endpoint(request, **arguments)
            return await handle(JsonRequest(request.scope, request.receive))

        return handle_strictly
