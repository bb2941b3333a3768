"""Ctrl-C as a KeyboardInterrupt that arrives.

Python drops what is raised in a callback from C, such as that of the compiler's cache, and in a
finalizer: there is nobody to catch it. It reports it to ``sys.unraisablehook``, and the program
goes on. An interrupt that was dropped is raised again a moment later.
"""

import signal
import sys
import threading
from _thread import interrupt_main
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

PAUSE = 0.02  # seconds in which a callback ends


def interrupt_main_thread() -> None:
    """Ctrl-C from another thread; where signals are sent to threads, it ends a system call too."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:
        interrupt_main()


class Interrupts:
    """Whether Ctrl-C was pressed, and the handlers of the signal and of dropped exceptions."""

    def __init__(self) -> None:
        self.noted = False
        self.usual_hook = sys.unraisablehook
        self.timer = threading.Timer(PAUSE, interrupt_main_thread)

    def handle(self, _: int, frame: FrameType | None) -> None:
        """Raise KeyboardInterrupt; later where ``on_dropped`` runs, which would drop it too."""
        self.noted = True
        while frame is not None:
            if frame.f_code is Interrupts.on_dropped.__code__:
                return self.raise_later()
            frame = frame.f_back
        raise KeyboardInterrupt

    def on_dropped(self, dropped: "sys.UnraisableHookArgs") -> None:
        """Raise a dropped interrupt again; report other exceptions as ever."""
        if dropped.exc_type is KeyboardInterrupt:
            self.raise_later()
        else:
            self.usual_hook(dropped)

    def raise_later(self) -> None:
        """Send the signal to this process after a pause."""
        self.timer = threading.Timer(PAUSE, interrupt_main_thread)
        self.timer.daemon = True
        self.timer.start()


@contextmanager
def interrupts_noted() -> Iterator[Interrupts]:
    """Note each Ctrl-C and let none be dropped, where nobody else handles them.

    Inside another such context it is that one's.
    """
    handler = signal.getsignal(signal.SIGINT)
    owner = getattr(handler, "__self__", None)
    ours = owner if isinstance(owner, Interrupts) else Interrupts()
    main = threading.current_thread() is threading.main_thread()
    if handler is not signal.default_int_handler or not main:
        yield ours
        return
    signal.signal(signal.SIGINT, ours.handle)
    sys.unraisablehook = ours.on_dropped
    try:
        yield ours
    finally:
        ours.timer.cancel()
        sys.unraisablehook = ours.usual_hook
        signal.signal(signal.SIGINT, signal.default_int_handler)
