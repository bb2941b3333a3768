"""Splitting ratings into a part to learn from and a part to be measured on.

A split is a value that knows how it was made. The same ratings and seed give the same split,
whatever the order of rows in the file they came from.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import numpy as np

from matinee.data.ratings import Ratings, check_ratings, union
from matinee.data.rows import Rows
from matinee.display.notebook import Grid, Part, Printable
from matinee.display.plain_data import JsonMapping, JsonObject
from matinee.display.text import counted
from matinee.errors import Advice, BadRatings, BadSetting, Option, check_whole, known_arguments

SHARE = Option("test_share")
NO_TIMES = Advice("splitting.random", "--split random")


@dataclass(frozen=True, eq=False, repr=False)
class Split(Printable):
    """Training and test ratings over the same users and items.

    ``history`` are ratings that are neither trained nor tested on: those that held-out users are
    folded in from. Raises BadRatings when the parts are numbered differently, or when two of them
    share a (user, item) pair.
    """

    train: Ratings
    test: Ratings
    description: str  # how the split was made, in words
    name: str = "given"  # the entry of SPLITS, "k-fold", or "given"
    settings: JsonMapping = field(default_factory=dict)  # what it was made with
    history: Ratings | None = None
    source: Ratings | None = None  # the ratings that were split; None for parts given apart

    def __post_init__(self) -> None:
        check_apart("training", self.train, "test", self.test)
        if self.history is not None:
            check_apart("training", self.train, "history", self.history)
            check_apart("history", self.history, "test", self.test)

    @property
    def origin(self) -> JsonObject:
        """Plain facts that a result carries: how the split was made, and of which ratings."""
        parts = {"train": self.train, "test": self.test, "history": self.history}
        return {
            "split": self.name,
            "split_settings": dict(self.settings),
            "seed": self.settings.get("seed"),
            "fingerprints": {name: p.fingerprint for name, p in parts.items() if p is not None},
            "data_fingerprint": None if self.source is None else self.source.fingerprint,
        }

    def __str__(self) -> str:
        history = f"{len(self.history):,} to fold in, " if self.history is not None else ""
        sizes = (
            f"{counted(len(self.train), 'rating')} to train, {history}{len(self.test):,} to test"
        )
        return f"{self.description}: {sizes}"

    def parts(self) -> Iterator[Part]:
        """How the split was made, and the sizes of its parts."""
        parts = {"train": self.train, "history": self.history, "test": self.test}
        rows = [
            [name, *(f"{n:,}" for n in (len(part), *map(_distinct, (part.user, part.item))))]
            for name, part in parts.items()
            if part is not None
        ]
        yield self.description
        yield Grid([["", "ratings", "users", "items"], *rows])


def _distinct(rows: np.ndarray) -> int:
    return len(np.unique(rows))


def check_apart(name: str, part: Ratings, other_name: str, other: Ratings) -> None:
    """Raise BadRatings where two parts are numbered differently or share a (user, item) pair."""
    if part.users != other.users or part.items != other.items:
        raise BadRatings("the parts have different ids; splitting.given(train, test) joins them")
    shared = find_shared_pair(part.by_user, other.user, other.item)
    if shared is not None:
        user, item = other.users.ids[other.user[shared]], other.items.ids[other.item[shared]]
        raise BadRatings(
            f"user {user!r} and item {item!r} are in both the {name} and the {other_name} part; "
            "take such pairs out of one of them"
        )


@known_arguments
def random(ratings: Ratings, test_share: float = 0.2, seed: int = 0) -> Split:
    """Test on a random share of all ratings.

    Users and items keep their frequencies; models that use time see the future of others.
    Raises BadSetting for an impossible share, BadRatings when a part would be empty.
    """
    check_ratings("random", ratings)
    in_test = _draw(len(ratings), seed) < _test_size(len(ratings), test_share)
    description = f"{_percent(test_share)} of all ratings at random (seed {seed})"
    return _cut(ratings, in_test, description, "random", test_share=test_share, seed=seed)


def split_of(function: str, data: object, seed: int) -> Split:
    """A split as it is, or the random one of ratings. Raises BadRatings where it is neither."""
    if isinstance(data, Split):
        return data
    check_ratings(function, data)
    return random(cast(Ratings, data), seed=seed)


@known_arguments
def k_fold(ratings: Ratings, folds: int = 5, seed: int = 0) -> Iterator[Split]:
    """Deal the ratings at random into folds of equal size, and test on each of them in turn.

    Every rating is tested exactly once. Raises BadSetting when there are fewer than two folds or
    fewer ratings than folds.
    """
    check_ratings("k_fold", ratings)
    check_whole("folds", folds)
    if not 2 <= folds <= len(ratings):
        raise BadSetting(
            f"folds is {folds}; with {counted(len(ratings), 'rating')} it must be from 2 to "
            f"{len(ratings):,}"
        )
    fold = _draw(len(ratings), seed) % folds
    return (
        _cut(
            ratings,
            fold == k,
            f"fold {k + 1} of {folds} at random (seed {seed})",
            "k-fold",
            fold=k + 1,
            folds=folds,
            seed=seed,
        )
        for k in range(folds)
    )


@known_arguments
def leave_last(ratings: Ratings, n: int = 1, seed: int = 0) -> Split:
    """Test on the last n ratings of each user by time.

    Ratings of one user at the same time, or all of them where times are unknown, are put in
    order by a seeded draw. Users with n ratings or fewer are wholly in the training part.
    Raises BadSetting for n below 1, BadRatings when no user has more than n ratings.
    """
    check_ratings("leave_last", ratings)
    check_whole("n", n)
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
        description = f"{n} of each user in seeded order, for want of times (seed {seed})"
    else:
        description = (
            f"the last {n} of each user by time, equal times in seeded order (seed {seed})"
        )
    whole = int(np.count_nonzero((counts > 0) & (counts <= n)))
    if whole:
        description += f"; users with {n} or fewer ratings are wholly in training: {whole:,}"
    return _cut(ratings, in_test, description, "leave-last", n=n, seed=seed)


@known_arguments
def by_time(ratings: Ratings, test_share: float = 0.2) -> Split:
    """Test on what was rated last, by one moment in time for all users.

    Nothing in the training part is later than anything in the test part; ratings of one moment
    stay together, so the share is the nearest that can be had.
    Raises BadSetting for an impossible share, BadRatings when times are unknown or all equal.
    """
    check_ratings("by_time", ratings)
    if ratings.timestamp is None:
        raise BadRatings("the ratings have no times; ", NO_TIMES, " needs none")
    time = np.sort(ratings.timestamp)
    if time[0] == time[-1]:
        raise BadRatings(
            f"all ratings are of {_moment(int(time[0]))}; ", NO_TIMES, " needs no times"
        )
    n_train = len(ratings) - _test_size(len(ratings), test_share)
    starts = np.flatnonzero(np.diff(time)) + 1  # where a later moment begins
    first = time[starts[np.argmin(np.abs(starts - n_train))]]
    in_test = ratings.timestamp >= first
    description = f"{_percent(in_test.mean())} of all ratings, those since {_moment(int(first))}"
    return _cut(ratings, in_test, description, "by-time", test_share=test_share)


@known_arguments
def per_user(ratings: Ratings, test_share: float = 0.2, seed: int = 0) -> Split:
    """Test on a random share of the ratings of each user, rounded to whole ratings.

    Every user keeps at least one rating in training, so no user is cold, and active users have
    the same share of the test part as of all ratings. Raises as ``random`` does.
    """
    check_ratings("per_user", ratings)
    _test_size(len(ratings), test_share)
    in_test = _draw_of_each_user(ratings, test_share, seed)
    description = f"{_percent(test_share)} of the ratings of each user at random (seed {seed})"
    return _cut(ratings, in_test, description, "per-user", test_share=test_share, seed=seed)


@known_arguments
def liked(ratings: Ratings, test_share: float = 0.2, seed: int = 0) -> Split:
    """Test on a random share of what each user liked, rounded down.

    Liked is what is relevant in ``evaluate``: what was rated 3/4 up the scale or higher, and all
    of counts and choices. Lists that find it are good, but test ratings are high ones alone, so no
    error of predicted ratings should be read off them. Raises as ``random`` does.
    """
    check_ratings("liked", ratings)
    in_test = some_liked(ratings, test_share, seed)
    description = f"{_percent(test_share)} of what each user liked, at random (seed {seed})"
    return _cut(ratings, in_test, description, "liked", test_share=test_share, seed=seed)


def some_liked(ratings: Ratings, share: float, seed: int) -> np.ndarray:
    """A random share of what each user liked, rounded down: bool (n_ratings,).

    Raises BadSetting for an impossible share.
    """
    _check_share(share)
    graded = ratings.signal.graded
    at = np.flatnonzero(ratings.rating >= (ratings.scale.liked_from if graded else -np.inf))
    at = at[np.lexsort((_draw(len(ratings), seed)[at], ratings.user[at]))]
    user = ratings.user[at]
    n_liked = np.bincount(user, minlength=ratings.n_users)
    place = np.arange(len(at)) - (np.cumsum(n_liked) - n_liked)[user]
    mask = np.zeros(len(ratings), dtype=bool)
    mask[at[place < np.floor(n_liked * share + 1e-9)[user]]] = True
    return mask


@known_arguments
def cold_users(ratings: Ratings, test_share: float = 0.2, seed: int = 0) -> Split:
    """Test on all ratings of a random share of the users, who are unknown in training.

    Measures cold start: what a model does for users it has no rating of. Raises as ``random`` does.
    """
    check_ratings("cold_users", ratings)
    held_out = _draw_rows("user", ratings.by_user.counts, test_share, seed)
    description = (
        f"all ratings of {_percent(test_share)} of the users, unknown in training (seed {seed})"
    )
    in_test = held_out[ratings.user]
    return _cut(ratings, in_test, description, "cold-users", test_share=test_share, seed=seed)


@known_arguments
def cold_items(ratings: Ratings, test_share: float = 0.2, seed: int = 0) -> Split:
    """Test on all ratings of a random share of the items, which are unknown in training.

    Only a model that knows what the items are like can rank these. Raises as ``random`` does.
    """
    check_ratings("cold_items", ratings)
    held_out = _draw_rows("item", ratings.by_item.counts, test_share, seed)
    description = (
        f"all ratings of {_percent(test_share)} of the items, unknown in training (seed {seed})"
    )
    in_test = held_out[ratings.item]
    return _cut(ratings, in_test, description, "cold-items", test_share=test_share, seed=seed)


@known_arguments
def strong(
    ratings: Ratings, test_share: float = 0.2, history_share: float = 0.8, seed: int = 0
) -> Split:
    """Strong generalisation: hold out a share of the users, who are folded in and not trained on.

    Of each held-out user a random ``history_share`` of the ratings, at least one, is the history
    to fold in from, and the rest is tested; users with one rating stay in training. The protocol
    of Marlin 2004 and Liang et al. 2018. Raises as ``random`` does.
    """
    check_ratings("strong", ratings)
    if not 0 < history_share < 1:
        raise BadSetting(f"history_share is {history_share}; it must be above 0 and below 1")
    counts = ratings.by_user.counts
    held_out = _draw_rows("user", np.where(counts > 1, counts, 0), test_share, seed)[ratings.user]
    tested = held_out & _draw_of_each_user(ratings, 1 - history_share, seed)
    if not tested.any():
        raise BadRatings("no test ratings: lower history_share or bring more ratings")
    description = (
        f"{_percent(1 - history_share)} of the ratings of {_percent(test_share)} of the users, who "
        f"are not trained on but folded in from the others (seed {seed})"
    )
    settings = {"test_share": test_share, "history_share": history_share, "seed": seed}
    train, test = ratings.subset(~held_out), ratings.subset(tested)
    history = ratings.subset(held_out & ~tested)
    return Split(train, test, description, "strong", settings, history, ratings)


@known_arguments
def given(train: Ratings, test: Ratings) -> Split:
    """A split made elsewhere: two parts, each with its own ids, over the union of their ids.

    Raises BadRatings when they share a (user, item) pair, and for what is not ``Ratings``.
    """
    check_ratings("given", train)
    check_ratings("given", test)
    users = union("user", (train.users, test.users))
    items = union("item", (train.items, test.items))
    return Split(
        train.renumbered(users, items), test.renumbered(users, items), "parts given as two sources"
    )


SPLITS: dict[str, Callable[..., Split]] = {  # each takes ratings and settings, and gives one split
    "random": random,
    "leave-last": leave_last,
    "by-time": by_time,
    "per-user": per_user,
    "liked": liked,
    "cold-users": cold_users,
    "cold-items": cold_items,
    "strong": strong,
}


def find_shared_pair(rated: Rows, user: np.ndarray, item: np.ndarray) -> int | None:
    """The position of the first (user, item) pair that is ``rated``, or None.

    rated: rows are users; user, item: (n_pairs,) row numbers.
    """
    rows = np.repeat(np.arange(len(rated.counts)), rated.counts)
    rated_pairs, pairs = _pair(rows, rated.indices), _pair(user, item)
    at = np.minimum(np.searchsorted(rated_pairs, pairs), len(rated_pairs) - 1)
    shared = np.flatnonzero(rated_pairs[at] == pairs)
    return int(shared[0]) if len(shared) else None


def _pair(user: np.ndarray, item: np.ndarray) -> np.ndarray:
    pair: np.ndarray = user.astype(np.int64) << 32 | item
    return pair


def _draw(n_ratings: int, seed: int) -> np.ndarray:
    if seed < 0:
        raise BadSetting(f"seed is {seed}; it must be 0 or more")
    return np.random.default_rng(seed).permutation(n_ratings)


def _draw_of_each_user(ratings: Ratings, share: float, seed: int) -> np.ndarray:
    """A random share of each user's ratings, rounded, never all of them."""
    order = np.lexsort((_draw(len(ratings), seed), ratings.user))
    place = np.empty(len(ratings), dtype=np.int64)
    place[order] = np.arange(len(ratings)) - ratings.by_user.indptr[:-1][ratings.user]
    counts = ratings.by_user.counts
    size = np.minimum(np.rint(counts * share).astype(np.int64), counts - 1)
    mask: np.ndarray = place < size[ratings.user]
    return mask


