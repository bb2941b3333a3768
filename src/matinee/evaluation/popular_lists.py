"""The lists of a model beside those of popularity, which everybody would get without one."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from matinee.display.plain_data import JsonObject
from matinee.display.text import counted
from matinee.models.model import Model

USERS_SAMPLED = 200  # whose lists are counted
LIST_LENGTH = 10
QUANTILES = (0.1, 0.5, 0.95)  # of activity, of the users shown


@dataclass(frozen=True)
class ListPair:
    """The item ids of a user's list, and of the most rated items that they have not rated."""

    user_id: str
    n_rated: int
    items: Sequence[str]
    popular: Sequence[str]

    @property
    def shared(self) -> int:
        """How many items are on both lists."""
        return len(set(self.items) & set(self.popular))


@dataclass(frozen=True)
class PopularLists:
    """Example lists of users beside popularity, and how alike the lists of a sample are."""

    pairs: Sequence[ListPair]  # of a user with few ratings, with a typical number, with many
    n_users: int  # sampled
    mean_shared: float  # items of a list of 10 that are on the list of popularity too

    @classmethod
    def of(cls, model: Model) -> "PopularLists":
        """The lists of typical users, and of a sample of all."""
        sample = list_pairs(model, sampled_users(model).tolist())
        pairs = list_pairs(model, typical_users(model))
        return cls(pairs, len(sample), float(np.mean([one.shared for one in sample])))

    @property
    def summary(self) -> str:
        """How alike the lists are, as a sentence."""
        return (
            f"Of a list of {LIST_LENGTH}, on average {self.mean_shared:.1f} are also among "
            f"the {LIST_LENGTH} most rated items that the person has not rated "
            f"({counted(self.n_users, 'person')}, sampled evenly)."
        )

    def to_dict(self, model: Model) -> JsonObject:
        """Plain values, items with their labels."""

        def labels(ids: Sequence[str]) -> list[dict[str, str]]:
            return [{"item_id": one, "label": model.catalog.label(one)} for one in ids]

        return {
            "summary": self.summary,
            "pairs": [
                {
                    **asdict(one),
                    "items": labels(one.items),
                    "popular": labels(one.popular),
                    "shared": one.shared,
                }
                for one in self.pairs
            ],
        }


def list_pairs(model: Model, rows: Sequence[int]) -> list[ListPair]:
    """The lists of users by row number."""
    users = [str(user) for user in model.users.ids[list(rows)]]
    table = model.recommend(users, LIST_LENGTH)
    lists: dict[str, list[str]] = {user: [] for user in users}
    for user, item in zip(table.user_id, table.item_id, strict=True):
        lists[user].append(item)
    most_rated = np.argsort(-model.item_counts, kind="stable")
    pairs = []
    for user, row in zip(users, rows, strict=True):
        rated = model.seen.row(row)[0]
        candidates = most_rated[: LIST_LENGTH + len(rated)]
        popular = candidates[~np.isin(candidates, rated)][:LIST_LENGTH]
        pairs.append(ListPair(user, len(rated), lists[user], model.items.ids[popular].tolist()))
    return pairs


def typical_users(model: Model) -> list[int]:
    """Rows of the users at some quantiles of activity."""
    counts = model.seen.counts
    rated = np.flatnonzero(counts)
    order = rated[np.argsort(counts[rated], kind="stable")]
    places = [round(q * (len(order) - 1)) for q in QUANTILES]
    return list(dict.fromkeys(order[places].tolist()))


def sampled_users(model: Model) -> np.ndarray:
    """Row numbers (n,) of users, evenly spread over those with ratings."""
    rated = np.flatnonzero(model.seen.counts)
    place = np.linspace(0, len(rated) - 1, min(USERS_SAMPLED, len(rated))).round().astype(int)
    rows: np.ndarray = rated[place]
    return rows
