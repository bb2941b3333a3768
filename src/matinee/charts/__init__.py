"""Charts for notebook, report and page alike: each is a table, a sentence and a picture.

    from matinee import charts
    charts.rating_distribution(ratings.describe())      # shows in a notebook
    charts.waterfall(model.explain(42, 260)).save("why.svg")

The pictures are static SVG that this package writes itself: they need no script, so they print,
stand in a page under the strictest policy, and weigh a few kilobytes.
"""

from matinee.charts.chart import Chart, stylesheet
from matinee.charts.explanation import taste_card, waterfall
from matinee.charts.factor_map import Map, has_map, map_of, space
from matinee.charts.html_tables import twin
from matinee.charts.quality import (
    calibration,
    charts_of_comparison,
    charts_of_quality,
    error_by_group,
    k_curve,
    trade_off,
)
from matinee.charts.ratings import (
    charts_of_ratings,
    long_tail,
    over_time,
    rating_distribution,
    sparsity,
)

__all__ = [
    "Chart",
    "Map",
    "calibration",
    "charts_of_comparison",
    "charts_of_quality",
    "charts_of_ratings",
    "error_by_group",
    "has_map",
    "k_curve",
    "long_tail",
    "map_of",
    "over_time",
    "rating_distribution",
    "space",
    "sparsity",
    "stylesheet",
    "taste_card",
    "trade_off",
    "twin",
    "waterfall",
]
