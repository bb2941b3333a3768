"""Connections within limits: heads, idle time and number, over raw sockets on a real process."""

import json
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

import matinee
from matinee.server.connections import MAX_PIPELINED, RESERVED_DESCRIPTORS, ConnectionLimits

SCRIPT = """
import json, sys
from pathlib import Path
from matinee.server.connections import ConnectionLimits
from matinee.server.process import serve
from matinee.server.settings import Endpoint, ServerSettings

model, limits = sys.argv[1:]
limits = ConnectionLimits(**json.loads(limits))
settings = ServerSettings(Path(model), Endpoint(port=0), limits=limits)
serve(settings, lambda server: print(server.url, flush=True))
"""
PATIENT = ConnectionLimits(head_seconds=600, idle_seconds=600, linger_seconds=600)
HURRIED = ConnectionLimits(
    head_seconds=0.3, idle_seconds=0.3, write_seconds=0.3, linger_seconds=0.3
)
CROWDED = ConnectionLimits(connections=5, head_seconds=600, idle_seconds=600)
GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"


class Server:
    """A server process with limits of its own."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url
        self.place = (str(urlsplit(url).hostname), int(urlsplit(url).port or 0))

    def connect(self) -> socket.socket:
        """A raw connection."""
        return socket.create_connection(self.place)

    def memory(self) -> float:
        """Resident memory, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def answers(self) -> bool:
        """Whether a normal request is answered."""
        return httpx.get(f"{self.url}/v1/model").status_code == 200


