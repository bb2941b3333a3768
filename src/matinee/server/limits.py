"""How much may be asked at once, and the layer that bounds requests while they stream in."""

import asyncio
from typing import Any

from matinee.server.asgi import App, Message, Receive, Scope, Send
from matinee.server.problems import Problem

MOST_LISTED = 100  # n: entries of one list
DEEPEST = 1000  # offset + n
MOST_USERS = 1000  # of one batch
MOST_REASONS = 10_000  # lists times entries of one batch, with reasons
MOST_EVENTS = 1000  # of one post of feedback
MOST_RATINGS = 5000  # of somebody new
MOST_CANDIDATES = 10_000  # items named in a filter
QUERY_BYTES = 32 * 1024
BODY_BYTES = 1024 * 1024
BODY_SECONDS = 10.0  # in which a body must have arrived
MOST_AT_ONCE = 256  # requests being answered; more are asked to come again


class Bounded:
    """Bodies are counted as they arrive and handed on whole; too many requests are turned away."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.at_once = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if len(scope["query_string"]) > QUERY_BYTES:
            problem = Problem(414, f"a query has at most {QUERY_BYTES:,} bytes; post the list")
            await problem.response(scope)(scope, receive, send)
            return
        if self.at_once >= MOST_AT_ONCE:
            problem = Problem(
                429,
                f"{MOST_AT_ONCE} requests are being answered already; come again in a second",
                retry_after=1,
            )
            await problem.response(scope)(scope, receive, send)
            return
        self.at_once += 1
        try:
            if scope["method"] not in ("GET", "HEAD"):
                receive = await whole_body(scope, receive)
            await self.app(scope, receive, send)
        except Problem as problem:
            await problem.response(scope)(scope, receive, send)
        finally:
            self.at_once -= 1


async def whole_body(scope: Scope, receive: Receive) -> Receive:
    """Take in a body, at most BODY_BYTES in at most BODY_SECONDS; returns where to read it again.

    Raises Problem (413 or 408), at once where the length is told beforehand.
    """
    too_large = Problem(413, f"a body has at most {BODY_BYTES:,} bytes; send it in parts")
    told = dict(scope["headers"]).get(b"content-length", b"0")
    if not told.isdigit() or int(told) > BODY_BYTES:
        raise too_large
    body, more = bytearray(), True
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Problem(400, "the connection closed before the body was whole")
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > BODY_BYTES:
                    raise too_large
    except TimeoutError:
        raise Problem(
            408, f"the body did not arrive within {BODY_SECONDS:g} seconds", close=True
        ) from None
    given: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

    async def again() -> Any:
        return given.pop() if given else await receive()

    return again
