"""A PostgreSQL server for tests, on loopback, run by somebody who is not root."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDERS = [Path("/usr/lib/postgresql"), Path("/usr/local/lib/postgresql")]
NOBODY = "nobody"  # PostgreSQL will not run as root
SECONDS_TO_START = 60


def programs() -> Path | None:
    """The folder with ``initdb`` and ``postgres``, the newest version."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    inside = [
        one for folder in FOLDERS for one in folder.glob("*/bin") if (one / "initdb").exists()
    ]
    return max(inside, key=lambda one: float(one.parent.name), default=None)


@contextmanager
def postgresql(programs: Path) -> Iterator[str]:
    """The URL of an empty database."""
    user = NOBODY if os.getuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="matinee-postgresql-"))
    if user:
        shutil.chown(folder, user)
    data = folder / "data"
    words = [programs / "initdb", "-D", data, "-A", "trust", "-U", "matinee", "--no-sync"]
    subprocess.run(words, check=True, capture_output=True, user=user, cwd=folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off".split()
    with (folder / "log").open("w") as log:
        running = subprocess.Popen(
            [programs / "postgres", "-D", data, *settings], user=user, cwd=folder, stderr=log
        )
    try:
        wait_for(port)
        yield f"postgresql://matinee@127.0.0.1:{port}/postgres"
    finally:
        running.send_signal(signal.SIGINT)  # does not wait for clients, as SIGTERM does
        running.wait()
        shutil.rmtree(folder, ignore_errors=True)


def wait_for(port: int) -> None:
    """Return when something answers on a port of this machine."""
    until = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return