@contextmanager
def started(folder: Path, limits: ConnectionLimits) -> Iterator[Server]:
    command = [sys.executable, "-c", SCRIPT, str(folder), json.dumps(asdict(limits))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Server(process, process.stdout.readline().strip())
        finally:
            process.kill()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = matinee.MF(n_factors=2, n_epochs=2).fit(matinee.sample())
    return model.save(tmp_path_factory.mktemp("models") / "model")


@pytest.fixture(scope="module")
def patient(folder: Path) -> Iterator[Server]:
    with started(folder, PATIENT) as server:
        yield server


@pytest.fixture(scope="module")
def hurried(folder: Path) -> Iterator[Server]:
    with started(folder, HURRIED) as server:
        yield server


def response(connection: socket.socket) -> tuple[int, dict[str, object]]:
    """Status and document of the last response of a connection, which the server closes."""
    head, _, body = connection.makefile("rb").read().partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    assert b"connection: close" in lines
    assert b"content-type: application/problem+json" in lines
    assert b"x-content-type-options: nosniff" in lines
    return int(head.split()[1]), json.loads(body)


def send_until_closed(connection: socket.socket, piece: bytes, most: int) -> None:
    """Send a piece again and again, ``most`` times, or until the server hangs up."""
    with suppress(ConnectionError):
        for _ in range(most):
            connection.sendall(piece)


def send_for_ever(connection: socket.socket, piece: bytes) -> None:
    """Send a piece again and again, and never read."""
    while True:
        connection.sendall(piece)


@pytest.mark.parametrize(
    "start, piece, status, text",
    [
        (b"GET /", b"x" * 1024, 414, "65,536 bytes"),
        (b"GET /?q=", b"x" * 1024, 414, "65,536 bytes"),
        (GET + b"X: ", b"x" * 1024, 431, "65,536 bytes"),
        (GET + b"X", b"x" * 1024, 431, "65,536 bytes"),
        (GET, b"X: y\r\n", 431, "100 headers"),
        (GET, b"X: " + b"y" * 1000 + b"\r\n", 431, "65,536 bytes"),
    ],
    ids=["path", "query", "value", "name", "many", "long"],
)
def test_an_endless_head_is_refused(patient, start, piece, status, text):
    with patient.connect() as connection:
        connection.sendall(start)
        send_until_closed(connection, piece, 200)
        found, document = response(connection)
    assert (found, document["status"]) == (status, status)
    assert text in str(document["detail"])
    assert patient.answers()


@pytest.mark.parametrize("size, status", [(60_000, 200), (65_536, 431), (200_000, 431)])
def test_a_head_is_limited_by_its_size_however_it_arrives(patient, size, status):
    text = GET + b"X: " + b"y" * size + b"\r\nConnection: close\r\n\r\n"
    for step in (len(text), 10_000):
        with patient.connect() as connection:
            for at in range(0, len(text), step):
                connection.sendall(text[at : at + step])
            assert int(connection.makefile("rb").read().split()[1]) == status


def test_a_large_body_counts_in_no_head(patient):
    body = json.dumps({"events": [{"note": "x" * 300_000}]}).encode()
    post = b"POST /v1/feedback HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with patient.connect() as connection:
        for last in (b"", b"", b"Connection: close\r\n"):
            connection.sendall(post + last + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert connection.makefile("rb").read().count(b"HTTP/1.1 200") == 3


@pytest.mark.parametrize("text", [b"nonsense\r\n\r\n", GET + b"Content-Length: -1\r\n\r\n"])
def test_what_is_not_http_is_refused_in_words(patient, text):
    with patient.connect() as connection:
        connection.sendall(text)
        status, document = response(connection)
    assert (status, document["detail"]) == (400, "this is not a valid HTTP request")


def test_a_head_that_does_not_end_is_given_up(hurried):
    with hurried.connect() as connection:
        connection.sendall(GET + b"X: ")
        status, document = response(connection)
    assert status == 408
    assert "within 0.3 seconds" in str(document["detail"])


@pytest.mark.parametrize(
    "text",
    [b"", GET + b"\r\n", GET + b"\r\n\r\n\r\n", GET + b"Content-Length: 9\r\n\r\n."],
    ids=["silent", "idle", "blank lines", "body that nobody reads"],
)
def test_an_idle_connection_is_closed(hurried, text):
    with hurried.connect() as connection:
        connection.sendall(text)
        answer = connection.makefile("rb").read()  # until the server hangs up
    assert answer.count(b"HTTP/1.1 200") == bool(text)


def test_a_response_that_nobody_reads_is_given_up(hurried):
    request = b"GET /v1/map HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.connect(hurried.place)
        connection.settimeout(60)
        with pytest.raises(ConnectionError):
            send_for_ever(connection, request)


def test_half_open_connections_keep_nobody_out(patient):
    with ExitStack() as stack:
        for number in range(200):
            connection = stack.enter_context(patient.connect())
            connection.sendall(GET[: number % len(GET)])
        assert patient.answers()


def test_connections_beyond_the_most_are_refused(folder):
    with started(folder, CROWDED) as server, ExitStack() as stack:
        some = [stack.enter_context(server.connect()) for _ in range(5)]
        for one in some:
            one.sendall(GET + b"\r\n")
            assert one.recv(100).startswith(b"HTTP/1.1 200")
        with server.connect() as another:
            status, document = response(another)
        assert status == 503
        assert document["detail"] == "the server has too many connections"
        some[0].sendall(GET + b"Connection: close\r\n\r\n")
        while some[0].recv(4096):
            pass
        assert server.answers()


def test_requests_that_are_piled_up_are_refused(patient):
    with patient.connect() as connection:
        connection.sendall((GET + b"\r\n") * 100 * MAX_PIPELINED)
        try:
            answers = connection.makefile("rb").read()
        except ConnectionError:
            answers = b""
    assert answers.count(b"HTTP/1.1 200") <= MAX_PIPELINED + 1
    assert patient.answers()


def test_large_heads_take_no_memory_for_long(folder):
    head = GET + b"".join(b"X-%d: " % n + b"y" * 600 + b"\r\n" for n in range(90))
    with started(folder, PATIENT) as server:
        assert server.answers()
        before = server.memory()
        for _ in range(3):
            with ExitStack() as stack:
                for _ in range(300):
                    stack.enter_context(server.connect()).sendall(head)
                assert server.answers()
        assert server.memory() < before + 3 * 300 * len(head) / 2**20
        for _ in range(2000):
            with server.connect() as connection:
                connection.sendall(head + b"Connection: close\r\n\r\n")
                assert connection.recv(100).startswith(b"HTTP/1.1 200")
        assert server.memory() < before + 3 * 300 * len(head) / 2**20


def test_connections_stay_below_what_the_process_may_open(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (500, 9000))
    assert ConnectionLimits().within_descriptors().connections == 500 - RESERVED_DESCRIPTORS
    assert ConnectionLimits(connections=3).within_descriptors().connections == 3
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (resource.RLIM_INFINITY,) * 2)
    assert ConnectionLimits().within_descriptors() == ConnectionLimits()
