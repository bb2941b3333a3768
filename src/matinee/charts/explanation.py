"""Charts of reasons: what a score is made of, and what a taste is."""

from collections.abc import Sequence

from matinee.charts.bars import Bars, Row
from matinee.charts.chart import Chart
from matinee.display.tables import Table
from matinee.display.text import counted
from matinee.explain.explanation import Explanation
from matinee.explain.views import label_of
from matinee.tastes import UNLABELLED, Taste
from matinee.tastes.cards import said_of_stability


def waterfall(why: Explanation) -> Chart:
    """The terms of a score one after the other, the base first; they add up to the score.

    Where the limits of the scale clip it, they are the last term before the predicted rating.
    """
    score = round(why.score, 2)
    bars, figures, at = [], [], 0.0
    for place, (name, value, detail, _) in enumerate(why.rows()):
        style = "base" if place == 0 else "up" if value >= 0 else "down"
        figure = _signed(value) if place else f"{value:.2f}"
        bars.append(Row(name, figure, at, at + value, style, detail))
        figures.append((bars[-1].full_label, value))
        at += value
    bars.append(Row(why.score_name, f"{score:.2f}", 0.0, score, "total"))
    figures.append((why.score_name, score))
    if why.limits:
        limits, rating = why.limits.value, round(why.predicted, 2)
        style = "up" if limits >= 0 else "down"
        bars.append(Row(why.limits.name, _signed(limits), score, rating, style))
        bars.append(Row("predicted rating", f"{rating:.2f}", 0.0, rating, "total"))
        figures += [(why.limits.name, limits), ("predicted rating", rating)]
    low = _beginning(
        [bars[0].end, *(end for bar in bars[1:] for end in (bar.start, bar.end) if end)]
    )
    return Chart(
        "waterfall",
        f"Why {why.title}, {label_of(why.by)}",
        why.sentence(),
        Table({"term": [name for name, _ in figures], why.unit: [value for _, value in figures]}),
        Bars(tuple(bars), low, joined=True, note=f"bars begin at {low:.2f}" if low > 0 else ""),
    )


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def _beginning(ends: Sequence[float]) -> float:
    """Where bars begin, so that the steps are seen: a little below the lowest, or at 0."""
    low = min(ends) - ((max(ends) - min(ends)) * 0.25 or 1.0)
    return 0.0 if low < 0 <= min(ends) else low


def taste_card(taste: Taste, most: int = 10) -> Chart:
    """What a taste adds to the score of its items for somebody typical: both its ends."""
    ends = [*taste.top[:most], *taste.bottom[: most // 2]]
    rows = tuple(
        Row(title, _signed(weight), 0.0, float(weight), "up" if weight >= 0 else "down")
        for _, title, weight in ends
    )
    facts = [f"{taste.share:.0%} of scores", f"strongest in {counted(taste.n_people, 'person')}"]
    labelled = taste.low_label != UNLABELLED
    other = f" Its other end is {taste.low_name}." if taste.low_name and labelled else ""
    return Chart(
        "taste-card",
        taste.name,
        f"{', '.join(facts + said_of_stability(taste))}.{other}",
        Table(
            {
                "item": [title for _, title, _ in ends],
                "item_id": [item_id for item_id, _, _ in ends],
                "weight": [float(weight) for *_, weight in ends],
            }
        ),
        Bars(rows, low=min(0.0, *(row.end for row in rows)) if rows else 0.0),
    )
