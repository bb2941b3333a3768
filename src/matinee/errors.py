"""Every error Matinee raises on purpose; each message says what is wrong, where, and what to do.

What to do is a value in the message (``Setting``, ``Option``, ``Advice``), and each face words it:

    BadSetting("a hybrid of mf needs ", Setting("solver", "als"))
    Python          a hybrid of mf needs solver="als"
    command line    a hybrid of mf needs --set solver=als

``exit_code`` is what the command line ends with when the error reaches it.
"""

import difflib
import inspect
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import wraps
from numbers import Integral
from types import EllipsisType
from typing import ParamSpec, TypeVar, get_args

Given = ParamSpec("Given")
Result = TypeVar("Result")


class Face(Enum):
    """Where a message is read; it decides how a remedy is worded."""

    PYTHON = "Python"
    COMMAND_LINE = "command line"
    HTTP = "HTTP"


@dataclass(frozen=True)
class Setting:
    """A hyper-parameter with its value: ``solver="als"``, ``--set solver=als``."""

    name: str
    value: object

    def worded(self, face: Face) -> str:
        """The setting as this face takes it."""
        if face is Face.COMMAND_LINE:
            return f"--set {self.name}={self.value}"
        return f"{self.name}={in_python(self.value)}"


@dataclass(frozen=True)
class Option:
    """An argument that every face takes: ``encoding="latin-1"``, ``--encoding latin-1``.

    Without a value it is the bare name; with ``...`` the value is for the reader to choose.
    """

    name: str
    value: "str | float | Mapping[str, str | float] | EllipsisType | None" = None

    def worded(self, face: Face) -> str:
        """The option as this face takes it: an argument, an option, or a parameter."""
        if face is Face.COMMAND_LINE:
            return f"--{self.name.replace('_', '-')}{self._typed()}"
        if self.value is None or (face is Face.HTTP and self.value is ...):
            return self.name
        return f"{self.name}={in_python(self.value)}"

    def _typed(self) -> str:
        if isinstance(self.value, Mapping):
            return " " + ",".join(f"{key}={one}" for key, one in self.value.items())
        return "" if self.value is None or self.value is ... else f" {self.value}"


@dataclass(frozen=True)
class Advice:
    """What each face does in its own way, worded for each; HTTP as Python where it is not given."""

    python: str
    command_line: str
    http: str | None = None

    def worded(self, face: Face) -> str:
        """The advice for this face."""
        if face is Face.COMMAND_LINE:
            return self.command_line
        return self.python if face is Face.PYTHON or self.http is None else self.http


Remedy = Setting | Option | Advice
Message = tuple[str | Remedy, ...]  # pieces of a message, one after the other


def in_python(value: object) -> str:
    """A value as it is written in Python, text in double quotes."""
    if isinstance(value, str | Mapping):
        return json.dumps(value, ensure_ascii=False, default=dict)
    return "..." if value is ... else repr(value)


class Worded(Exception):
    """An exception whose arguments are the pieces of its message; ``str`` words it for Python."""

    def __init__(self, *message: str | Remedy) -> None:
        super().__init__(*message)

    def __str__(self) -> str:
        return self.worded(Face.PYTHON)

    def worded(self, face: Face) -> str:
        """The whole message, its remedies as this face takes them."""
        return "".join(one if isinstance(one, str) else one.worded(face) for one in self.args)

    @property
    def remedies(self) -> tuple[Remedy, ...]:
        """The settings, options and advice in the message, in order."""
        return tuple(one for one in self.args if not isinstance(one, str))


def worded(problem: BaseException | str, face: Face) -> str:
    """The message of any exception or warning, in the words of a face where it has them."""
    return problem.worded(face) if isinstance(problem, Worded) else str(problem)


class MatineeError(Worded, ValueError):
    """Something the user can put right; the parent of all the others."""

    exit_code = 1


class MatineeWarning(Worded, UserWarning):
    """Something the user should know, with a remedy in it."""


class DataWarning(MatineeWarning):
    """Rows of a source were set aside or merged; the read report says which."""


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


def known_arguments(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """The function, which raises BadSetting, with the names that it has, for another argument."""
    known = list(_argument_names(function))

    @wraps(function)
    def checked(*ordered: Given.args, **named: Given.kwargs) -> Result:
        for name in named:
            if name not in known:
                there_are = offered(name, known, "it has")
                raise BadSetting(f"{function.__name__} has no argument {name!r}{there_are}")
        return function(*ordered, **named)

    return checked


def _argument_names(function: Callable[..., object]) -> Iterator[str]:
    """The names of the arguments, those of ``**options: Unpack[Options]`` one by one."""
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            (options,) = get_args(parameter.annotation)
            yield from options.__annotations__
        else:
            yield name


def check_whole(name: str, value: object) -> None:
    """Raise BadSetting unless a value is a whole number, of Python or of numpy."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise BadSetting(f"{name} is {value!r}; it must be a whole number")


def offered(name: str, known: Iterable[str], there_are: str) -> str:
    """A closing phrase that offers the nearest known names, and then lists all."""
    names = list(known)
    listed = f"{there_are} {', '.join(names) or 'none'}"
    hint = did_you_mean(name, names)
    return f"{hint} {listed[0].upper()}{listed[1:]}" if hint else f"; {listed}"


def did_you_mean(name: str, known: Iterable[str], likeness: float = 0.6) -> str:
    """A closing phrase that offers the nearest known names, or nothing when none is near."""
    return suggestion(difflib.get_close_matches(name, list(known), n=3, cutoff=likeness))


def suggestion(names: Iterable[str]) -> str:
    """A closing phrase that offers names, or nothing where there are none."""
    offer = " or ".join(map(repr, names))
    return f"; did you mean {offer}?" if offer else ""
