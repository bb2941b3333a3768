"""Charts of reasons: what a score is made of, and what a taste is."""

from collections.abc import Mapping, Sequence
from typing import Any

from matinee.charts.bars import Bars, Row
from matinee.charts.chart import Chart
from matinee.explanation import Explanation
from matinee.tables import Table
from matinee.tastes import Taste


def waterfall(why: Explanation) -> Chart:
    """The terms of a score one after the other, the base first; they add up to the score."""
    rows = [
        {"name": name, "value": value, "detail": detail} for name, value, detail, _ in why.rows()
    ]
    return drawn_waterfall(why.title, round(why.score, 2), rows, why.sentence(), why.unit)


def drawn_waterfall(
    title: str, score: float, rows: Sequence[Mapping[str, Any]], sentence: str, unit: str = "stars"
) -> Chart:
    """A waterfall of rounded terms: ``name``, ``value``, ``detail``; the first is the base."""
    bars, at = [], 0.0
    for place, row in enumerate(rows):
        value = float(row["value"])
        label = f"{row['name']}, {row['detail']}" if row.get("detail") else str(row["name"])
        figure = f"{value:.2f}" if place == 0 else f"{value:+.2f}".replace("-", "−")
        style = "base" if place == 0 else "up" if value >= 0 else "down"
        bars.append(Row(label, figure, at, at + value, style, f"{label}: {figure}"))
        at += value
    bars.append(Row("score", f"{score:.2f}", 0.0, score, "total", f"score: {score:.2f} {unit}"))
    ends = [score, bars[0].end, *(end for bar in bars[1:-1] for end in (bar.start, bar.end))]
    spread = (max(ends) - min(ends)) * 0.25 or 1.0
    low = min(ends) - spread
    low = 0.0 if min(ends) >= 0 and low < 0 else low
    note = f"bars begin at {low:.2f}" if low > 0 else ""
    return Chart(
        "waterfall",
        f"Why {title}",
        sentence,
        Table(
            {
                "term": [*(row["name"] for row in rows), "score"],
                unit: [*(float(row["value"]) for row in rows), float(score)],
                "note": [*(row.get("detail", "") for row in rows), ""],
            }
        ),
        Bars(tuple(bars), low, joined=True, note=note),
    )


def taste_card(taste: Taste, most: int = 10) -> Chart:
    """The items that weigh most in a taste, and those at its other end."""
    ends = [*taste.top[:most], *taste.bottom[: most // 2]]
    rows = tuple(
        Row(title, f"{weight:.2f}".replace("-", "−"), 0.0, float(weight),
            "up" if weight >= 0 else "down")
        for _, title, weight in ends
    )  # fmt: skip
    return Chart(
        "taste-card",
        taste.name,
        f"{taste.share:.0%} of what tastes add to scores; the strongest taste of "
        f"{taste.n_people:,} people.",
        Table(
            {
                "item": [title for _, title, _ in ends],
                "item_id": [item_id for item_id, _, _ in ends],
                "weight": [float(weight) for *_, weight in ends],
            }
        ),
        Bars(rows, low=min(0.0, *(row.end for row in rows)) if rows else 0.0),
    )
