"""The data of charts: of the ratings, of what was measured, and the map."""

from typing import Any

import numpy as np

from matinee.description import Description
from matinee.errors import BadSetting
from matinee.feedback.refitting import ratings_of
from matinee.models import FactorModel
from matinee.records import Record
from matinee.server.lists import entry
from matinee.server.serving import Serving

MOST_POINTS = 3000  # of the map, the most rated items


def of_data(serving: Serving) -> dict[str, Any]:
    """A description of the trained ratings, and their charts."""
    ratings = ratings_of(serving.model)
    return {"description": Description.of(ratings).to_dict(), "charts": {}}


def of_quality(record: Record | None) -> dict[str, Any]:
    """The runs of a record, and their charts."""
    runs = [] if record is None else [without_resamples(run) for run in record.runs()]
    return {"runs": runs, "charts": {}}


def without_resamples(run: dict[str, Any]) -> dict[str, Any]:
    """A run without the thousands of numbers that only a comparison needs."""
    entry = {name: part for name, part in run.get("entry", {}).items() if name != "resampled"}
    return run | ({"entry": entry} if entry else {})


def map_of(serving: Serving) -> dict[str, Any]:
    """The most rated items along the two directions in which factors differ most (PCA)."""
    model = serving.model
    if not isinstance(model, FactorModel) or model.n_factors < 2:
        raise BadSetting(f"models of {model.algorithm} have no map; fit nmf or mf")
    Q = model.item_factors.astype(np.float64)
    centred = Q - Q.mean(axis=0)
    _, directions = np.linalg.eigh(centred.T @ centred)
    axes = directions[:, ::-1][:, :2]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
    places = centred @ axes
    strongest = np.abs(Q).argmax(axis=1)
    points = [
        {
            **entry(serving, row), "x": round(float(places[row, 0]), 4),
            "y": round(float(places[row, 1]), 4), "n_ratings": int(model.item_counts[row]),
            "taste": int(strongest[row]),
        }
        for row in serving.by_count[:MOST_POINTS].tolist()
    ]  # fmt: skip
    tastes = model.tastes()
    names = [tastes[int(np.abs(axis).argmax())].name for axis in axes.T]
    return {"points": points, "axes": names}
