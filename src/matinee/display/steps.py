"""How long work reports its steps: one signature, whatever the work."""

import logging
from collections.abc import Callable

OnStep = Callable[[int, int, str], object]
"""Called with the steps done, the steps in all, and words on what comes now."""


def quiet(*progress: object) -> None:
    """Report no progress: the default of every such callback."""


def logged(work: str, on_step: OnStep) -> OnStep:
    """``on_step``, and a line a step to the logger ``matinee`` at level INFO."""
    log = logging.getLogger(f"matinee.{work}")

    def step(done: int, total: int, words: str) -> object:
        log.info("%s: %d of %s: %s", work, done, total or "as many as time allows", words)
        return on_step(done, total, words)

    return step
