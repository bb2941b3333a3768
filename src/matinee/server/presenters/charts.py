"""Charts as the API shows them: their data, and on request their pictures."""

from collections.abc import Iterable
from typing import Any

from matinee.algorithms.from_model import ratings_of
from matinee.charts import charts_of_comparison, charts_of_ratings, k_curve, map_of, space
from matinee.charts.chart import Chart
from matinee.server.evaluation_record import EvaluationRecord
from matinee.server.snapshot import ModelSnapshot


def chart_data(charts: Iterable[Chart], width: int | None) -> list[dict[str, Any]]:
    """The data of charts; with a width also their SVG, to be styled by ``/charts.css``."""
    return [
        chart.to_dict() | ({} if width is None else {"svg": str(chart.inline(width))})
        for chart in charts
    ]


def training_data(snapshot: ModelSnapshot, width: int | None) -> dict[str, Any]:
    """Description and charts of the ratings that a model was trained on."""
    ratings = ratings_of(snapshot.model)
    description = ratings.describe()
    return {
        "description": description.to_dict() | {"fingerprint": snapshot.model.data_fingerprint},
        "charts": chart_data(charts_of_ratings(ratings, description), width),
    }


def quality(evaluation: EvaluationRecord, width: int | None) -> dict[str, Any]:
    """The comparison and the k-curve that the server was started with, and their charts."""
    rows, curve = evaluation.comparison, evaluation.curve
    charts = [k_curve(curve)] if curve is not None else []
    charts += charts_of_comparison(rows)
    return {
        "comparison": rows,
        "origin": evaluation.origin,
        "curve": curve,
        "charts": chart_data(charts, width),
    }


def factor_map(
    snapshot: ModelSnapshot, of: str, color: str | None, most: int, width: int | None
) -> dict[str, Any]:
    """Items or users in two dimensions, and the chart."""
    points = map_of(snapshot.model, of, color, most)
    charts = [space(points)] if width else []
    return {**points.to_dict(), "charts": chart_data(charts, width)}
