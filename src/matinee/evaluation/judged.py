"""Predictions and lists made elsewhere, measured by the metrics that models are measured by."""

import time
from collections.abc import Iterable, Mapping

import numpy as np

from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings, check_ratings
from matinee.display.frames import Framed
from matinee.display.text import counted
from matinee.errors import BadRatings, BadSetting, known_arguments
from matinee.evaluation.metrics import METRICS
from matinee.evaluation.metrics.ranking import RankedTest
from matinee.evaluation.metrics.rating import mae, rmse
from matinee.evaluation.protocol import check_relevant, relevance
from matinee.evaluation.results import Evaluation, UserScores, versions
from matinee.sources.columns import by_name, plain
from matinee.sources.frames import frame_of
from matinee.sources.packing.numbering import as_column, number_ids

ACTUAL = ("actual", "rui", "true", "truth", "rating")  # the first that is there
PREDICTED = ("prediction", "predicted", "est", "estimate", "score", "rating")
BY_LISTS = (
    *("precision", "recall", "capped_recall", "ndcg", "map", "capped_map", "mrr", "hit_rate"),
)
NOWHERE = 1 << 30  # the place of an item that no list holds


@known_arguments
def evaluate_predictions(frame: object) -> Evaluation:
    """RMSE and MAE of predictions beside the ratings given, by whatever made them.

    ``frame`` is a DataFrame, a Table or columns by name: the truth is ``actual`` (``r_ui``, else
    ``rating``), the prediction ``prediction`` (``est``, ``score``, else ``rating``). Nothing is
    clipped. Raises BadRatings where either is missing or no finite number.
    """
    started = time.perf_counter()
    columns = columns_of(frame)
    actual = _numbers(columns, ACTUAL, "the ratings given")
    others = {name: values for name, values in columns.items() if name != actual[0]}
    predicted = _numbers(others, PREDICTED, "the predictions")
    return Evaluation(
        metrics={"rmse": rmse(actual[1], predicted[1]), "mae": mae(actual[1], predicted[1])},
        relevant_from=float(actual[1].min()),
        users_measured=0,
        users_skipped=0,
        test_ratings=len(actual[1]),
        cold_ratings=None,
        unknown_ratings=0,
        protocol=f"Predictions {predicted[0]!r} beside {actual[0]!r}, as they are.",
        test_seconds=time.perf_counter() - started,
        origin={"versions": versions()},
    )


@known_arguments
def evaluate_lists(
    frame: object, test: Ratings, ns: Iterable[int] = (10,), relevant_from: float | None = None
) -> Evaluation:
    """Ranking metrics of lists, by whatever made them, on test ratings.

    ``frame`` has columns of users and items, and ``rank`` (from 1) or ``score``; equal scores count
    at their expectation. Relevant are test items rated ``relevant_from`` or more, as in
    ``evaluate``. A user of the test part without a list counts 0, and so does a relevant item that
    is in no list; lists of other users are left out. Raises BadRatings for a missing column, a pair
    that is listed twice, ranks that are below 1 or all equal, lists without a user or an item of
    the test part, and where nothing is relevant; BadSetting for a length below 1.
    """
    started = time.perf_counter()
    check_ratings("evaluate_lists", test)
    lengths = [_length(n) for n in ns]
    threshold = relevance(relevant_from, test.scale, test.rating)
    check_relevant(test, threshold, "preference")
    relevant = test.rating >= threshold
    user, item = test.user[relevant], test.item[relevant]
    users, starts = np.unique(user, return_index=True)
    better, tied = _places(columns_of(frame), test, user, item)
    candidates = np.full(len(users), test.n_items)
    ranked = RankedTest(np.append(starts, len(user)), better, tied, candidates)
    per_user = {
        f"{name}@{n}": METRICS[name].compute(ranked, n) for name in BY_LISTS for n in lengths
    }
    scores = UserScores(per_user, dict.fromkeys(per_user, np.ones(len(users))), frozenset())
    n_skipped = len(np.unique(test.user)) - len(users)
    return Evaluation(
        metrics=scores.means(),
        relevant_from=threshold,
        users_measured=len(users),
        users_skipped=n_skipped,
        test_ratings=len(test),
        cold_ratings=None,
        unknown_ratings=0,
        protocol=f"Lists as they are; relevant are test items rated {threshold:g} or more.",
        test_seconds=time.perf_counter() - started,
        origin={"fingerprints": {"test": test.fingerprint}, "versions": versions()},
        per_user=scores,
    )


def columns_of(frame: object) -> dict[str, np.ndarray]:
    """The columns (n,) of a DataFrame, of a Table, or of a mapping, by name.

    Raises BadRatings for anything else and for columns of different lengths.
    """
    if isinstance(frame, Framed):
        frame = frame.frame_columns()
    if isinstance(frame, Mapping):
        columns = {str(name): as_column(values) for name, values in frame.items()}
    elif hasattr(frame, "columns"):
        table = frame_of(frame)
        columns = {name: as_column(table[name].to_list()) for name in table.columns}
    else:
        raise BadRatings(
            f"columns cannot be read from {type(frame).__name__}; give a DataFrame, or columns by "
            "name"
        )
    if len({len(values) for values in columns.values()}) > 1:
        raise BadRatings(f"the columns have different lengths: {', '.join(columns)}")
    return columns


