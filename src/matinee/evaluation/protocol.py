"""What is measured and how, checked before any work is done."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, NoReturn, Protocol

import numpy as np

from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings
from matinee.data.rows import Rows
from matinee.data.scale import Scale
from matinee.data.signal import Signal
from matinee.display.text import counted
from matinee.errors import Advice, BadRatings, BadSetting, Option, check_known, check_whole
from matinee.evaluation.metrics import METRICS, Metric
from matinee.models.capabilities import INTERVALS
from matinee.splitting import Split

NS = Advice("ns", "-n")  # the list lengths
NO_ERRORS = "Errors of predicted stars are left out: they would be of what was liked alone. "


class Measurable(Protocol):
    """What a model needs to be measured; models of other libraries can offer it too."""

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


class Measure(NamedTuple):
    """One number to measure: a metric, at a list length where it has one."""

    base: str  # the metric's name in the registry
    n: int | None = None

    @property
    def name(self) -> str:
        """As in tables: ``ndcg@10``."""
        return self.base if self.n is None else f"{self.base}@{self.n}"

    @property
    def metric(self) -> Metric:
        """The metric's entry in the registry."""
        return METRICS[self.base]

    @property
    def ranks(self) -> bool:
        """Whether it is about rankings or lists, and not about predicted ratings."""
        return self.metric.ranks

    @property
    def lengths(self) -> tuple[int, ...]:
        """What ``compute`` takes after its data."""
        return () if self.n is None else (self.n,)


def read_measure(text: str) -> Measure:
    """The measure of a name: ``ndcg@10``, or ``ndcg`` with its length left open.

    Raises BadSetting for an unknown metric, and for a length that is missing or out of place.
    """
    name, at, number = text.partition("@")
    check_known("metric", name, METRICS)
    if not at:
        return Measure(name)
    if not METRICS[name].at_n:
        raise BadSetting(f"{name} has no list length; write {name}, not {text}")
    if not number.isdecimal():
        raise BadSetting(f"{text!r} is not a metric; write {name}@10 for lists of 10")
    return Measure(name, int(number))


def metric_names(metrics: Iterable[str] | None) -> tuple[str, ...] | None:
    """The names of metrics, of which one alone may be given as text; None where None is given."""
    if metrics is None:
        return None
    return (metrics,) if isinstance(metrics, str) else tuple(metrics)


def measures_of(
    metrics: Iterable[str] | None, ns: Iterable[int], n_items: int
) -> tuple[Measure, ...]:
    """The measures of some names, or of the whole registry where ``metrics`` is None.

    A name without ``@`` is measured at each of ``ns``. Raises BadSetting for an unknown metric,
    an impossible length, and where no measure results.
    """
    lengths = tuple(check_length(n, n_items) for n in ns)
    measures: dict[Measure, None] = {}
    names = metric_names(metrics)
    for one in map(read_measure, METRICS if names is None else names):
        if not one.metric.at_n:
            if metrics is None and not lengths and one.metric.source == "ranks":
                continue  # without lists, no ranking is wanted either
            measures[one] = None
        elif one.n is not None:
            check_length(one.n, n_items)
            measures[one] = None
        else:
            measures |= dict.fromkeys(Measure(one.base, n) for n in lengths)
    if not measures:
        raise BadSetting("nothing is asked for; name a metric, or a list length (", NS, ") for it")
    return tuple(measures)


