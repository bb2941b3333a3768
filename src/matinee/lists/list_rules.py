"""Rules at list time: which items may be in a list, and what beside the score ranks them.

Filters (``min_ratings``, ``where``, ``hide``) leave items out. The other rules re-rank the
candidates that are best by score, and each is a term that is added to it:

    ranks at place k:  score(i) + boost(i) + S (novelty v(i) - diversity max_j cos(g_i, g_j)
                       - calibrated (k KL(p, q_k(i)) - (k - 1) KL(p, q_(k-1))))

S is the distance between the best and the last score of the candidates, so a strength means the
same whatever the unit of scores; with 1 a rule weighs as much as all of that distance. j are the
items placed before, g_i the genres of i as a 0-1 vector (its factors where the catalogue has no
genres), v(i) = -log2(share of users who rated i) / log2(number of users), p the genres of what
the person rated at or above their own mean, and q_k those of the list so far with i.

Diversity is maximal marginal relevance, the strength being lambda / (1 - lambda) of Carbonell &
Goldstein 1998. Calibration is greedy by Steck 2018 on the mean score of the list, not its sum, so
that the last places weigh as much as the first: its terms over a list of n add up to
-calibrated S n KL(p, q_n).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypedDict

import numpy as np

from matinee.errors import BadSetting, check_known, check_whole

STRONGEST = 1.0  # strength with which a rule weighs as much as all of the distance S
RERANKED = 100  # candidates of a person that are re-ranked, the best by score and boost


class RuleArguments(TypedDict, total=False):
    """The rules as keyword arguments of ``recommend``; see ``ListRules``."""

    min_ratings: int
    where: Mapping[str, object]
    diversity: float
    novelty: float
    calibrated: float
    boost: Mapping[object, float]
    hide: Collection[object]


class ListArguments(RuleArguments, total=False):
    """The keyword arguments of ``recommend`` that are not about one user."""

    exclude_seen: bool
    items: Iterable[object] | None
    exclude: Iterable[object] | None


@dataclass(frozen=True, kw_only=True)
class ListRules:
    """What a list must keep to. Raises BadSetting for a strength outside 0..1."""

    min_ratings: int = 0  # training ratings that an item needs
    where: Mapping[str, object] = field(default_factory=dict)  # conditions; see catalog_filter
    diversity: float = 0.0  # strength, 0..1: items unlike those before them
    novelty: float = 0.0  # strength, 0..1: items that fewer people know
    calibrated: float = 0.0  # strength, 0..1: genres in the person's own proportions
    boost: Mapping[object, float] = field(default_factory=dict)  # item id -> stars, or points
    hide: Collection[object] = ()  # item ids

    def __post_init__(self) -> None:
        check_whole("min_ratings", self.min_ratings)
        if self.min_ratings < 0:
            raise BadSetting(f"min_ratings is {self.min_ratings}; it must be 0 or more")
        for name, strength in self.strengths.items():
            if not (is_number(strength) and 0 <= strength <= STRONGEST):
                value = f"{strength:g}" if is_number(strength) else repr(strength)
                raise BadSetting(
                    f"{name} is {value}; it must be from 0 for not at all to {STRONGEST:g} for most"
                )
        for item, stars in self.boost.items():
            if not (is_number(stars) and np.isfinite(stars)):
                raise BadSetting(f"the boost of {item!r} is {stars!r}; it must be a number")
        if isinstance(self.hide, str):
            raise BadSetting("hide is one text; give a list of item ids")

    @classmethod
    def of(cls, rules: "RuleArguments") -> "ListRules":
        """The rules of keyword arguments. Raises BadSetting for one that there is not."""
        for name in rules:
            check_known("argument of a list", name, RuleArguments.__annotations__)
        return cls(**rules)

    @property
    def strengths(self) -> dict[str, float]:
        """The strengths of the rules that depend on the rest of the list, by their names."""
        return {
            "novelty": self.novelty,
            "diversity": self.diversity,
            "calibrated": self.calibrated,
        }

    @property
    def rerank(self) -> bool:
        """Whether any rule changes the order of items, rather than leaving some out."""
        return bool(self.boost) or any(self.strengths.values())


def is_number(value: object) -> bool:
    """Whether a value is an int or a float."""
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


NO_RULES = ListRules()
