"""Access control: Host and Origin checks, the token, and the security headers of responses."""

import hashlib
import hmac
import ipaddress
from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import urlsplit

from matinee.server.asgi import App, Message, Receive, Scope, Send
from matinee.server.problems import Problem


def content_security_policy(*inline_scripts: str) -> str:
    """The policy of a document: what is ours may be loaded, and only these scripts stand inside."""
    digests = [hashlib.sha256(script.encode()).digest() for script in inline_scripts]
    scripts = " ".join(["'self'", *(f"'sha256-{b64encode(one).decode()}'" for one in digests)])
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )


SECURITY_HEADERS = [
    (b"content-security-policy", content_security_policy().encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]
SINGLE_HEADERS = (b"host", b"origin", b"authorization")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
PUBLIC_PATHS = frozenset({"/healthz", "/readyz"})  # for load balancers; they reveal nothing
ADMIN_PATHS = ("/v1/admin/", "/v1/tastes/", "/v1/items")  # writes here change what all see
OWNER_METHODS = frozenset({"PUT", "DELETE"})  # that need the token anywhere


@dataclass(frozen=True)
class AccessPolicy:
    """Who may send requests to a server."""

    token: str
    public: bool = False  # reachable from other machines: the API needs the token
    hosts: frozenset[str] = frozenset()  # allowed besides localhost and IP addresses

    def allows_host(self, host: str) -> bool:
        """Whether a Host or Origin names this server.

        An IP address is always allowed: DNS rebinding needs a name.
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
        """Raise Problem (421, 403 or 401) for a request that is not allowed."""
        names = [name for name, _ in scope["headers"]]
        if any(names.count(name) > 1 for name in SINGLE_HEADERS):
            raise Problem(400, "a request has one Host, one Origin and one Authorization at most")
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("utf-8", "replace")
        if not self.allows_host(host):
            raise Problem(421, "this server does not answer for that host; see --allow-host")
        if scope["method"] not in SAFE_METHODS:
            self._check_origin(headers)
        if self.needs_token(scope["path"], scope["method"]):
            self._check_token(headers.get(b"authorization", b""))

    def _check_origin(self, headers: dict[bytes, bytes]) -> None:
        origin = headers.get(b"origin")
        host = headers.get(b"host", b"").decode("utf-8", "replace")
        if origin is not None and not self._is_own(origin.decode("latin-1"), host):
            raise Problem(403, "another site's page may not change anything here")
        if headers.get(b"sec-fetch-site", b"same-origin") not in (b"same-origin", b"none"):
            raise Problem(403, "another site's page may not change anything here")

    def _is_own(self, origin: str, host: str) -> bool:
        """Whether an Origin is this server: the host that was asked for, or a name of its own.

        Other ports of this machine are other sites.
        """
        try:
            parts = urlsplit(origin)
            name = (parts.hostname or "").rstrip(".")
        except ValueError:
            return False
        if parts.scheme not in ("http", "https"):
            return False
        return parts.netloc.lower() == host.lower() or (name in self.hosts and not is_local(name))

    def needs_token(self, path: str, method: str) -> bool:
        """Whether requests to a path need the token."""
        if method in OWNER_METHODS:
            return True
        if method not in SAFE_METHODS and path.startswith(ADMIN_PATHS):
            return True
        return self.public and path not in PUBLIC_PATHS and path.startswith(("/v1/", "/metrics"))

    def _check_token(self, authorization: bytes) -> None:
        scheme, _, token = authorization.partition(b" ")
        matches = hmac.compare_digest(token.strip(), self.token.encode())
        if scheme.lower() != b"bearer" or not matches:
            raise Problem(401, "this needs the server's token: Authorization: Bearer TOKEN")


def is_local(name: str) -> bool:
    """Whether a host is an address or ``localhost``, where any program may have a port."""
    try:
        return bool(ipaddress.ip_address(name))
    except ValueError:
        return name == "localhost"


class SecurityMiddleware:
    """Checks the access policy and adds the security headers that a response lacks."""

    def __init__(self, app: App, policy: AccessPolicy) -> None:
        self.app = app
        self.policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name for name, _ in message["headers"]}
                added = [field for field in SECURITY_HEADERS if field[0] not in own]
                message["headers"] = [*message["headers"], *added]
            await send(message)

        try:
            self.policy.check(scope)
            scope["path"] = raw_path_of(scope)
            await self.app(scope, receive, send_secured)
        except Problem as problem:
            await problem.response(scope)(scope, receive, send_secured)


def raw_path_of(scope: Scope) -> str:
    """The path still percent-encoded, so that an id may contain a slash; colons are decoded."""
    path: bytes = scope["raw_path"]
    return path.replace(b"%3A", b":").replace(b"%3a", b":").decode("utf-8", "replace")
