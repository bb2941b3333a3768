"""What is to be measured, and whether it can be: asked before any work is done."""

from collections.abc import Iterable
from typing import Any, NamedTuple, NoReturn, Protocol

import numpy as np

from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings, Rows
from matinee.data.scale import Scale
from matinee.data.signal import Signal
from matinee.display.text import counted
from matinee.errors import Advice, BadRatings, BadSetting, Option, check_known
from matinee.evaluation.metrics import METRICS, Metric
from matinee.models.capabilities import INTERVALS
from matinee.splitting import Split

NS = Advice("ns", "-n")  # the list lengths


class Measurable(Protocol):
    """All that is asked of a model to be measured: each of ours has it, and so can others."""

    @property
    def users(self) -> IdMap: ...
    @property
    def items(self) -> IdMap: ...
    @property
    def scale(self) -> Scale: ...
    @property
    def kind(self) -> str: ...
    @property
    def seen(self) -> Rows: ...
    def score_block(self, users: np.ndarray) -> np.ndarray: ...
    def predict_rows(self, user: np.ndarray, item: np.ndarray) -> np.ndarray: ...


class Asked(NamedTuple):
    """One number to measure: a metric, and the length of the list where it has one."""

    metric: str
    n: int | None = None

    @property
    def name(self) -> str:
        """As in tables: ``ndcg@10``."""
        return self.metric if self.n is None else f"{self.metric}@{self.n}"

    @property
    def how(self) -> Metric:
        """The metric's entry in the registry."""
        return METRICS[self.metric]

    @property
    def ranks(self) -> bool:
        """Whether it is about rankings or lists, and not about predicted ratings."""
        return self.how.source not in ("ratings", "intervals")

    @property
    def lengths(self) -> tuple[int, ...]:
        """What ``compute`` takes after its data."""
        return () if self.n is None else (self.n,)


def ask(metrics: Iterable[str] | None, ns: Iterable[int], n_items: int) -> list[Asked]:
    """The numbers to measure, in the order of the registry where ``metrics`` is None.

    A name without ``@`` is asked for at each of ``ns``. Raises BadSetting for an unknown metric,
    an impossible length, and when nothing is asked for.
    """
    lengths = tuple(check_length(n, n_items) for n in ns)
    asked: dict[Asked, None] = {}
    for one in map(read_metric, METRICS if metrics is None else metrics):
        if not one.how.at_n:
            if metrics is None and not lengths and one.how.source == "ranks":
                continue  # no lists are asked for, and so no ranking
            asked[one] = None
        elif one.n is not None:
            check_length(one.n, n_items)
            asked[one] = None
        else:
            asked |= dict.fromkeys(Asked(one.metric, n) for n in lengths)
    if not asked:
        raise BadSetting("nothing is asked for; name a metric, or a list length (", NS, ") for it")
    return list(asked)


def read_metric(text: str) -> Asked:
    """What a name asks for: ``ndcg@10``, or ``ndcg`` with its length left open.

    Raises BadSetting for a metric that there is not.
    """
    name, at, number = text.partition("@")
    check_known("metric", name, METRICS)
    if not at:
        return Asked(name)
    if not METRICS[name].at_n:
        raise BadSetting(f"{name} has no list length; write {name}, not {text}")
    if not number.isdecimal():
        raise BadSetting(f"{text!r} is no metric; write {name}@10 for lists of 10")
    return Asked(name, int(number))


def check_length(n: int, n_items: int) -> int:
    """The list length itself. Raises BadSetting unless a list can be so long."""
    if not 1 <= n <= n_items:
        raise BadSetting(
            f"a list length is {n}; with {counted(n_items, 'item')} it must be from 1 to "
            f"{n_items:,}; choose it (",
            NS,
            ")",
        )
    return n


