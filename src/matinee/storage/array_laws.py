"""The arrays that a model folder may hold: their types, their shapes, and what they refer to.

A shape names dimensions, and a name means one number throughout a model. The models of a blend have
arrays of their own, ``models/0/...``, over the same users and items.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from matinee.data.integrity import (
    BadArray,
    check_codes,
    check_counts,
    check_finite,
    check_indptr,
    check_range,
    check_rows,
    check_texts,
    pieces,
)
from matinee.storage.tensors import StoredArray

NO_WEIGHTS = np.empty(0)
Shape = tuple[str | int, ...]


class ArrayLaw(NamedTuple):
    """The types that an array may have, and its shape."""

    dtypes: str
    shape: Shape


LAWS = {
    "user_ids": ArrayLaw("uint8", ("n_user_bytes",)),
    "user_id_ends": ArrayLaw("int64", ("n_users",)),
    "item_ids": ArrayLaw("uint8", ("n_item_bytes",)),
    "item_id_ends": ArrayLaw("int64", ("n_items",)),
    "seen_indptr": ArrayLaw("int64", ("n_users + 1",)),
    "seen_items": ArrayLaw("uint8 uint16 int32", ("n_ratings",)),
    "seen_ratings": ArrayLaw("float32 uint8 uint16", ("n_ratings",)),
    "seen_weights": ArrayLaw("float32", ("n_ratings",)),
    "seen_levels": ArrayLaw("float32", ("n_levels",)),
    "item_counts": ArrayLaw("int64", ("n_items",)),
    "user_factors": ArrayLaw("float32", ("n_users", "n_factors")),
    "user_bias": ArrayLaw("float32", ("n_users",)),
    "item_factors": ArrayLaw("float32", ("n_items", "n_factors")),
    "item_bias": ArrayLaw("float32", ("n_items",)),
    "item_implicit": ArrayLaw("float32", ("n_items", "n_factors")),
    "item_bias_variance": ArrayLaw("float32", ("n_items",)),
    "average_user_factors": ArrayLaw("float32", (1, "n_factors")),
    "average_user_bias": ArrayLaw("float32", (1,)),
    "population_moments_second": ArrayLaw("float64", ("n_tastes", "n_tastes")),
    "population_moments_first": ArrayLaw("float64", ("n_tastes",)),
    "population_n_strongest": ArrayLaw("int64", ("n_tastes",)),
    "population_mean_strength": ArrayLaw("float32 float64", ("n_factors",)),
    "population_strength_cap": ArrayLaw("float32 float64", ("n_factors",)),
    "calibration_coefficients": ArrayLaw("float64", (4,)),
    "calibration_strays": ArrayLaw("float64", (99,)),
    "calibration_moments": ArrayLaw("float64", ("n_factors + 1",)),
    "calibration_axes": ArrayLaw("float64", ("n_factors + 1", "n_factors + 1")),
    "weights": ArrayLaw("float32", ("n_items", "n_items")),
    "weights_indptr": ArrayLaw("int64", ("n_items + 1",)),
    "weights_neighbors": ArrayLaw("int32", ("n_weights",)),
    "weights_weights": ArrayLaw("float32", ("n_weights",)),
    "weights_shifts": ArrayLaw("float32", ("n_shifts",)),
    "vocabulary_idf": ArrayLaw("float32", ("n_features",)),
    **{
        f"{fold}_matrix_{part}": ArrayLaw("float64", ("n_factors", "n_factors"))
        for fold in ("fold", "item_fold")
        for part in ("base", "slope")
    },
    "fold_input_weights": ArrayLaw("float32", ("n_items", "n_hidden")),
    "fold_hidden_bias": ArrayLaw("float32", ("n_hidden",)),
    "fold_output_weights": ArrayLaw("float32", ("n_hidden", "n_factors")),
    "tower_weights": ArrayLaw("float32", ("n_hidden", "n_inner")),
    "tower_bias": ArrayLaw("float32", ("n_inner",)),
    "tower_output": ArrayLaw("float32", ("n_inner",)),
    "sampled": ArrayLaw("int32", ("n_sampled",)),
    "profile_map_share": ArrayLaw("float32", ("n_values",)),
    "profile_map_weights": ArrayLaw("float32", ("n_values", "n_factors + 1")),
}
FEATURE_WEIGHTS = ArrayLaw("float32", ("n_features", "n_factors + 1"))  # where there are features
COMMON = ("n_users", "n_items", "n_ratings", "n_levels", "n_user_bytes", "n_item_bytes")


def check_arrays(arrays: Mapping[str, StoredArray]) -> None:
    """Raise BadArray unless a kernel may index with the arrays of a model folder."""
    sizes: dict[str, int] = {}
    for name, array in sorted(arrays.items(), key=lambda one: (one[0].count("/"), one[0])):
        _check_shape(name, array, arrays, sizes)
        if array.dtype.kind == "f":
            check_finite(name, array)
    for side in ("user", "item"):
        if f"{side}_ids" in arrays:
            check_texts(f"{side}_ids", arrays[f"{side}_ids"], arrays[f"{side}_id_ends"])
    if "seen_items" in arrays:
        n_users, n_items = (len(arrays[f"{side}_id_ends"]) for side in ("user", "item"))
        check_rows(arrays["seen_indptr"], arrays["seen_items"], n_users, n_items)
        levels = arrays.get("seen_levels")
        if "item_counts" in arrays:
            check_counts(arrays["item_counts"], arrays["seen_items"], n_items)
        check_codes(arrays["seen_ratings"], levels, len(arrays["seen_items"]))
    if any((piece <= 0).any() for piece in pieces(arrays.get("seen_weights", NO_WEIGHTS))):
        raise BadArray("seen_weights holds weights that are not above 0")
    for name in arrays:
        if name.endswith("weights_indptr"):
            _check_neighbors(name.removesuffix("indptr"), arrays, sizes["n_items"])


def _check_shape(
    name: str, array: Any, arrays: Mapping[str, StoredArray], sizes: dict[str, int]
) -> None:
    """Raise BadArray unless an array is one of LAWS, and of the shape that the others give it."""
    prefix, _, plain = name.rpartition("/")
    law = LAWS.get(plain)
    if plain == "weights" and f"{name[: -len(plain)]}vocabulary_idf" in arrays:
        law = FEATURE_WEIGHTS
    if law is None:
        raise BadArray(f"there is no array {name[:60]!r} in a model")
    if array.dtype.name not in law.dtypes.split() or array.ndim != len(law.shape):
        raise BadArray(f"{name} is of type {array.dtype} and shape {array.shape}")
    for part in getattr(array, "arrays", ()):
        if part.dtype != array.dtype or part.shape[1:] != array.shape[1:]:
            raise BadArray(f"the parts of {name} differ in type or width")
    for size, dimension in zip(array.shape, law.shape, strict=True):
        if isinstance(dimension, int):
            expected = dimension
        else:
            symbol, _, one = dimension.partition(" + ")
            key = symbol if symbol in COMMON else f"{prefix}/{symbol}"
            expected = sizes.setdefault(key, size - bool(one)) + bool(one)
        if size != expected:
            raise BadArray(f"{name} has the shape {array.shape}, which does not fit the others")


def _check_neighbors(prefix: str, arrays: Mapping[str, StoredArray], n_items: int) -> None:
    neighbors, shifts = arrays[f"{prefix}neighbors"], arrays[f"{prefix}shifts"]
    check_indptr(f"{prefix}indptr", arrays[f"{prefix}indptr"], n_items, len(neighbors))
    check_range(f"{prefix}neighbors", neighbors, n_items)
    if len(shifts) not in (0, len(neighbors)):
        raise BadArray(f"{prefix}shifts does not fit {prefix}neighbors")
