"""One blocked pass over the test users that measures every ranking and every list metric.

The whole catalogue is ranked for each of them; no more than a block of scores exists at a time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from matinee.data.ratings import Ratings
from matinee.data.rows import Rows
from matinee.evaluation.metrics.beyond import ItemFacts, Lists
from matinee.evaluation.metrics.ranking import RankedTest
from matinee.evaluation.protocol import Measurable, Measure, Plan
from matinee.kernels.ranking import ItemSets, rank_intervals, top_n

BLOCK_SCORES = 4_000_000  # scores held at once: 16 MB


@dataclass(frozen=True, eq=False)
class Ranked:
    """The results of the pass, over the measured users."""

    users: np.ndarray  # (n_users,) int32 row numbers, ascending
    per_user: Mapping[str, np.ndarray]  # by name of metric: (n_users,) float64, NaN where none
    times: Mapping[int, np.ndarray]  # by list length: how often each item is shown, (n_items,)
    test: RankedTest  # of the relevant items
    relevant_items: np.ndarray  # int32, as they lie in ``test``
    nan_scores: int


class _Block(NamedTuple):
    """A run of measured users, a row each."""

    users: np.ndarray  # (n,) int32
    seen: ItemSets  # their training items
    tested: ItemSets  # their test items


def rank_test(model: Measurable, test: Ratings, plan: Plan, genres: np.ndarray | None) -> Ranked:
    """Rank the catalogue for all users with a relevant test item, and measure what the plan says.

    ``genres`` is (n_items, n_genres) bool; only measures of genres need it.
    """
    measured = np.zeros(len(model.users), dtype=bool)
    measured[test.user[test.rating >= plan.relevant_from]] = True
    of_measured = measured[test.user]
    item, rating = test.item[of_measured], test.rating[of_measured]
    users, starts = np.unique(test.user[of_measured], return_index=True)
    indptr = np.append(starts, len(item)).astype(np.int64)
    better, tied = np.empty(len(item), np.int32), np.empty(len(item), np.int32)
    totals = _ListTotals.of(model, plan, genres, len(users))
    nan_scores = 0
    ranker = getattr(model, "ranker", model)  # lists by choice and stars, where a model has both
    for block, rows, span in _blocks(model, users, indptr, item):
        scores = ranker.score_block(block.users)
        nan_scores += int(np.count_nonzero(np.isnan(scores)))
        better[span], tied[span] = rank_intervals(scores, block.seen, block.tested)
        totals.add(rows, block, scores)

    candidates = len(model.items) - model.seen.counts[users]
    gain = np.maximum(rating.astype(np.float64) - model.scale.low, 0.0)
    graded = RankedTest(indptr, better, tied, candidates, gain)
    relevant = rating >= plan.relevant_from
    tests = {"grades": graded, "ranks": graded.only(relevant)}
    per_user = {
        one.name: one.metric.compute(tests[one.metric.source], *one.lengths)
        for one in plan.measures
        if one.metric.source in tests
    }
    return Ranked(
        users,
        per_user | totals.per_user,
        totals.times,
        tests["ranks"],
        item[relevant],
        nan_scores,
    )


def of_catalog(times: Mapping[int, np.ndarray], measures: Sequence[Measure]) -> dict[str, float]:
    """The metrics of all lists together, by name.

    ``times`` holds, by list length, how often each item is shown: (n_items,).
    """
    return {
        one.name: one.metric.compute(times[one.n])
        for one in measures
        if one.metric.source == "catalog" and one.n is not None and one.n in times
    }


@dataclass(frozen=True, eq=False)
class _ListTotals:
    """The metrics of the lists, filled block by block; the lists themselves are not stored."""

    plan: Plan  # of the measures of lists
    facts: ItemFacts
    seen: Rows
    per_user: dict[str, np.ndarray]
    times: dict[int, np.ndarray]  # by list length: how often each item is shown, (n_items,)

    @classmethod
    def of(
        cls, model: Measurable, plan: Plan, genres: np.ndarray | None, n_users: int
    ) -> "_ListTotals":
        seen, n_items = model.seen, len(model.items)
        counts = np.bincount(seen.indices, minlength=n_items)
        facts = ItemFacts.of(counts, int(np.count_nonzero(seen.counts)), genres)
        plan = plan.only(one for one in plan.measures if one.metric.source in ("lists", "catalog"))
        per_user = {
            one.name: np.empty(n_users) for one in plan.measures if one.metric.source == "lists"
        }
        times = {one.n: np.zeros(n_items, np.int64) for one in plan.measures if one.n is not None}
        return cls(plan, facts, seen, per_user, times)

    def add(self, rows: slice, block: _Block, scores: np.ndarray) -> None:
        """Measure the lists of a block; ``rows`` are its places among the measured users."""
        if not self.times:
            return
        items, _ = top_n(scores, block.seen, max(self.times))
        for n, times in self.times.items():
            first = items[:, :n]
            times += np.bincount(first[first >= 0], minlength=len(times))
        needs_genres = any(one.metric.needs_genres for one in self.plan.measures)
        lists = Lists(items, self.facts, self._liked(block) if needs_genres else None)
        for one in self.plan.measures:
            if one.metric.source == "lists":
                self.per_user[one.name][rows] = one.metric.compute(lists, *one.lengths)

    def _liked(self, block: _Block) -> np.ndarray:
        """p(g|u) of the training items that each user rated as relevant."""
        user = np.repeat(np.arange(len(block.users)), np.diff(block.seen.indptr))
        liked = self.seen.take(block.users).values >= self.plan.relevant_from
        shares = self.facts.genre_shares[block.seen.items[liked]]
        total = np.zeros((len(block.users), shares.shape[1]))
        for genre in range(shares.shape[1]):
            total[:, genre] = np.bincount(user[liked], shares[:, genre], len(total))
        whole = total.sum(axis=1, keepdims=True)
        return np.where(whole > 0, total / np.where(whole > 0, whole, 1.0), 0.0)


def _blocks(
    model: Measurable, users: np.ndarray, indptr: np.ndarray, item: np.ndarray
) -> Iterator[tuple[_Block, slice, slice]]:
    """Blocks of users with at most BLOCK_SCORES scores, and the spans of each and its items."""
    size = max(1, BLOCK_SCORES // len(model.items))
    for first in range(0, len(users), size):
        some = users[first : first + size]
        ends = indptr[first : first + len(some) + 1]
        span = slice(int(ends[0]), int(ends[-1]))
        seen = model.seen.take(some)
        tested = ItemSets(ends - ends[0], item[span])
        block = _Block(some, ItemSets(seen.indptr, seen.indices), tested)
        yield block, slice(first, first + len(some)), span
