"""From a model back to the algorithm and the ratings it is of, to fit again."""

from collections.abc import Mapping
from dataclasses import fields

import numpy as np

from matinee.algorithms import ALGORITHMS
from matinee.algorithms.base import Algorithm
from matinee.data.ratings import Ratings
from matinee.display.plain_data import JsonMapping
from matinee.errors import BadModel
from matinee.models import Model


def algorithm_of(model: Model) -> Algorithm:
    """The algorithm of a model with the same settings: ``algorithm_of(m).fit(r)`` gives m again.

    Raises BadModel where this version does not know the algorithm or a setting.
    """
    return with_settings_of(model.algorithm, model.settings)


def with_settings_of(name: str, settings: JsonMapping) -> Algorithm:
    """A registered algorithm with settings as they are in a model file."""
    try:
        kind = ALGORITHMS[name]
        known = {field.name for field in fields(kind) if field.init}
        return kind(**{key: _value(value) for key, value in settings.items() if key in known})
    except (KeyError, TypeError, ValueError) as error:
        raise BadModel(f"{name} cannot be fitted again with {dict(settings)}: {error}") from error


def ratings_of(model: Model) -> Ratings:
    """The ratings that a model was fitted on, as it has kept them: without times."""
    users = np.repeat(np.arange(len(model.users), dtype=np.int32), model.seen.counts)
    return Ratings.of(
        model.users,
        model.items,
        users,
        model.seen.indices,
        model.seen.values,
        scale=model.scale,
        catalog=model.catalog,
        sample_weight=model.seen.weights,
    )


def _value(value: object) -> object:
    """A setting as it was before it became JSON: tuples, and the parts of a blend or hybrid."""
    if isinstance(value, Mapping) and "algorithm" in value:
        own = {name: one for name, one in value.items() if name != "algorithm"}
        return with_settings_of(value["algorithm"], own)
    return tuple(map(_value, value)) if isinstance(value, list | tuple) else value