def _numbers(
    columns: Mapping[str, np.ndarray], names: Iterable[str], what: str
) -> tuple[str, np.ndarray]:
    """The name and the values (n,) of the first of some columns, which holds finite numbers."""
    by_plain_name = {plain(name): name for name in columns}
    at = next((by_plain_name[name] for name in names if name in by_plain_name), None)
    if at is None:
        raise BadRatings(
            f"which of the columns {', '.join(map(repr, columns))} holds {what}? Name it one of "
            f"{', '.join(names)}"
        )
    try:
        values = columns[at].astype(np.float64)
    except (TypeError, ValueError):
        values = np.empty(0)
    if not len(values):
        raise BadRatings(f"the column {at!r} must hold finite numbers, in one row or more")
    if not (finite := np.isfinite(values)).all():
        row = int(np.argmin(finite))
        raise BadRatings(
            f"the column {at!r} must hold finite numbers, but row {row + 1:,} is {values[row]}; "
            "correct it, or leave the row out"
        )
    return at, values


def _places(
    columns: Mapping[str, np.ndarray], test: Ratings, user: np.ndarray, item: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How many of their user's list are above relevant pairs (n,), and how many beside them."""
    names = list(columns)
    ids = [by_name(names, field, "the lists") for field in ("user_id", "item_id")]
    if None in ids:
        raise BadRatings(f"the lists need columns of users and items, not {', '.join(names)}")
    users, items = (columns[names[at]] for at in ids if at is not None)
    rest = {name: columns[name] for at, name in enumerate(names) if at not in ids}
    ranked = [name for name in rest if plain(name) == "rank"]
    _, order = _numbers(rest, ["rank"] if ranked else PREDICTED, "the ranks or scores")
    key = order if ranked else -order
    who, what = _rows(test.users, users), _rows(test.items, items)
    _refuse_unknown(test, users, who, items, what)
    if ranked:
        _refuse_ranks(users, order)
    keep = who >= 0
    who, what, key = who[keep], what[keep], key[keep]
    _refuse_twice(test, who, what)
    by_user = np.lexsort((key, who))
    who, what, key = who[by_user], what[by_user], key[by_user]
    first = np.searchsorted(who, who)  # of the user's list
    new = np.append(True, (np.diff(who) != 0) | (np.diff(key) != 0)) if len(who) else key > 0
    group = np.cumsum(new) - 1
    begins = np.flatnonzero(new)
    size = np.diff(np.append(begins, len(who)))
    listed = {
        pair: place for place, pair in enumerate(zip(who.tolist(), what.tolist(), strict=True))
    }
    at = np.array([listed.get(pair, -1) for pair in zip(user.tolist(), item.tolist(), strict=True)])
    present = at >= 0
    better, tied = NOWHERE + np.arange(len(at)), np.ones(len(at), np.int64)  # places of their own
    better[present] = (begins[group] - first)[at[present]]
    tied[present] = size[group[at[present]]]
    return better, tied


def _rows(ids: IdMap, column: np.ndarray) -> np.ndarray:
    """The rows (n,) of a column of ids, -1 where one is unknown."""
    numbered = number_ids(column, f"{ids.kind} ids", [])
    return np.asarray(ids.rows(list(numbered.ids))[numbered.code])


def _refuse_unknown(
    test: Ratings, users: np.ndarray, who: np.ndarray, items: np.ndarray, what: np.ndarray
) -> None:
    """Raise BadRatings where no user, or no item, of the lists is of the test part."""
    for ids, column, rows in ((test.users, users, who), (test.items, items, what)):
        if not (rows >= 0).any():
            raise BadRatings(
                f"no {ids.kind} of the lists is in the test part, such as {str(column[0])!r}; "
                f"write ids as there, such as {ids.ids[0]!r}"
            )


def _refuse_ranks(users: np.ndarray, ranks: np.ndarray) -> None:
    """Raise BadRatings for a rank below 1, and where all ranks of lists of several are equal."""
    if (low := np.flatnonzero(ranks < 1)).size:
        at = int(low[0])
        raise BadRatings(
            f"the list of user {users[at]!s} has the rank {ranks[at]:g}; ranks start at 1: "
            "add 1 to those that start at 0"
        )
    names, sizes = np.unique(users.astype(str), return_counts=True)
    if (ranks == ranks[0]).all() and (sizes > 1).any():
        raise BadRatings(
            f"all ranks of the list of user {names[sizes.argmax()]} are {ranks[0]:g}; number them "
            "from 1, best first"
        )


def _refuse_twice(test: Ratings, who: np.ndarray, what: np.ndarray) -> None:
    known = what >= 0
    pairs, counts = np.unique(np.stack([who[known], what[known]]), axis=1, return_counts=True)
    if (counts > 1).any():
        user, item = pairs[:, int(np.argmax(counts > 1))]
        raise BadRatings(
            f"the list of user {test.users.ids[user]!r} holds item {test.items.ids[item]!r} twice"
        )


def _length(n: int) -> int:
    if n < 1:
        raise BadSetting(f"a list length is {n}; it must be 1 or more, not {counted(n, 'item')}")
    return n
