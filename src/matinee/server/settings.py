"""What a server is started with."""

import ipaddress
import secrets
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from matinee.display.text import counted
from matinee.errors import BadSetting, MatineeError
from matinee.feedback.store import store_beside
from matinee.server.connections import DEFAULT_LIMITS, ConnectionLimits
from matinee.server.evaluation_record import EvaluationRecord
from matinee.server.middleware.security import AccessPolicy

MIN_TOKEN_LENGTH = 16  # characters
BACKLOG = 1024  # connections that wait to be accepted


@dataclass(frozen=True)
class Endpoint:
    """Where a server listens, and who may reach it."""

    host: str = "127.0.0.1"
    port: int = 8765  # 0 picks a free port
    token: str | None = None  # random unless given
    hosts: Sequence[str] = ()  # names the server is reached by, besides ``host``

    def access_policy(self) -> AccessPolicy:
        """Who may send requests.

        Raises BadSetting for a public host without a token, and for a short token.
        """
        public = not is_loopback(self.host)
        if public and self.token is None:
            raise BadSetting(
                f"--host {self.host} can be reached from other machines, so it needs a token: "
                "give --token-file, or set MATINEE_TOKEN"
            )
        if self.token is not None and len(self.token) < MIN_TOKEN_LENGTH:
            raise BadSetting(
                f"the token has {counted(len(self.token), 'character')}; it must have at least "
                f"{MIN_TOKEN_LENGTH}"
            )
        names = {name.lower() for name in (*self.hosts, self.host)}
        return AccessPolicy(self.token or secrets.token_urlsafe(24), public, frozenset(names))

    def listeners(self, n_workers: int) -> list[socket.socket]:
        """A listening socket for each worker. Raises MatineeError when the port cannot be bound.

        Linux shares out connections among them. From a socket that is common to all, whoever wakes
        first accepts every connection that waits, and others stay idle.
        """
        only = self.listen()
        if n_workers == 1 or sys.platform != "linux":
            return [only] * n_workers
        bound = replace(self, port=only.getsockname()[1])
        only.close()
        return [bound.listen(shared=True) for _ in range(n_workers)]

    def listen(self, shared: bool = False) -> socket.socket:
        """A listening socket, on a port that others may share or not.

        Raises MatineeError when the port cannot be bound.
        """
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            listener.bind((self.host, self.port))
        except OSError as error:
            listener.close()
            raise MatineeError(
                f"cannot listen on {self.host} port {self.port}: {error.strerror}; "
                "choose another with --port (0 finds a free one)"
            ) from error
        listener.listen(BACKLOG)
        return listener

    def url(self, listener: socket.socket) -> str:
        """The URL of a socket that listens here."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{listener.getsockname()[1]}"


def is_loopback(host: str) -> bool:
    """Whether a host can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class ServerSettings:
    """The model to serve and everything beside it."""

    model: Path
    endpoint: Endpoint = Endpoint()
    store: str | Path | None = None  # a SQLite file beside the model unless given
    beside: Path | None = None  # another model to compare with
    arms: Mapping[str, Path] = field(default_factory=dict)  # further models, for shares of users
    workers: int = 1  # processes
    json_log: bool = False
    evaluation: EvaluationRecord = field(default_factory=EvaluationRecord)
    limits: ConnectionLimits = DEFAULT_LIMITS
    lists: Mapping[str, str] = field(default_factory=dict)  # places of lists made ahead, by model

    @property
    def store_place(self) -> str | Path:
        """The file or URL of the feedback store."""
        return store_beside(self.model) if self.store is None else self.store
