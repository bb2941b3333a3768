"""What became of the lists that were shown, for each model, with a comparison of arms."""

from collections.abc import Mapping

from matinee.display.plain_data import JsonObject
from matinee.feedback.anytime import Difference, Mean, difference, mean
from matinee.feedback.exposures import ArmOutcome
from matinee.server.latency import Latency

DIGITS = 6


def arm_figures(outcome: ArmOutcome, n_items: int, latency: Latency | None) -> JsonObject:
    """Counts and rates of an arm; a rate is null where nothing was shown."""
    impressions = outcome.exposures
    return {
        "users": outcome.clicked.n,
        "lists": outcome.lists,
        "impressions": impressions,
        "clicks": outcome.clicks,
        "conversions": outcome.conversions,
        "click_through": round(outcome.clicks / impressions, DIGITS) if impressions else None,
        "conversion": round(outcome.conversions / impressions, DIGITS) if impressions else None,
        "click_through_by_user": plain_interval(mean(outcome.clicked)),
        "conversion_by_user": plain_interval(mean(outcome.converted)),
        "coverage": round(outcome.items / n_items, DIGITS),
        "latency": latency and plain_latency(latency),
    }


def comparisons(outcomes: Mapping[str, ArmOutcome], first: str) -> list[JsonObject]:
    """Every other arm against the first: differences of means over users, with intervals."""
    if first not in outcomes:
        return []
    base = outcomes[first]
    return [
        {
            "arm": name,
            "against": first,
            "click_through": plain_interval(difference(base.clicked, one.clicked)),
            "conversion": plain_interval(difference(base.converted, one.converted)),
        }
        for name, one in outcomes.items()
        if name != first
    ]


def plain_interval(one: Mean | Difference | None) -> JsonObject | None:
    """A mean, or a difference of means, as plain data; null while there are too few users."""
    if one is None:
        return None
    numbers = {name: round(value, DIGITS) for name, value in one._asdict().items()}
    return {**numbers, "decided": one.decided} if isinstance(one, Difference) else numbers


def plain_latency(latency: Latency) -> JsonObject:
    """The median and the 99 % quantile of a latency as plain data, in milliseconds."""
    median, p99 = (
        bound and round(1000 * bound, DIGITS) for bound in map(latency.bound, (0.5, 0.99))
    )
    return {"n": latency.n, "median_ms": median, "p99_ms": p99}
