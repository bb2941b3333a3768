"""Fits of which only the scores are used: quiet, and with factors that are not to be read."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_SCORES_ONLY: ContextVar[bool] = ContextVar("scores_only", default=False)


@contextmanager
def trial_fits() -> Iterator[None]:
    """Within it, fits warn of nothing, and factors are not brought into canonical form.

    The whole fit gives the warnings, and the form of the factors does not change a score.
    """
    token = _SCORES_ONLY.set(True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        _SCORES_ONLY.reset(token)


def only_scores_are_used() -> bool:
    """Whether the fit that asks is a trial."""
    return _SCORES_ONLY.get()
