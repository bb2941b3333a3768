"""What the library logs, for what the command line shows of it."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def log_records(name: str, show: Callable[[logging.LogRecord], None]) -> Iterator[None]:
    """Call ``show`` with each record that the logger ``name`` gets meanwhile."""

    class Shown(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            show(record)

    log, handler = logging.getLogger(name), Shown()
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
