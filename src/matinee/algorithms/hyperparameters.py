"""Hyper-parameters, each stated once: type, range, default, meaning, and where to search it.

    n_factors: int = setting(50, "length of p_u and q_i", at_least=1, search=Whole(8, 128))
    n_epochs: int = setting(12, "passes over the ratings", When(30, solver="sgd"), at_least=1)

The statement is the metadata of a dataclass field. Validation, ``--set``, ``fit --help``, the
search space, the docstrings and the reference pages all read it. A setting whose default is None is
learned from the data.
"""

from collections.abc import Iterable
from dataclasses import Field, dataclass, field, fields, replace
from math import isfinite
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack, get_args

from matinee.algorithms.search_space import Dimension
from matinee.display.plain_data import JsonMapping
from matinee.errors import BadSetting

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")

KEY = "hyperparameter"  # of the metadata of a field
TYPES = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


class Limits(TypedDict, total=False):
    """The range of a number."""

    at_least: float
    above: float
    at_most: float
    below: float


class SameAs(str):
    """A default that is the value of another setting, by the name of that setting."""


class When:
    """A default that replaces the usual one under a condition: ``When(30, solver="sgd")``."""

    def __init__(self, value: object, **condition: object) -> None:
        self.value = value
        self.condition = condition

    def holds(self, values: JsonMapping) -> bool:
        """Whether settings with these values meet the condition."""
        return all(values[name] == value for name, value in self.condition.items())

    def __str__(self) -> str:
        condition = " ".join(f"{name}={value}" for name, value in self.condition.items())
        return f"{'none' if self.value is None else self.value} with {condition}"


@dataclass(frozen=True)
class Hyperparameter:
    """What is stated of one hyper-parameter."""

    default: Any
    meaning: str
    exceptions: tuple[When, ...]  # the first that holds replaces the default
    search: Dimension | None  # where ``matinee.tune`` searches it
    choices: tuple[object, ...]
    limits: Limits

    @property
    def follows(self) -> bool:
        """Whether the default follows from other settings; the signature then shows None."""
        return bool(self.exceptions) or isinstance(self.default, SameAs)

    @property
    def learned(self) -> bool:
        """Whether the fit learns it from the data, unless a value is given."""
        return self.default is None

    def default_beside(self, values: JsonMapping) -> object:
        """The default beside other settings, given by name."""
        for exception in self.exceptions:
            if exception.holds(values):
                return exception.value
        return values[self.default] if isinstance(self.default, SameAs) else self.default

    @property
    def default_in_words(self) -> str:
        """The default, followed in brackets by its exceptions."""
        exceptions = "; ".join(map(str, self.exceptions))
        default = "learned" if self.learned else in_words(self.default)
        return f"{default} ({exceptions})" if exceptions else default

    def range_in_words(self, kind: object) -> str:
        """The values that a field of type ``kind`` takes."""
        if self.choices:
            return ", ".join(map(str, self.choices))
        kind = without_none(kind)
        limits = [f"{limit.replace('_', ' ')} {value}" for limit, value in self.limits.items()]
        return ", ".join([TYPES.get(kind, "algorithms, by name or with settings"), *limits])  # type: ignore[call-overload]

    def check(self, name: str, value: object, kind: object) -> None:
        """Raise BadSetting, naming value and limit, unless a field of type ``kind`` takes it."""
        if value is None and self.learned:
            return
        kind = without_none(kind)
        if kind is int and not (isinstance(value, int) and not isinstance(value, bool)):
            raise BadSetting(f"{name} is {value!r}; it must be a whole number")
        if kind is bool or self.choices:
            check_choice(name, value, self.choices or (True, False))
        elif kind in (int, float):
            check_limits(name, value, **self.limits)


def in_words(default: Any) -> str:
    """A default as text; algorithms by name, with the settings that differ from their defaults."""
    if isinstance(default, tuple):
        return " and ".join(map(in_words, default))
    settings = getattr(default, "non_default_settings", None)
    if settings is None:
        return str(default)
    words = ", ".join(f"{name}={value}" for name, value in settings.items())
    return f"{default.name}({words})" if words else str(default.name)


def without_none(kind: object) -> object:
    """The type that ``T | None`` is of besides None; any other type as it is."""
    plain = [one for one in get_args(kind) if one is not NoneType]
    return plain[0] if isinstance(kind, UnionType) and len(plain) == 1 else kind


def setting(
    default: T | SameAs,
    meaning: str,
    *exceptions: When,
    search: Dimension | None = None,
    choices: Iterable[object] = (),
    **limits: Unpack[Limits],
) -> T:
    """The field of one hyper-parameter, for the body of an algorithm's class."""
    stated = Hyperparameter(default, meaning, exceptions, search, tuple(choices), limits)
    field: T = _field(stated)
    return field


def redefault(kind: "type[DataclassInstance]", name: str, default: T, *exceptions: When) -> T:
    """The field of a hyper-parameter of the parent ``kind``, with another default."""
    inherited = hyperparameter_of(next(one for one in fields(kind) if one.name == name))
    field: T = _field(replace(inherited, default=default, exceptions=exceptions))
    return field


def hyperparameter_of(stated: "Field[Any]") -> Hyperparameter:
    """What is stated of the hyper-parameter of a field; plain fields state a default alone."""
    plain = Hyperparameter(stated.default, "", (), None, (), {})
    hyperparameter: Hyperparameter = stated.metadata.get(KEY, plain)
    return hyperparameter


def check_choice(name: str, value: object, choices: Iterable[object]) -> None:
    """Raise BadSetting unless the value is one of the choices."""
    if value not in choices:
        raise BadSetting(f"{name} is {value!r}; it must be one of {', '.join(map(repr, choices))}")


def check_limits(name: str, value: object, **limits: Unpack[Limits]) -> None:
    """Raise BadSetting unless the value is a finite number within the limits."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise BadSetting(f"{name} is {value!r}; it must be a number")
    if not isfinite(value):
        raise BadSetting(f"{name} is {value}; it must be a finite number")
    if {"at_least", "at_most"} <= limits.keys():
        if not limits["at_least"] <= value <= limits["at_most"]:
            within = f"from {limits['at_least']} to {limits['at_most']}"
            raise BadSetting(f"{name} is {value}; it must be {within}")
        return
    obeyed = {
        "at_least": lambda limit: value >= limit,
        "above": lambda limit: value > limit,
        "at_most": lambda limit: value <= limit,
        "below": lambda limit: value < limit,
    }
    for key, limit in limits.items():
        if not obeyed[key](limit):
            raise BadSetting(f"{name} is {value}; it must be {key.replace('_', ' ')} {limit}")


def _field(stated: Hyperparameter) -> Any:
    """A dataclass field that states a hyper-parameter."""
    return field(default=None if stated.follows else stated.default, metadata={KEY: stated})
