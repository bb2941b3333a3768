"""Splitting ratings into a part to learn from and a part to be measured on.

A split is a value that knows how it was made. The same ratings and seed give the same split,
whatever the order of rows in the file they came from.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from matinee.errors import BadRatings, BadSetting
from matinee.ratings import Ratings, Rows, union


@dataclass(frozen=True, eq=False)
class Split:
    """Training and test ratings over the same users and items.

    Raises BadRatings when the two parts are numbered differently or share a (user, item) pair.
    """

    train: Ratings
    test: Ratings
    said: str  # how the split was made, in words

    def __post_init__(self) -> None:
        train, test = self.train, self.test
        if train.users != test.users or train.items != test.items:
            raise BadRatings("the parts have different ids; splits.given(train, test) joins them")
        shared = find_shared_pair(train.by_user, test.user, test.item)
        if shared is not None:
            user, item = test.user[shared], test.item[shared]
            raise BadRatings(
                f"user {test.users.ids[user]!r} and item {test.items.ids[item]!r} are in both the "
                "training and the test part; take such pairs out of one of them"
            )

    def __str__(self) -> str:
        return f"{self.said}: {len(self.train):,} ratings to train, {len(self.test):,} to test"


def random(ratings: Ratings, test_share: float = 0.2, seed: int = 0) -> Split:
    """Test on a random share of all ratings.

    Users and items keep their frequencies; models that use time see the future of others.
    Raises BadSetting for an impossible share, BadRatings when a part would be empty.
    """
    in_test = _draw(len(ratings), seed) < _test_size(len(ratings), test_share)
    return _cut(
        ratings, in_test, f"{100 * test_share:.4g} % of all ratings at random (seed {seed})"
    )


def k_fold(ratings: Ratings, folds: int = 5, seed: int = 0) -> Iterator[Split]:
    """Deal the ratings at random into folds of equal size, and test on each of them in turn.

    Every rating is tested exactly once. Raises BadSetting when there are fewer than two folds or
    fewer ratings than folds.
    """
    if not 2 <= folds <= len(ratings):
        raise BadSetting(
            f"folds is {folds}; with {len(ratings):,} ratings it must be from 2 to {len(ratings):,}"
        )
    fold = _draw(len(ratings), seed) % folds
    return (
        _cut(ratings, fold == k, f"fold {k + 1} of {folds} at random (seed {seed})")
        for k in range(folds)
    )


def leave_last(ratings: Ratings, n: int = 1, seed: int = 0) -> Split:
    """Test on the last n ratings of each user by time.

    Ratings of one user at the same time, or all of them where times are unknown, are put in
    order by a seeded draw. Users with n ratings or fewer are wholly in the training part.
    Raises BadSetting for n below 1, BadRatings when no user has more than n ratings.
    """
    if n < 1:
        raise BadSetting(f"n is {n}; leave at least the last 1 rating of each user")
    draw = _draw(len(ratings), seed)
    time = draw if ratings.timestamp is None else ratings.timestamp
    order = np.lexsort((draw, time, ratings.user))
    counts = ratings.by_user.counts
    from_end = np.empty(len(ratings), dtype=np.int64)
    from_end[order] = ratings.by_user.indptr[1:][ratings.user] - np.arange(len(ratings))
    in_test = (from_end <= n) & (counts > n)[ratings.user]

    if ratings.timestamp is None:
        said = f"{n} of each user in seeded order, for want of times (seed {seed})"
    else:
        said = f"the last {n} of each user by time, equal times in seeded order (seed {seed})"
    whole = int(np.count_nonzero((counts > 0) & (counts <= n)))
    if whole:
        said += f"; users with {n} or fewer ratings are wholly in training: {whole:,}"
    return _cut(ratings, in_test, said)


def by_time(ratings: Ratings, test_share: float = 0.2) -> Split:
    """Test on what was rated last, by one moment in time for all users.

    Nothing in the training part is later than anything in the test part; ratings of one moment
    stay together, so the share is the nearest that can be had.
    Raises BadSetting for an impossible share, BadRatings when times are unknown or all equal.
    """
    if ratings.timestamp is None:
        raise BadRatings("the ratings have no times; splits.random needs none")
    time = np.sort(ratings.timestamp)
    if time[0] == time[-1]:
        raise BadRatings(f"all ratings have the time {time[0]}; splits.random needs no times")
    n_train = len(ratings) - _test_size(len(ratings), test_share)
    starts = np.flatnonzero(np.diff(time)) + 1  # where a later moment begins
    first = time[starts[np.argmin(np.abs(starts - n_train))]]
    in_test = ratings.timestamp >= first
    said = f"{100 * in_test.mean():.4g} % of all ratings, those since {_moment(int(first))}"
    return _cut(ratings, in_test, said)


def given(train: Ratings, test: Ratings) -> Split:
    """Two parts that somebody else has split, each with its own ids, over the union of their ids.

    Raises BadRatings when they share a (user, item) pair.
    """
    users = union("user", (train.users, test.users))
    items = union("item", (train.items, test.items))
    return Split(
        train.renumbered(users, items), test.renumbered(users, items), "parts given as two sources"
    )


SPLITS: dict[str, Callable[..., Split]] = {  # each takes ratings and settings, and gives one split
    "random": random,
    "leave-last": leave_last,
    "by-time": by_time,
}


def find_shared_pair(rated: Rows, user: np.ndarray, item: np.ndarray) -> int | None:
    """Place among (user, item) pairs of the first that is ``rated`` (rows: users); else None."""
    rows = np.repeat(np.arange(len(rated.counts)), rated.counts)
    pairs, asked = _pair(rows, rated.indices), _pair(user, item)
    at = np.minimum(np.searchsorted(pairs, asked), len(pairs) - 1)
    shared = np.flatnonzero(pairs[at] == asked)
    return int(shared[0]) if len(shared) else None


def _pair(user: np.ndarray, item: np.ndarray) -> np.ndarray:
    pair: np.ndarray = user.astype(np.int64) << 32 | item
    return pair


def _draw(n_ratings: int, seed: int) -> np.ndarray:
    if seed < 0:
        raise BadSetting(f"seed is {seed}; it must be 0 or more")
    return np.random.default_rng(seed).permutation(n_ratings)


def _test_size(n_ratings: int, test_share: float) -> int:
    if not 0 < test_share < 1:
        raise BadSetting(f"test_share is {test_share}; it must be above 0 and below 1")
    size = round(n_ratings * test_share)
    if not 0 < size < n_ratings:
        raise BadRatings(
            f"test_share {test_share} of {n_ratings:,} ratings leaves "
            f"{'no test' if size == 0 else 'no training'} part; "
            "change test_share or bring more ratings"
        )
    return size


def _cut(ratings: Ratings, in_test: np.ndarray, said: str) -> Split:
    if not in_test.any():
        raise BadRatings(f"no test ratings: {said}; ask for less or bring more ratings")
    return Split(ratings.subset(~in_test), ratings.subset(in_test), said)


def _moment(seconds: int) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, OSError, ValueError):
        return f"time {seconds}"
