"""Charts of reasons: what a score is made of, and what a taste is."""

from matinee.charts.bars import Bars, Row
from matinee.charts.chart import Chart
from matinee.display.tables import Table
from matinee.display.text import counted, percent
from matinee.explain.explanation import Explanation
from matinee.explain.views import label_of
from matinee.explain.waterfall import beginning
from matinee.tastes import UNLABELLED, Taste
from matinee.tastes.cards import said_of_stability


def waterfall(why: Explanation) -> Chart:
    """The terms of a score one after the other, the base first; they add up to the score.

    Where the limits of the scale clip it, they are the last term before the predicted rating.
    """
    steps = why.steps()
    low = beginning(steps)
    bars = tuple(
        Row(one.name, one.figure.replace("-", "−"), one.start, one.end, one.style, one.detail)
        for one in steps
    )
    return Chart(
        "waterfall",
        f"Why {why.title}, {label_of(why.by)}",
        why.sentence(),
        Table(
            {
                "term": [bar.full_label for bar in bars],
                why.counted_in: [one.value for one in steps],
            }
        ),
        Bars(bars, low, joined=True, note=f"bars begin at {low:.2f}" if low > 0 else ""),
    )


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def taste_card(taste: Taste, most: int = 10) -> Chart:
    """What a taste adds to the score of its items for somebody typical: both its ends."""
    ends = [*taste.top[:most], *taste.bottom[: most // 2]]
    rows = tuple(
        Row(title, _signed(weight), 0.0, float(weight), "up" if weight >= 0 else "down")
        for _, title, weight in ends
    )
    facts = [
        f"{percent(taste.share)} of scores",
        f"strongest in {counted(taste.n_people, 'person')}",
    ]
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
