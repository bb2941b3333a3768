"""Charts of the data and of what was measured, and the map, as the API shows them."""

from collections.abc import Iterable
from typing import Any

from matinee.algorithms.from_model import ratings_of
from matinee.charts import (
    k_curve,
    long_tail,
    map_of,
    over_time,
    rating_distribution,
    space,
    sparsity,
    trade_off,
)
from matinee.charts.chart import Chart
from matinee.report.quality import LIST_LENGTH, RANKING, RATING_ERROR
from matinee.server.measured import Measured
from matinee.server.serving import Serving


def shown(charts: Iterable[Chart | None], width: int | None) -> list[dict[str, Any]]:
    """Charts as their data; with a width as SVG too, for a page with ``/charts.css``."""
    return [
        one.to_dict() | ({} if width is None else {"svg": str(one.inline(width))})
        for one in charts
        if one is not None
    ]


def of_data(serving: Serving, width: int | None) -> dict[str, Any]:
    """A description of the trained ratings, and their charts."""
    ratings = ratings_of(serving.model)
    about = ratings.describe()
    charts = (rating_distribution(about), long_tail(ratings), sparsity(ratings), over_time(ratings))
    return {
        "description": about.to_dict() | {"fingerprint": serving.model.data_fingerprint},
        "charts": shown(charts, width),
    }


def of_quality(measured: Measured, width: int | None) -> dict[str, Any]:
    """The latest comparison and the k-curve that the server was given, and their charts."""
    rows, curve = measured.comparison, measured.curve
    charts = [k_curve(curve)] if curve is not None else []
    if rows:
        charts += [
            one
            for x, y in ((RANKING, f"coverage@{LIST_LENGTH}"), (RATING_ERROR, RANKING))
            if (one := trade_off(rows, x, y)) is not None
        ]
    return {
        "comparison": rows,
        "origin": measured.origin,
        "curve": curve,
        "charts": shown(charts, width),
    }


def of_map(serving: Serving, of: str, color: str | None, width: int | None) -> dict[str, Any]:
    """Items or users in the plane, and the picture."""
    found = map_of(serving.model, of, color)
    return {**found.to_dict(), "charts": shown([space(found)] if width else [], width)}
