"""HTTP connections within limits: size and time of heads, idle time, and number.

A head is the request line and the headers. It is parsed before any middleware runs, so its limits
stand here.
"""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from httptools import HttpParserError
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from matinee.server.middleware.security import SECURITY_HEADERS
from matinee.server.problems import Problem

MAX_PIPELINED = 32  # requests of one connection that wait for the response before them
RESERVED_DESCRIPTORS = 64  # for the store, the model's files and the page


@dataclass(frozen=True)
class ConnectionLimits:
    """What one connection may use, and how many there may be."""

    connections: int = 1000  # more are refused with 503
    head_bytes: int = 64 * 1024  # of the request line and all headers
    head_fields: int = 100  # headers
    head_seconds: float = 10.0  # within which a head must arrive
    idle_seconds: float = 5.0  # between a response and the next request
    write_seconds: float = 60.0  # within which the client must read what is buffered
    linger_seconds: float = 2.0  # for the client to read a refusal

    def within_descriptors(self) -> "ConnectionLimits":
        """These limits, with no more connections than the process may open files."""
        if sys.platform == "win32":
            return self
        import resource

        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft == resource.RLIM_INFINITY:
            return self
        return replace(self, connections=min(self.connections, max(1, soft - RESERVED_DESCRIPTORS)))


DEFAULT_LIMITS = ConnectionLimits()


class LimitedConnection(HttpToolsProtocol):
    """A connection that is refused, and closed, when a limit is exceeded."""

    def __init__(self, limits: ConnectionLimits, **parts: Any) -> None:
        super().__init__(**parts)
        self.limits = limits
        self.timer: asyncio.TimerHandle | None = None  # the deadline of the present state
        self.reading_head = False
        self.n_received = 0  # bytes received since the head began, but for its first piece
        self.n_parsed = 0  # bytes of the URL and of complete headers
        self.excess: Problem | None = None
        self.refused = False

    @property
    def busy(self) -> bool:
        """Whether a response is not complete yet."""
        return self.cycle is not None and not self.cycle.response_complete

    # Deadlines.

    def connection_made(self, transport: Any) -> None:
        """Wait for a head; refuse connections beyond their greatest number at once."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            problem = Problem(503, "the server has too many connections", retry_after=1, close=True)
            self.refused = True
            transport.write(raw_response(problem))
            transport.close()
        self._set_deadline(self.limits.head_seconds, self._on_late_head)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._clear_deadline()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Wait for the rest of the head."""
        super().on_message_begin()
        self.reading_head = True
        self.n_received = self.n_parsed = 0
        if not self.busy:
            self._set_deadline(self.limits.head_seconds, self._on_late_head)

    def on_response_complete(self) -> None:
        """Give the client time to read; uvicorn closes idle connections earlier."""
        super().on_response_complete()
        if not self.busy:
            seconds = self.limits.idle_seconds + self.limits.write_seconds
            self._set_deadline(seconds, self.transport.abort)

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        if self.busy:
            self._set_deadline(self.limits.write_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has read enough."""
        super().resume_writing()
        if self.busy:
            self._clear_deadline()

    def _set_deadline(self, seconds: float, action: Callable[[], object]) -> None:
        self._clear_deadline()
        self.timer = self.loop.call_later(seconds, action)

    def _clear_deadline(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def _on_late_head(self) -> None:
        if self.reading_head and not self.refused:
            seconds = self.limits.head_seconds
            self._refuse(Problem(408, f"the headers did not arrive within {seconds:g} seconds"))
        else:
            self.transport.abort()

    # Sizes.

    def data_received(self, data: bytes) -> None:
        """Parse what arrived, unless the connection was refused."""
        if self.refused:
            return
        was_reading_head = self.reading_head
        super().data_received(data)
        if was_reading_head and self.reading_head and not self.refused:
            self.n_received += len(data)
            if self.n_received > self.limits.head_bytes:
                self._refuse(self._head_too_large())

    def on_url(self, url: bytes) -> None:
        """Count a piece of the URL."""
        self.n_parsed += len(url)
        if self.n_parsed > self.limits.head_bytes:
            self._stop(Problem(414, f"a URL has at most {self.limits.head_bytes:,} bytes"))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a complete header."""
        self.n_parsed += len(name) + len(value)
        if self.n_parsed > self.limits.head_bytes or len(self.headers) >= self.limits.head_fields:
            self._stop(self._head_too_large())
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Run the request, unless too many wait already."""
        self.reading_head = False
        if len(self.pipeline) >= MAX_PIPELINED:
            self._stop(Problem(429, "too many requests wait on this connection"))
        if not self.busy:
            self._clear_deadline()
        super().on_headers_complete()

    def _head_too_large(self) -> Problem:
        n_bytes, n_fields = self.limits.head_bytes, self.limits.head_fields
        return Problem(
            431, f"a request has at most {n_fields} headers, and {n_bytes:,} bytes of them"
        )

    def _stop(self, problem: Problem) -> None:
        """End the parsing of this piece of data; uvicorn then calls ``send_400_response``."""
        self.excess = problem
        raise HttpParserError(problem.detail)

    # Refusals.

    def send_400_response(self, msg: str) -> None:
        """Refuse what exceeded a limit, or is not HTTP."""
        self._refuse(self.excess or Problem(400, "this is not a valid HTTP request"))

    def _refuse(self, problem: Problem) -> None:
        """Answer with a problem; discard what else arrives until the client hangs up."""
        self.refused = True
        if self.busy:  # nothing may be written into the response in progress
            self.transport.abort()
            return
        problem.headers["Connection"] = "close"
        self.transport.write(raw_response(problem))
        self.transport.write_eof()
        self._set_deadline(self.limits.linger_seconds, self.transport.abort)


def raw_response(problem: Problem) -> bytes:
    """A problem as the bytes of an HTTP response."""
    response = problem.response({})
    status = f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}".encode()
    fields = [b"%b: %b" % field for field in (*response.raw_headers, *SECURITY_HEADERS)]
    return b"\r\n".join([status, *fields, b"", bytes(response.body)])
