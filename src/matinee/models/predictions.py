"""Predicted ratings of (user, item) pairs, with the unknown ones marked."""

from collections.abc import Mapping, Sequence

import numpy as np

from matinee.display.tables import Table


class Predictions(Table):
    """Columns ``user_id, item_id, rating, known``; also a numpy array of the ratings.

    ``rating`` is clipped to the scale, ``score`` (n,) is not. ``known`` is False where the user or
    the item had no training rating and counted as the average one. One prediction is a float too.
    """

    def __init__(
        self,
        user_id: Sequence[str],
        item_id: Sequence[str],
        score: np.ndarray,
        rating: np.ndarray,
        known: np.ndarray,
        id_types: Mapping[str, str | None] | None = None,
    ) -> None:
        super().__init__(
            {
                "user_id": user_id,
                "item_id": item_id,
                "rating": rating.astype(float),
                "known": known,
            },
            id_types=id_types,
        )
        self.score = score
        self._rating = rating

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self._rating, dtype=dtype)  # type: ignore[call-overload,no-any-return]

    def __float__(self) -> float:
        (rating,) = self._rating.tolist()
        return float(rating)
