"""From what people tell of themselves to what a model makes of them.

    x_u ~ m + W' (f_u - f)       min over W  sum_u |x_u - m - W' (f_u - f)|^2 + reg |W|^2

x_u is someone's bias and factors, f_u has a 1 for each value they have (age 25-34, gender F), f is
the average of it, and m that of x. What is not told of counts as average (the map from attributes
to factors of Gantner et al. 2010).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from matinee.data.ids import IdMap
from matinee.data.profiles import Profiles, grouped
from matinee.errors import BadSetting, did_you_mean
from matinee.row_solvers.embeddings import Embeddings

PRIOR_PEOPLE = 10.0  # ridge penalty: people of average taste added to each value
FEWEST_PEOPLE = 5  # who must share a value, for their privacy


@dataclass(frozen=True, eq=False)
class ProfileMap:
    """The values of profiles, and what each adds to the average person."""

    values: tuple[tuple[str, str], ...]  # name and value of each column
    share: np.ndarray  # (n_values,) float32: who have the value, of those with the name
    weights: np.ndarray  # (n_values, n_factors + 1) float32; the last column is for the bias

    @classmethod
    def of(
        cls, profiles: Profiles, users: IdMap, side: Embeddings, rated: np.ndarray
    ) -> Self | None:
        """Fitted to the users with ratings and a profile; None where these are too few.

        ``side`` holds the embeddings of users, ``rated`` (n_users,) their numbers of ratings.
        """
        rows = users.rows(list(profiles))
        rows = np.sort(rows[rows >= 0])
        rows = rows[rated[rows] > 0]
        known = [profiles[one] for one in users.ids[rows].tolist()]
        count = Counter(pair for one in known for pair in one.items())
        n_people = Counter(name for one in known for name in one)
        values = tuple(sorted(pair for pair, n in count.items() if n >= FEWEST_PEOPLE))
        if not values:
            return None
        share = np.array([count[pair] / n_people[pair[0]] for pair in values], np.float32)
        F = np.stack([cls(values, share, share).encode(one) for one in known])
        X = np.column_stack([side.factors[rows], side.bias[rows]]).astype(np.float64)
        A = F.T @ F + PRIOR_PEOPLE * np.eye(len(values))
        W = np.linalg.solve(A, F.T @ (X - X.mean(axis=0))).astype(np.float32)
        for array in (share, W):
            array.flags.writeable = False
        return cls(values, share, W)

    def encode(self, features: Mapping[str, str]) -> np.ndarray:
        """f - average f of someone: (n_values,) float64; zeros for names that are not given."""
        return np.array(
            [
                (features[name] == value) - float(share) if name in features else 0.0
                for (name, value), share in zip(self.values, self.share, strict=True)
            ]
        )

    def checked(self, features: Mapping[str, object]) -> dict[str, str]:
        """The features with ages grouped. Raises BadSetting for unknown names or values."""
        known: dict[str, list[str]] = {}
        for name, value in self.values:
            known.setdefault(name, []).append(value)
        if not features:
            raise BadSetting(f"no feature is given; the model knows {', '.join(known)}")
        values = {}
        for name, given in features.items():
            if name not in known:
                hint = did_you_mean(name, known)
                raise BadSetting(
                    f"{name!r} is no feature of people; there are {_list(known)}{hint}"
                )
            text = grouped(name, given)
            same = [one for one in known[name] if one.casefold() == text.casefold()]
            if not same:
                hint = did_you_mean(text, known[name])
                raise BadSetting(f"{name} is {text!r}; it can be {_list(known[name])}{hint}")
            values[name] = same[0]
        return values

    def embeddings(
        self, features: Mapping[str, object], average: Embeddings, nonnegative: bool
    ) -> Embeddings:
        """Bias and factors expected of someone with these features."""
        change = (self.encode(self.checked(features)) @ self.weights).astype(np.float32)
        factors = average.factors + change[:-1]
        if nonnegative:
            factors = np.maximum(factors, 0.0)
        return Embeddings(factors, average.bias + change[-1:])


def _list(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))