def _draw_rows(kind: str, counts: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Which users or items are held out: a random share of those with ratings."""
    rated = np.flatnonzero(counts)
    mask = np.zeros(len(counts), dtype=bool)
    mask[rated[_draw(len(rated), seed) < _test_size(len(rated), share, f"{kind}s")]] = True
    return mask


def _check_share(test_share: float) -> None:
    if not 0 < test_share < 1:
        raise BadSetting(SHARE, f" is {test_share}; it must be above 0 and below 1")


def _test_size(n: int, test_share: float, what: str = "ratings") -> int:
    _check_share(test_share)
    size = round(n * test_share)
    if not 0 < size < n:
        raise BadRatings(
            SHARE,
            f" {test_share} of {n:,} {what} leaves "
            f"{'no test' if size == 0 else 'no training'} part; change ",
            SHARE,
            " or bring more ratings",
        )
    return size


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"


def _cut(
    ratings: Ratings, in_test: np.ndarray, description: str, name: str, **settings: Any
) -> Split:
    if not in_test.any():
        raise BadRatings(f"no test ratings: {description}; ask for less or bring more ratings")
    train, test = ratings.subset(~in_test), ratings.subset(in_test)
    return Split(train, test, description, name, settings, source=ratings)


def _moment(seconds: int) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, OSError, ValueError):
        return f"time {seconds}"
