"""Charts as the API shows them: their data, and on request their pictures."""

from collections.abc import Iterable

from matinee.algorithms.from_model import ratings_of
from matinee.charts import (
    charts_of_comparison,
    charts_of_quality,
    charts_of_ratings,
    k_curve,
    map_of,
    space,
)
from matinee.charts.chart import Chart
from matinee.display.plain_data import JsonObject
from matinee.evaluation.model_quality import ModelQuality
from matinee.evaluation.popular_lists import PopularLists
from matinee.evaluation.recorded import curve_fingerprint
from matinee.server.evaluation_record import EvaluationRecord
from matinee.server.snapshot import ModelSnapshot


def chart_data(charts: Iterable[Chart], width: int | None) -> list[JsonObject]:
    """The data of charts; with a width also their SVG, to be styled by ``/charts.css``."""
    return [
        chart.to_dict() | ({} if width is None else {"svg": str(chart.inline(width))})
        for chart in charts
    ]


def training_data(snapshot: ModelSnapshot, width: int | None) -> JsonObject:
    """Description and charts of the ratings that a model was trained on."""
    ratings = ratings_of(snapshot.model)
    description = ratings.describe()
    return {
        "description": description.to_dict() | {"fingerprint": snapshot.model.data_fingerprint},
        "charts": chart_data(charts_of_ratings(ratings, description), width),
    }


def quality(snapshot: ModelSnapshot, evaluation: EvaluationRecord, width: int | None) -> JsonObject:
    """What is known of a model's quality: its own figures, its lists, and the server's record."""
    model = snapshot.model
    own = ModelQuality.of_facts(model)
    comparison, curve = evaluation.comparison_of(model.data_fingerprint), evaluation.curve
    charts = [k_curve(curve)] if curve is not None else []
    charts += charts_of_comparison(comparison.rows)
    return {
        "own": None if own is None else own_quality(own, width),
        "lists": PopularLists.of(model).to_dict(model),
        "comparison": comparison.rows,
        "comparison_data": {
            "fingerprint": comparison.data_fingerprint,
            "is_own": comparison.is_of(model.data_fingerprint),
        },
        "origin": comparison.origin,
        "curve": curve,
        "curve_data": None
        if curve is None
        else {
            "fingerprint": curve_fingerprint(curve),
            "is_own": curve_fingerprint(curve) == model.data_fingerprint,
        },
        "charts": chart_data(charts, width),
    }


def own_quality(own: ModelQuality, width: int | None) -> JsonObject:
    """The measured quality of a model, its verdict, and its charts."""
    charts = chart_data(charts_of_quality(own.to_dict()), width)
    return {**own.to_dict(), "verdict": own.verdict, "judgement": own.judgement, "charts": charts}


def factor_map(
    snapshot: ModelSnapshot, of: str, color: str | None, most: int, width: int | None
) -> JsonObject:
    """Items or users in two dimensions, and the chart."""
    points = map_of(snapshot.model, of, color, most)
    charts = [space(points)] if width else []
    return {**points.to_dict(), "charts": chart_data(charts, width)}
