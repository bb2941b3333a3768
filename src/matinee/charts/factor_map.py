"""Maps of items and of people: their factors in the plane.

    places = (F - mean F) [v_1 v_2]      v: the two leading eigenvectors of the covariance of F

Principal components, found exactly and with a fixed sign: the same model, the same map. What is
near in the plane is alike in the two directions that differ most, and no more.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from matinee.charts.chart import Chart
from matinee.charts.marks import Dots
from matinee.charts.plot import N_COLORS, Axis, Plot
from matinee.display.notebook import Part, Printable
from matinee.display.plain_data import JsonObject
from matinee.display.tables import Table
from matinee.display.text import percent
from matinee.errors import BadSetting
from matinee.models import FactorModel, Model

MOST_POINTS = 1500  # the most rated ones; more would be a cloud and a slow page
COLORS = ("genre", "decade", "taste")
OTHER = "other"


class Region(NamedTuple):
    """Where the items, or users, of one taste lie: the median of their places."""

    name: str
    x: float
    y: float


@dataclass(frozen=True, repr=False)
class Map(Printable):
    """Places of items or people in the plane, each with a class."""

    of: str  # "items" or "users"
    color: str
    ids: tuple[str, ...]
    names: tuple[str, ...]
    places: np.ndarray  # (n, 2), in the units of factors
    classes: tuple[str, ...]  # of each point
    legend: tuple[str, ...]  # the classes, the commonest first
    regions: tuple[Region, ...]  # of the commonest tastes, whatever the color
    counts: np.ndarray  # (n,): ratings of each
    explained: float  # share of the variance that the two directions have
    left_out: int

    def parts(self) -> Iterator[Part]:
        """What the map shows; ``charts.space`` draws it."""
        yield f"<map of {len(self.ids):,} {self.of} by {self.color}>"
        yield f"two directions have {percent(self.explained)} of the variance"

    def to_dict(self) -> JsonObject:
        """Plain values, ready for JSON."""
        places, counts = self.places.tolist(), self.counts.tolist()
        rows = zip(self.ids, self.names, places, self.classes, counts, strict=True)
        return {
            "of": self.of,
            "color": self.color,
            "legend": list(self.legend),
            "regions": [
                {"name": name, "x": round(x, 4), "y": round(y, 4)} for name, x, y in self.regions
            ],
            "explained": self.explained,
            "left_out": self.left_out,
            "points": [
                {
                    "id": key,
                    "name": name,
                    "x": round(x, 4),
                    "y": round(y, 4),
                    "class": of,
                    "n_ratings": n,
                }
                for key, name, (x, y), of, n in rows
            ],
        }


def has_map(model: Model) -> bool:
    """Whether a model has a map: it takes two factors."""
    return isinstance(model, FactorModel) and model.n_factors >= 2


def map_of(
    model: Model, of: str = "items", color: str | None = None, most: int = MOST_POINTS
) -> Map:
    """The map of the ``most`` items, or users, that have most ratings.

    Items are coloured by "genre", "decade" or "taste", users by their strongest "taste". Raises
    BadSetting for a model of fewer than two factors, and for what there is not.
    """
    if not isinstance(model, FactorModel) or model.n_factors < 2:
        raise BadSetting(f"a map needs a model with two factors or more; this is {model!r}")
    if of not in ("items", "users"):
        raise BadSetting(f"there is no map of {of!r}; there are items and users")
    colors = COLORS if of == "items" else ("taste",)
    color = color or _usual_color(model, of)
    if color not in colors:
        raise BadSetting(f"a map of {of} has no color {color!r}; it has {', '.join(colors)}")
    factors = factors_of(model, of)
    counts = model.item_counts if of == "items" else model.seen.counts
    known = np.flatnonzero(counts)
    rows = np.sort(known[np.argsort(-counts[known], kind="stable")][:most])
    places, explained = principal(factors, known, rows)
    ids = (model.items if of == "items" else model.users).ids[rows].tolist()
    names = [model.catalog.label(one) for one in ids] if of == "items" else ids
    leading = leading_tastes(model, of, rows)
    classes, legend = _common(leading if color == "taste" else _classes(model, color, ids))
    return Map(
        of,
        color,
        tuple(ids),
        tuple(names),
        places,
        classes,
        legend,
        regions_of(places, leading),
        counts[rows],
        explained,
        len(known) - len(rows),
    )


def factors_of(model: FactorModel, of: str) -> np.ndarray:
    """Factors (n, n_factors) of items or users, the mean over samples where there are several."""
    factors = model.item_factors if of == "items" else model.user_factors
    mean: np.ndarray = factors.reshape(len(factors), -1, model.n_factors).mean(axis=1)
    return mean


def principal(factors: np.ndarray, of: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, float]:
    """Places (n, 2) of ``rows`` on the principal components of rows ``of``, and their share."""
    known = factors[of].astype(np.float64)
    mean = known.mean(axis=0)
    size, vectors = np.linalg.eigh((known - mean).T @ (known - mean))
    leading = vectors[:, ::-1][:, :2]
    leading = leading * np.sign(leading[np.abs(leading).argmax(axis=0), [0, 1]])
    share = float(size[-2:].sum() / (size.sum() or 1.0))
    return (factors[rows] - mean) @ leading, share


def space(factor_map: Map) -> Chart:
    """The picture of a map."""
    of_class = {
        name: N_COLORS - 1 if name == OTHER else at for at, name in enumerate(factor_map.legend)
    }
    points = [
        (x, y, of_class[of], f"{name}: {of}", key)
        for (x, y), of, name, key in zip(
            factor_map.places.tolist(),
            factor_map.classes,
            factor_map.names,
            factor_map.ids,
            strict=True,
        )
    ]
    points.sort(key=lambda point: -point[2])  # the common ones on top
    fewer = f"; the {len(points):,} with most ratings are shown" if factor_map.left_out else ""
    return Chart(
        f"map-of-{factor_map.of}",
        f"{factor_map.of.capitalize()} by taste, coloured by {factor_map.color}",
        f"What lies near is alike in the two directions that differ most; these hold "
        f"{percent(factor_map.explained)} of all differences{fewer}.",
        Table(
            {
                "name": list(factor_map.names),
                "id": list(factor_map.ids),
                factor_map.color: list(factor_map.classes),
                "x": factor_map.places[:, 0],
                "y": factor_map.places[:, 1],
            }
        ),
        Plot(
            Axis.around("", [x for x, *_ in points]),
            Axis.around("", [y for _, y, *_ in points]),
            (Dots(tuple(points)),),
            legend=tuple((of_class[name], name) for name in factor_map.legend),
            height=460,
            bare=True,
        ),
    )


def _usual_color(model: FactorModel, of: str) -> str:
    return "genre" if of == "items" and model.catalog.genre_matrix(model.items)[0] else "taste"


def _classes(model: FactorModel, color: str, ids: list[str]) -> list[str]:
    if color == "genre":
        return [next(iter(model.catalog[one].genres), OTHER) for one in ids]
    years = [model.catalog[one].year for one in ids]
    return [OTHER if year is None else f"{year // 10 * 10}s" for year in years]


def leading_tastes(model: FactorModel, of: str, rows: np.ndarray) -> list[str]:
    """The taste that adds most to the scores of each of the items, or users, in ``rows`` (n,)."""
    own, others = factors_of(model, of), factors_of(model, "users" if of == "items" else "items")
    strength = np.abs(own[rows]) * np.abs(others).mean(axis=0)
    names = [taste.name for taste in model.tastes()]
    return [names[f] for f in strength.argmax(axis=1).tolist()]


def regions_of(places: np.ndarray, tastes: list[str]) -> tuple[Region, ...]:
    """The regions of the commonest ``tastes`` (n,) of points at ``places`` (n, 2)."""
    of_point, names = _common(tastes)
    classes = np.array(of_point)
    middles = ((name, np.median(places[classes == name], axis=0)) for name in names)
    return tuple(Region(name, *middle.tolist()) for name, middle in middles if name != OTHER)


def _common(classes: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The classes, with all but the commonest called other; and their names, commonest first."""
    counted = [name for name, _ in Counter(sorted(classes)).most_common() if name != OTHER]
    common = counted if len(counted) < N_COLORS else counted[: N_COLORS - 1]
    classes_shown = tuple(name if name in common else OTHER for name in classes)
    return classes_shown, (*common, OTHER) if OTHER in classes_shown else tuple(common)
