"""What became of the lists that were shown, for each model, with a comparison of arms."""

from collections.abc import Mapping

from matinee.display.plain_data import JsonObject
from matinee.feedback.anytime import Difference, difference
from matinee.feedback.exposures import ArmOutcome

DIGITS = 6


def arm_figures(outcome: ArmOutcome, n_items: int) -> JsonObject:
    """Counts and rates of an arm; a rate is null where nothing was shown."""
    impressions = outcome.exposures
    return {
        "users": outcome.clicked.n,
        "impressions": impressions,
        "clicks": outcome.clicks,
        "conversions": outcome.conversions,
        "click_through": round(outcome.clicks / impressions, DIGITS) if impressions else None,
        "conversion": round(outcome.conversions / impressions, DIGITS) if impressions else None,
        "coverage": round(outcome.items / n_items, DIGITS),
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
            "click_through": plain_difference(difference(base.clicked, one.clicked)),
            "conversion": plain_difference(difference(base.converted, one.converted)),
        }
        for name, one in outcomes.items()
        if name != first
    ]


def plain_difference(difference: Difference | None) -> JsonObject | None:
    """A difference as plain data; null while there are too few users."""
    if difference is None:
        return None
    numbers = {name: round(value, DIGITS) for name, value in difference._asdict().items()}
    return {**numbers, "decided": difference.decided}
