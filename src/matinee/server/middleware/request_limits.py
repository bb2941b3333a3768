"""Limits on size, duration and number of requests, enforced while they stream in."""

import asyncio

from matinee.server.asgi import App, Message, Receive, Scope, Send
from matinee.server.problems import Problem

QUERY_BYTES = 32 * 1024
BODY_BYTES = 1024 * 1024
BODY_SECONDS = 10.0  # within which a body must arrive
MAX_CONCURRENT_REQUESTS = 256  # more are refused with 429


class RequestLimitsMiddleware:
    """Buffers request bodies up to a limit and refuses requests beyond the server's capacity."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.n_active = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            self.check(scope)
        except Problem as problem:
            await problem.response(scope)(scope, receive, send)
            return
        self.n_active += 1
        try:
            if scope["method"] not in ("GET", "HEAD"):
                receive = await buffer_body(scope, receive)
            await self.app(scope, receive, send)
        except Problem as problem:
            await problem.response(scope)(scope, receive, send)
        finally:
            self.n_active -= 1

    def check(self, scope: Scope) -> None:
        """Raise Problem (414 or 429) for a query that is too long or a server that is full."""
        if len(scope["query_string"]) > QUERY_BYTES:
            raise Problem(414, f"a query has at most {QUERY_BYTES:,} bytes; post the list")
        if self.n_active >= MAX_CONCURRENT_REQUESTS:
            raise Problem(
                429,
                f"{MAX_CONCURRENT_REQUESTS} requests are in progress already; come again in a "
                "second",
                retry_after=1,
            )


async def buffer_body(scope: Scope, receive: Receive) -> Receive:
    """Read a body of at most BODY_BYTES within BODY_SECONDS; returns a ``receive`` that replays it.

    Raises Problem (413 or 408), before reading when Content-Length is over the limit.
    """
    too_large = Problem(413, f"a body has at most {BODY_BYTES:,} bytes; send it in parts")
    content_length = dict(scope["headers"]).get(b"content-length", b"0")
    if not content_length.isdigit() or int(content_length) > BODY_BYTES:
        raise too_large
    body, more = bytearray(), True
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Problem(400, "the connection closed before the body was complete")
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > BODY_BYTES:
                    raise too_large
    except TimeoutError:
        raise Problem(
            408, f"the body did not arrive within {BODY_SECONDS:g} seconds", close=True
        ) from None
    buffered: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

    async def replay() -> Message:
        return buffered.pop() if buffered else await receive()

    return replay