def check_measurable(
    split: Split,
    ns: Iterable[int],
    relevant_from: float | None,
    metrics: Iterable[str] | None,
    algorithm: object = None,
) -> list[Asked]:
    """What is asked for. Raises, before any work, where it could not be measured after it."""
    asked = ask(metrics, ns, split.train.n_items)
    if any(one.ranks for one in asked):
        check_relevant(
            split.test,
            relevance(relevant_from, split.train.scale, split.train.rating),
            getattr(algorithm, "kind", "rating"),
        )
    needy = [one.name for one in asked if one.how.needs_genres]
    if metrics is not None and needy and not has_genres(split):
        raise BadSetting(f"{needy[0]} needs the genres of items; give a catalog")
    kind = getattr(algorithm, "kind", None)
    if metrics is not None and kind is not None:
        check_kind(asked, kind, getattr(algorithm, "name", repr(algorithm)))
    return asked


def has_genres(split: Split) -> bool:
    """Whether any item has a genre."""
    catalog = split.test.catalog or split.train.catalog
    return any(catalog[item].genres for item in catalog)


def needed(algorithm: Any, asked: list[Asked]) -> Any:
    """The algorithm, without what only its lists take where nothing asked is about lists."""
    if any(one.ranks for one in asked):
        return algorithm
    return getattr(algorithm, "for_stars", algorithm)


def relevance(relevant_from: float | None, scale: Scale, train: np.ndarray) -> float:
    """From which rating on a test item is relevant, of the training ratings (n_ratings,).

    Stars say what was liked: 3/4 up the scale, unless it is given. Counts and choices do not: each
    item that somebody chose is relevant.
    """
    if relevant_from is not None:
        return float(relevant_from)
    graded = not len(train) or Signal.of(train).graded
    return scale.liked_from if graded else scale.low


def check_relevant(test: Ratings, threshold: float, kind: str = "rating") -> None:
    """Raise BadRatings unless some test item is relevant; ``kind`` is that of the scores."""
    if not (test.rating >= threshold).any():
        refuse_irrelevant(threshold, float(test.rating.max()), kind)


def refuse_irrelevant(threshold: float, highest: float, kind: str) -> NoReturn:
    """Raise BadRatings: no test item is relevant."""
    errors_alone = Advice("ask for no list lengths (ns=())", "measure --metrics rmse alone")
    raise BadRatings(
        f"no test rating is {threshold:g} or more (the highest is {highest:g}), so "
        "no item is relevant; give ",
        Option("relevant_from", highest),
        " or less",
        *((", or ", errors_alone) if kind == "rating" else ()),
    )


def check_kind(asked: list[Asked], kind: str, who: str) -> None:
    """Raise BadSetting for a metric of predicted ratings where scores only rank."""
    for one in asked:
        if kind != "rating" and not one.ranks:
            raise BadSetting(
                f"{one.name} is about predicted ratings, but the scores of {who} only rank; "
                "ask for ranking metrics, such as ndcg@10"
            )


def fitting(asked: list[Asked], model: Measurable, genres: bool, chosen: bool) -> list[Asked]:
    """What applies to a model; what was chosen by name and does not apply is refused."""
    interval = getattr(model, "has_intervals", hasattr(model, "interval"))
    if chosen:
        check_kind(asked, model.kind, getattr(model, "algorithm", "this model"))
        for one in asked:
            if one.how.source == "intervals" and not interval:
                raise BadSetting(f"{one.name}: this model gives no intervals; {INTERVALS.instead}")
            if one.how.needs_genres and not genres:
                raise BadSetting(f"{one.name} needs the genres of items; give a catalog")
        return asked
    apply = [
        one
        for one in asked
        if (one.how.source != "ratings" or model.kind == "rating")
        and one.how.source != "intervals"  # they take their time
        and (not one.how.needs_genres or genres)
    ]
    if not apply:
        raise BadSetting(
            "a model of preferences has only ranking metrics; give list lengths (", NS, ")"
        )
    return apply
