"""An algorithm from outside: any class with ``fit(ratings)``, as the others are used.

Settings are the parameters of its ``__init__``, kept as attributes of the same names. It may state
``name``, ``kind`` ("rating" or "preference") and ``space``, the settings that ``tune`` searches.
"""

import inspect
from dataclasses import dataclass
from typing import Any, Self

from matinee.algorithms.base import Algorithm
from matinee.algorithms.search_space import Space
from matinee.data.ratings import Ratings
from matinee.display.plain_data import JsonMapping, JsonObject
from matinee.errors import BadSetting, offered
from matinee.models.external import ExternalModel
from matinee.models.model import Model
from matinee.training.progress import OnEpoch, quiet


@dataclass(frozen=True, kw_only=True, repr=False)
class External(Algorithm):
    """The algorithm around an object from outside."""

    learner: Any

    def __new__(cls, *, learner: Any) -> Self:
        return object.__new__(cls)

    @property
    def name(self) -> str:  # type: ignore[override]
        """As the object states it, or the name of its class."""
        return str(getattr(self.learner, "name", type(self.learner).__name__))

    @property
    def kind(self) -> str:
        return str(getattr(self.learner, "kind", "rating"))

    @property
    def space(self) -> Space:  # type: ignore[override]
        """The settings worth searching, as the object states them."""
        return dict(getattr(self.learner, "space", {}))

    @property
    def settings(self) -> JsonObject:
        return {name: getattr(self.learner, name) for name in defaults_of(type(self.learner))}

    @property
    def non_default_settings(self) -> JsonObject:
        defaults = defaults_of(type(self.learner))
        return {name: one for name, one in self.settings.items() if one != defaults[name]}

    def with_settings(self, settings: JsonMapping) -> Self:
        return type(self)(learner=type(self.learner)(**{**self.non_default_settings, **settings}))

    def get_params(self, deep: bool = True) -> JsonObject:
        return self.settings

    def check_setting(self, name: str) -> None:  # type: ignore[override]
        """Raise BadSetting, with the nearest, for a setting that this algorithm does not have."""
        check_setting_of(type(self.learner), name)

    def fit(
        self, train: Ratings, validation: Ratings | None = None, on_epoch: OnEpoch = quiet
    ) -> Model:
        return ExternalModel.of(self.learner.fit(train), train, self.name, self.settings)

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self.settings.items())
        return f"{type(self.learner).__name__}({settings})"


def as_algorithm(value: object) -> Algorithm:
    """An algorithm: one of ours as it is, an object or class from outside with ``fit``.

    Raises BadSetting for anything else.
    """
    learner = value() if isinstance(value, type) else value
    if isinstance(learner, Algorithm):
        return learner
    if not callable(getattr(learner, "fit", None)):
        raise BadSetting(
            f"{value!r} is no algorithm: it has no fit(ratings); give a name, or a value such as "
            "MF(n_factors=16)"
        )
    for name in defaults_of(type(learner)):
        if not hasattr(learner, name):
            raise BadSetting(
                f"{type(learner).__name__} takes {name} but keeps no attribute of that name; set "
                f"self.{name} = {name}"
            )
    return External(learner=learner)


def defaults_of(kind: type) -> JsonObject:
    """The parameters of a class from outside, with their defaults; ``...`` where there is none."""
    empty = inspect.Parameter.empty
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {
        name: ... if one.default is empty else one.default
        for name, one in inspect.signature(kind).parameters.items()
        if one.kind in by_name
    }


def check_setting_of(kind: type, name: str) -> None:
    """Raise BadSetting, with the nearest, for a setting that a class from outside does not take."""
    known = list(defaults_of(kind))
    if name not in known:
        called = getattr(kind, "name", kind.__name__)
        raise BadSetting(f"{called} has no setting {name!r}{offered(name, known, 'it has')}")
