"""Charts as the API shows them: their data, and on request their pictures."""

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
from matinee.server.evaluation_record import EvaluationRecord
from matinee.server.snapshot import ModelSnapshot


def chart_data(charts: Iterable[Chart | None], width: int | None) -> list[dict[str, Any]]:
    """The data of charts; with a width also their SVG, to be styled by ``/charts.css``."""
    return [
        chart.to_dict() | ({} if width is None else {"svg": str(chart.inline(width))})
        for chart in charts
        if chart is not None
    ]


def training_data(snapshot: ModelSnapshot, width: int | None) -> dict[str, Any]:
    """Description and charts of the ratings that a model was trained on."""
    ratings = ratings_of(snapshot.model)
    description = ratings.describe()
    charts = (
        rating_distribution(description),
        long_tail(ratings),
        sparsity(ratings),
        over_time(ratings),
    )
    return {
        "description": description.to_dict() | {"fingerprint": snapshot.model.data_fingerprint},
        "charts": chart_data(charts, width),
    }


def quality(evaluation: EvaluationRecord, width: int | None) -> dict[str, Any]:
    """The comparison and the k-curve that the server was started with, and their charts."""
    rows, curve = evaluation.comparison, evaluation.curve
    charts: list[Chart | None] = [k_curve(curve)] if curve is not None else []
    if rows:
        charts += [
            trade_off(rows, RANKING, f"coverage@{LIST_LENGTH}"),
            trade_off(rows, RATING_ERROR, RANKING),
        ]
    return {
        "comparison": rows,
        "origin": evaluation.origin,
        "curve": curve,
        "charts": chart_data(charts, width),
    }


def factor_map(
    snapshot: ModelSnapshot, of: str, color: str | None, width: int | None
) -> dict[str, Any]:
    """Items or users in two dimensions, and the chart."""
    points = map_of(snapshot.model, of, color)
    charts = [space(points)] if width else []
    return {**points.to_dict(), "charts": chart_data(charts, width)}
