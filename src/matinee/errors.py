"""Every error Matinee raises on purpose; each message says what is wrong, where, and what to do.

``exit_code`` is what the command line ends with when the error reaches it.
"""

import difflib
from collections.abc import Iterable


class MatineeError(ValueError):
    """Something the user can put right; the parent of all the others."""

    exit_code = 1


class BadSetting(MatineeError):
    """A hyper-parameter or option is unknown, impossible, or does not fit the others."""

    exit_code = 2


class BadRatings(MatineeError):
    """The data cannot be read as ratings, or ``strict`` was asked for and a row is wrong."""

    exit_code = 3


class UnknownId(MatineeError):
    """A user or item that the model has never seen, where one that it knows is needed."""

    exit_code = 4


class BadModel(MatineeError):
    """A model folder is missing, truncated, altered, newer than this version, or foreign."""

    exit_code = 5


class Diverged(MatineeError):
    """A fit left the finite numbers; no model is returned."""


def check_known(kind: str, name: str, known: Iterable[str]) -> None:
    """Raise BadSetting, with the nearest of them, unless a name is one of those known."""
    names = list(known)
    if name not in names:
        raise BadSetting(f"there is no {kind} {name!r}{offered(name, names, 'there are')}")


def offered(name: str, known: Iterable[str], there_are: str) -> str:
    """A closing phrase that offers the nearest known names, and then lists all."""
    names = list(known)
    listed = f"{there_are} {', '.join(names) or 'none'}"
    hint = did_you_mean(name, names)
    return f"{hint} {listed[0].upper()}{listed[1:]}" if hint else f"; {listed}"


def did_you_mean(name: str, known: Iterable[str], likeness: float = 0.6) -> str:
    """A closing phrase that offers the nearest known names, or nothing when none is near."""
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=likeness)
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
