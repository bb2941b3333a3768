"""How long work reports its steps: one signature, whatever the work."""

from collections.abc import Callable

OnStep = Callable[[int, int, str], object]
"""Called with the steps done, the steps in all, and words on what comes now."""


def quiet(*progress: object) -> None:
    """Report no progress: the default of every such callback."""
