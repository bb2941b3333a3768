"""Who may ask: the Host and Origin checks, the token, and the headers that hold browsers back."""

import hmac
import ipaddress
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from matinee.server.answers import ROUTE, STARTED
from matinee.server.asgi import App, Message, Receive, Scope, Send
from matinee.server.metrics import Metrics
from matinee.server.problems import Problem

HEADERS = [
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        b"connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; "
        b"form-action 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
NOT_STORED = (b"cache-control", b"no-store")
READS = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN_PATHS = frozenset({"/healthz", "/readyz"})  # tell nothing, and are asked by load balancers
TOKEN_PATHS = ("/v1/admin/", "/v1/tastes/")  # whoever changes the model needs the token


@dataclass(frozen=True)
class Rules:
    """Who may ask a server."""

    token: str
    public: bool = False  # bound beyond this machine: everything needs the token
    hosts: frozenset[str] = frozenset()  # names it is reached by, beside localhost and addresses

    def knows_host(self, host: str) -> bool:
        """Whether a Host or Origin names this server.

        An address always may: rebinding a name to this machine needs a name.
        """
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        name = name.strip("[]").lower().rstrip(".")
        if name in self.hosts or name == "localhost":
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def check(self, scope: Scope) -> None:
        """Raise Problem unless a request may go on."""
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("utf-8", "replace")
        if not self.knows_host(host):
            raise Problem(421, "this server does not answer for that host; see --allow-host")
        writes = scope["method"] not in READS
        if writes:
            self._check_origin(headers)
        if self._needs_token(scope["path"], scope["method"]):
            self._check_token(headers.get(b"authorization", b""))

    def _check_origin(self, headers: dict[bytes, bytes]) -> None:
        origin = headers.get(b"origin")
        if origin is not None and not self.knows_host(urlsplit(origin.decode("latin-1")).netloc):
            raise Problem(403, "another site's page may not change anything here")
        if headers.get(b"sec-fetch-site", b"same-origin") not in (b"same-origin", b"none"):
            raise Problem(403, "another site's page may not change anything here")

    def _needs_token(self, path: str, method: str) -> bool:
        if method not in READS and (path.startswith(TOKEN_PATHS) or method == "DELETE"):
            return True
        return self.public and path not in OPEN_PATHS and path.startswith(("/v1/", "/metrics"))

    def _check_token(self, given: bytes) -> None:
        kind, _, token = given.partition(b" ")
        same = hmac.compare_digest(token.strip(), self.token.encode())
        if kind.lower() != b"bearer" or not same:
            raise Problem(401, "this needs the server's token: Authorization: Bearer TOKEN")


class Guard:
    """The outermost layer: checks who asks, adds the headers, and times every answer."""

    def __init__(self, app: App, rules: Rules, metrics: Metrics) -> None:
        self.app = app
        self.rules = rules
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = scope[STARTED] = time.perf_counter()
        status = 500

        async def guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *HEADERS, NOT_STORED]
            await send(message)

        try:
            self.rules.check(scope)
            scope["path"] = undecoded(scope)
            await self.app(scope, receive, guarded)
        except Problem as problem:
            await problem.response(scope)(scope, receive, guarded)
        finally:
            took = time.perf_counter() - started
            self.metrics.seconds.labels(route_of(scope), scope["method"], status).observe(took)


def undecoded(scope: Scope) -> str:
    """The path as it came, so that an id may hold a slash; colons are the only exception."""
    path: bytes = scope["raw_path"]
    return path.replace(b"%3A", b":").replace(b"%3a", b":").decode("utf-8", "replace")


def route_of(scope: Scope) -> str:
    """The route of a request, such as ``/v1/items/{item}``: never what was asked about."""
    route = scope.get("route")
    return scope.get(ROUTE) or getattr(route, "path", None) or "other"