@dataclass(frozen=True)
class Plan:
    """What is measured, and which test items are relevant."""

    measures: tuple[Measure, ...]
    relevant_from: float  # test items rated this or more are relevant
    optional: bool = False  # measures that do not apply to a model are left out; else refused
    left_out: str = ""  # why measures that would apply are not taken, as a sentence
    group_intervals: bool = False  # of metrics by activity and popularity, which take their time

    @classmethod
    def of(
        cls,
        split: Split,
        ns: Iterable[int],
        relevant_from: float | None,
        metrics: Iterable[str] | None,
        algorithm: object = None,
    ) -> "Plan":
        """The plan for a split, and for one algorithm where it is given.

        Raises, before any work, BadSetting for a metric or length that cannot be measured, and
        BadRatings where no test item is relevant.
        """
        measures = measures_of(metrics, ns, split.train.n_items)
        threshold = relevance(relevant_from, split.train.scale, split.train.rating)
        plan = cls(measures, threshold, optional=metrics is None)
        kind = getattr(algorithm, "kind", None)
        if plan.optional:
            plan = plan.usual_on(split, kind or "rating")
        if plan.ranks:
            check_relevant(split.test, threshold, kind or "rating")
        if not plan.optional:
            check_genres(measures, has_genres(split))
            check_grades(measures, split.train.scale)
            if kind is not None:
                check_kind(measures, kind, getattr(algorithm, "name", repr(algorithm)))
        return plan

    @property
    def names(self) -> tuple[str, ...]:
        """The measures as in tables, in their order."""
        return tuple(one.name for one in self.measures)

    @property
    def ranks(self) -> bool:
        """Whether any measure is about rankings or lists."""
        return any(one.ranks for one in self.measures)

    def usual_on(self, split: Split, kind: str = "rating") -> "Plan":
        """The plan without errors where only what was liked is tested; ``kind`` of the scores."""
        if split.name != "liked" or not self.ranks or all(one.ranks for one in self.measures):
            return self
        ranking = self.only(one for one in self.measures if one.ranks)
        return replace(ranking, left_out=NO_ERRORS if kind == "rating" else "")

    def only(self, measures: Iterable[Measure]) -> "Plan":
        """The plan with some of its measures."""
        return replace(self, measures=tuple(measures))

    def fitted_to(self, model: Measurable, genres: bool) -> "Plan":
        """The plan for one model; ``genres`` is whether any item has a genre.

        Raises BadSetting for a measure that does not apply, or, where measures are optional, if
        none does.
        """
        if self.optional:
            return self.applicable(model, genres)
        check_kind(self.measures, model.kind, getattr(model, "algorithm", "this model"))
        for one in self.measures:
            if one.metric.source == "intervals" and not offers_intervals(model):
                raise BadSetting(f"{one.name}: this model gives no intervals; {INTERVALS.instead}")
        check_genres(self.measures, genres)
        check_grades(self.measures, model.scale)
        return self

    def applicable(self, model: Measurable, genres: bool) -> "Plan":
        """The measures that apply to a model, those of intervals left out for their time.

        Raises BadSetting where none does.
        """
        measures = [
            one
            for one in self.measures
            if (one.metric.source != "ratings" or model.kind == "rating")
            and one.metric.source != "intervals"
            and (not one.metric.needs_genres or genres)
            and (one.metric.source != "grades" or model.scale.low < model.scale.high)
        ]
        if not measures:
            raise BadSetting(
                "a model of preferences has only ranking metrics; give list lengths (", NS, ")"
            )
        return self.only(measures)

    def learner(self, algorithm: Any) -> Any:
        """The algorithm, or its part that predicts stars where no measure is about lists."""
        return algorithm if self.ranks else getattr(algorithm, "for_stars", algorithm)


def check_length(n: int, n_items: int) -> int:
    """The list length itself. Raises BadSetting unless a list can be so long."""
    check_whole("a list length", n)
    if not 1 <= n <= n_items:
        raise BadSetting(
            f"a list length is {n}; with {counted(n_items, 'item')} it must be from 1 to "
            f"{n_items:,}; choose it (",
            NS,
            ")",
        )
    return n


def has_genres(split: Split) -> bool:
    """Whether any item has a genre."""
    catalog = split.test.catalog or split.train.catalog
    return any(catalog[item].genres for item in catalog)


def relevance(relevant_from: float | None, scale: Scale, train: np.ndarray) -> float:
    """The lowest rating of a relevant test item, in stars.

    ``relevant_from`` itself where it is given. Otherwise, where the training ratings (n_ratings,)
    are stars, the least whole or half star, if these are given, from 3/4 up the scale; where they
    are counts or choices, every chosen item is relevant.
    """
    if relevant_from is not None:
        return float(relevant_from)
    if not len(train):
        return scale.liked_from
    return scale.least_liked(train) if Signal.of(train).graded else scale.low


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


def check_kind(measures: Sequence[Measure], kind: str, who: str) -> None:
    """Raise BadSetting for a metric of predicted ratings where scores only rank."""
    for one in measures:
        if kind != "rating" and not one.ranks:
            raise BadSetting(
                f"{one.name} is about predicted ratings, but the scores of {who} only rank; "
                "ask for ranking metrics, such as ndcg@10"
            )


def check_genres(measures: Sequence[Measure], genres: bool) -> None:
    """Raise BadSetting for a metric of genres where no item has any."""
    for one in measures:
        if one.metric.needs_genres and not genres:
            raise BadSetting(f"{one.name} needs the genres of items; give a catalog")


def check_grades(measures: Sequence[Measure], scale: Scale) -> None:
    """Raise BadSetting for a metric of how much was liked where all ratings are equal."""
    for one in measures:
        if one.metric.source == "grades" and scale.low == scale.high:
            raise BadSetting(
                f"{one.name} is about how much each item was liked, and every rating is "
                f"{scale.low:g}; ask for ndcg@{one.n or 10}"
            )


def offers_intervals(model: Measurable) -> bool:
    """Whether a model gives intervals of its predicted ratings."""
    return bool(getattr(model, "has_intervals", hasattr(model, "interval")))
