"""Several processes that serve one model on one port.

The supervisor holds the sockets and starts the workers, which share one store. It passes on the
signals to stop and to reload, and replaces a worker that dies. A worker that changes the model
tells the supervisor (SIGHUP), which tells all.
"""

import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple

from matinee.errors import MatineeError

SPAWN = multiprocessing.get_context("spawn")  # nothing of the supervisor is shared by accident
STOP_SECONDS = 15.0  # for workers to finish their requests


@dataclass(frozen=True)
class WorkerLink:
    """What a worker shares with its supervisor and the other workers."""

    latest: Any  # a shared number: the last change of the store that any worker wrote
    ready: Connection  # gets the name of the state of the worker once it answers, or its error
    supervisor: int  # process id

    def announce(self, seq: int) -> None:
        """Let the other workers know of a change of the store."""
        with self.latest.get_lock():
            self.latest.value = max(self.latest.value, seq)

    def is_behind(self, seq: int) -> bool:
        """Whether another worker wrote a change after ``seq``."""
        return bool(self.latest.value > seq)

    def reload_all(self) -> None:
        """Have all workers load the model again."""
        os.kill(self.supervisor, signal.SIGHUP)

    def stop_with_supervisor(self) -> None:
        """Stop this process when its supervisor dies."""
        parent = multiprocessing.parent_process()
        assert parent is not None

        def follow() -> None:
            wait([parent.sentinel])
            os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=follow, daemon=True).start()


Target = Callable[..., None]  # takes the listening socket, a WorkerLink and further arguments


class Worker(NamedTuple):
    """A running worker."""

    process: Any
    listener: socket.socket  # that its successor listens on, should it die


@dataclass
class Supervisor:
    """Starts workers and keeps their number until it is told to stop."""

    target: Target
    listeners: Sequence[socket.socket]  # one for each worker
    arguments: tuple[object, ...]
    workers: dict[Any, Worker] = field(default_factory=dict)  # by sentinel
    stopping: bool = False

    def run(self, on_ready: Callable[[Any], object]) -> None:
        """Serve until the process is told to stop; calls ``on_ready`` once all workers answer.

        Raises MatineeError when a worker cannot start.
        """
        self.latest = SPAWN.Value("q", 0)
        before = {one: signal.signal(one, self._stop) for one in (signal.SIGTERM, signal.SIGINT)}
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, self._pass)
        try:
            answers = [self._start(listener) for listener in self.listeners]
            first, *_ = [self._answer(one) for one in answers]
            on_ready(first)
            while not self.stopping:
                self._replace_dead()
        finally:
            self._stop_all()
            for one, handler in before.items():
                signal.signal(one, handler)

    def _start(self, listener: socket.socket) -> Connection:
        answer, sender = SPAWN.Pipe(duplex=False)
        link = WorkerLink(self.latest, sender, os.getpid())
        process = SPAWN.Process(target=self.target, args=(listener, link, *self.arguments))
        process.start()
        sender.close()
        self.workers[process.sentinel] = Worker(process, listener)
        return answer

    def _answer(self, answer: Connection) -> Any:
        """What a worker reports when it answers requests. Raises MatineeError when it cannot."""
        try:
            report = answer.recv()
        except EOFError:
            raise MatineeError("a worker stopped before it answered; the log says why") from None
        if isinstance(report, MatineeError):
            raise report
        return report

    def _replace_dead(self) -> None:
        """Wait a second for a worker to die, and start another in its place."""
        for sentinel in wait(list(self.workers), timeout=1.0):
            if not self.stopping:
                worker = self.workers.pop(sentinel)
                worker.process.join()
                self._answer(self._start(worker.listener))

    def _stop(self, *_: object) -> None:
        self.stopping = True
        self._signal(signal.SIGTERM)

    def _pass(self, number: int, *_: object) -> None:
        self._signal(signal.Signals(number))

    def _signal(self, number: signal.Signals) -> None:
        for process, _ in list(self.workers.values()):
            with suppress(ProcessLookupError):
                os.kill(process.pid, number)

    def _stop_all(self) -> None:
        self._signal(signal.SIGTERM)
        for process, _ in self.workers.values():
            process.join(STOP_SECONDS)
            if process.is_alive():
                process.kill()
