"""Somebody new on the command line: ``--ratings FILE``, ``--tastes`` or ``--features``."""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from matinee.cli.console import say, width, wrap
from matinee.cli.options.values import gathered
from matinee.display.text import counted
from matinee.errors import BadSetting

if TYPE_CHECKING:
    from matinee.models import Model, Person

NAME = "you"
LISTED = 10  # films named that could not be matched
PAIR = re.compile(r"([^=].*?)=([^=,]+)(?:,|$)")  # a name may hold commas, as labels of tastes do


@dataclass(frozen=True)
class Newcomer:
    """Somebody new, told of in one of several ways."""

    ratings_path: str | None
    tastes: tuple[str, ...]
    features: str | None

    @property
    def ways(self) -> dict[str, object]:
        """The value of each option that tells of somebody new."""
        return {
            "--ratings": self.ratings_path,
            "--tastes": self.tastes,
            "--features": self.features,
        }

    def person(self, model: "Model") -> "Person":
        """The newcomer as the model knows them. Raises as ``fold_in`` and its like do."""
        if self.ratings_path:
            return from_file(model, self.ratings_path)
        if self.tastes:
            return from_tastes(model, self.tastes)
        return from_features(model, self.features or "")


newcomer_options = gathered(
    "newcomer",
    Newcomer,
    click.option(
        "--ratings",
        "ratings_path",
        metavar="FILE",
        help="Somebody new, by their ratings: item_id,rating or title,year,rating; or what "
        "Letterboxd or IMDb export.",
    ),
    click.option(
        "--tastes",
        multiple=True,
        metavar="TASTE=POINTS,..",
        help="Somebody new, who shares 10 points among tastes, by name or number (see matinee "
        "tastes); may be given again.",
    ),
    click.option(
        "--features",
        metavar="NAME=VALUE,..",
        help="Somebody new, by what they tell, such as age=25,gender=F.",
    ),
)


def check_one_way(purpose: str, ways: dict[str, object]) -> None:
    """Raise BadSetting unless exactly one of several options has a value.

    ``purpose`` begins the message: ``say whom to recommend to by one of``.
    """
    given = [name for name, value in ways.items() if value]
    if len(given) != 1:
        problem = f"{' and '.join(given)} are given" if given else "none is given"
        *others, last = ways
        raise BadSetting(f"{purpose} {', '.join(others)} or {last}; {problem}")


def from_file(model: "Model", path: str, name: str = NAME) -> "Person":
    """The newcomer whose ratings a file holds. Reports how it was read, and unmatched titles."""
    from matinee.sources.exports import match, read_export

    export = read_export(path)
    matched = match(export, model.items, model.catalog, model.scale)
    kind = "" if export.kind == "table" else f" ({export.kind})"
    words = [
        f"{path}{kind}: {counted(len(export.rows), 'rating')}, "
        f"{counted(len(matched), 'film')} matched"
    ]
    if matched.twice:
        words.append(f"{matched.twice:,} rated again, the last counts")
    if export.unrated:
        words.append(f"{export.unrated:,} without a rating")
    if model.kind != "rating":
        words.append("each counts as a choice, whatever its stars")
    elif export.scale is not None and export.scale != model.scale:
        words.append(f"brought from {export.scale} to the model's scale {model.scale}")
    say(wrap("; ".join(words), width()))
    if matched.set_aside:
        low, high = export.scale or model.scale
        remedy = f"write ratings as numbers from {low:g} to {high:g}"
        say(wrap(f"set aside: {', '.join(map(str, matched.set_aside))}; {remedy}", width()))
    if matched.unmatched:
        more = len(matched.unmatched) - LISTED
        rest = f"; and {more:,} more" if more > 0 else ""
        say(wrap(f"not matched: {matched.missed(LISTED)}{rest}", width()))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return model.fold_in(matched.history, name)


def from_tastes(model: "Model", texts: Sequence[str]) -> "Person":
    """The newcomer of points for tastes, by name or number: ``Horror=6,Comedy=4``, ``0=6``."""
    points = pairs(",".join(texts), "--tastes", "Horror=6,Comedy=4 or, by number, 0=6,3=4")
    shared: dict[object, float] = {
        name: number(f"the points for {name!r} are", n) for name, n in points.items()
    }
    return model.fold_in_tastes(shared, NAME)


def from_features(model: "Model", text: str) -> "Person":
    """The newcomer of some features: ``age=25,gender=F``."""
    return model.fold_in_features(pairs(text, "--features", "age=25,gender=F"), NAME)


def number(what: str, text: str) -> float:
    """The number that ``what`` is. Raises BadSetting for anything else."""
    try:
        return float(text)
    except ValueError:
        raise BadSetting(f"{what} {text!r}, not a number") from None


def pairs(text: str, option: str, example: str) -> dict[str, str]:
    """``a=1,b=2`` as a mapping. Raises BadSetting for anything else, and for a name given twice."""
    entries = [(name.strip(), value.strip()) for name, value in PAIR.findall(text)]
    if PAIR.sub("", text).strip() or not all(name and value for name, value in entries):
        raise BadSetting(f"{option} reads {example}, not {text!r}")
    values = dict(entries)
    twice = [name for name in values if [one for one, _ in entries].count(name) > 1]
    if twice:
        raise BadSetting(f"{option} names {twice[0]!r} twice")
    return values
