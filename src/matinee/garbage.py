"""When a process looks for garbage in cycles: seldom, and not at its end."""

import gc

OBJECTS_BETWEEN_SEARCHES = 50_000


def search_for_garbage_seldom() -> None:
    """Let more new objects pass between searches for cycles than Python's own 700.

    Modules, machine code and lists with reasons are many objects and hardly a cycle: they would be
    looked through again and again.
    """
    gc.set_threshold(OBJECTS_BETWEEN_SEARCHES, *gc.get_threshold()[1:])


def leave_garbage() -> None:
    """Search nothing at the end of the process, whose memory goes as it is.

    The interpreter would look through all objects several times: a third of a second after a fit.
    """
    gc.freeze()
