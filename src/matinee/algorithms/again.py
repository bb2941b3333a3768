"""From a model back to the algorithm that fitted it, to fit it again on other ratings."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from matinee.algorithms import ALGORITHMS
from matinee.algorithms.base import Algorithm
from matinee.errors import BadModel
from matinee.models import Model


def algorithm_of(model: Model) -> Algorithm:
    """The algorithm of a model with the same settings: ``algorithm_of(m).fit(r)`` gives m again.

    Raises BadModel where this version does not know the algorithm or a setting.
    """
    return with_settings_of(model.algorithm, model.settings)


def with_settings_of(name: str, settings: Mapping[str, Any]) -> Algorithm:
    """A registered algorithm with settings as they are in a model file."""
    try:
        kind = ALGORITHMS[name]
        known = {field.name for field in fields(kind) if field.init}
        return kind(**{key: _value(value) for key, value in settings.items() if key in known})
    except (KeyError, TypeError, ValueError) as error:
        raise BadModel(f"{name} cannot be fitted again with {dict(settings)}: {error}") from error


def _value(value: Any) -> Any:
    """A setting as it was before it became JSON: tuples, and the parts of a blend."""
    if not isinstance(value, list | tuple):
        return value
    return tuple(
        with_settings_of(one["algorithm"], {k: v for k, v in one.items() if k != "algorithm"})
        if isinstance(one, Mapping) and "algorithm" in one
        else _value(one)
        for one in value
    )
