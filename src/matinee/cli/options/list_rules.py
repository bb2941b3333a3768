"""``--where``, ``--diversity``, ``--boost`` and the others: rules that a list must keep to."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from matinee.cli.options.model import find_item
from matinee.cli.options.newcomer import number
from matinee.cli.options.numbers import Real, Whole
from matinee.cli.options.values import gathered
from matinee.data.condition_texts import conditions_of
from matinee.errors import BadSetting

if TYPE_CHECKING:
    from matinee.lists.list_rules import RuleArguments
    from matinee.models import Model


ITEM_HEADINGS = ("item_id", "item", "title")  # of the first column of a file


@dataclass(frozen=True)
class RuleOptions:
    """The rules as they are typed."""

    where: tuple[str, ...]
    min_ratings: int
    diversity: float
    novelty: float
    calibrated: float
    boost: str | None
    hide: str | None

    @property
    def given(self) -> bool:
        """Whether there is any rule."""
        return bool(self.where or self.boost or self.hide or self.min_ratings or any(self._strong))

    @property
    def _strong(self) -> tuple[float, ...]:
        return (self.diversity, self.novelty, self.calibrated)

    def arguments(self, model: "Model") -> "RuleArguments":
        """The rules as ``recommend`` takes them. Raises BadSetting, and UnknownId for an item."""
        return {
            "where": conditions(self.where),
            "min_ratings": self.min_ratings,
            "diversity": self.diversity,
            "novelty": self.novelty,
            "calibrated": self.calibrated,
            "boost": boosts(model, self.boost) if self.boost else {},
            "hide": hidden(model, self.hide) if self.hide else (),
        }


rule_options = gathered(
    "rules",
    RuleOptions,
    click.option(
        "--where",
        multiple=True,
        metavar="COLUMN=VALUE",
        help="Only items with this value in a catalogue column, such as genre=Horror or "
        "year=1990..1999; may be given again: any of several values, all of several columns.",
    ),
    click.option(
        "--min-ratings",
        type=Whole(0),
        default=0,
        metavar="N",
        help="Only items with at least so many ratings.",
    ),
    click.option(
        "--diversity",
        type=Real(0, 1),
        default=0.0,
        metavar="X",
        help="How much items must differ from those before them, 0..1: not at all to strongly.",
    ),
    click.option(
        "--novelty",
        type=Real(0, 1),
        default=0.0,
        metavar="X",
        help="How much items that few people know are raised, 0..1.",
    ),
    click.option(
        "--calibrated",
        type=Real(0, 1),
        default=0.0,
        metavar="X",
        help="How much the genres of the list must be in the user's own proportions, 0..1.",
    ),
    click.option(
        "--boost",
        metavar="FILE",
        help="Raise or lower items: a CSV of item (id or title) and stars.",
    ),
    click.option("--hide", metavar="FILE", help="Leave items out: one a line, by id or title."),
)


def conditions(texts: tuple[str, ...]) -> dict[str, object]:
    """Conditions by column from ``genre=Horror``, ``year=1990..1999``. Raises BadSetting."""
    return conditions_of(texts, "--where")


def rows_of(path: str) -> list[list[str]]:
    """The rows of a CSV file that are neither blank nor a heading.

    Raises BadSetting where it cannot be read.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise BadSetting(f"{path} cannot be read: {reason}") from None
    rows = [row for row in csv.reader(lines) if any(cell.strip() for cell in row)]
    has_heading = bool(rows) and rows[0][0].strip().casefold() in ITEM_HEADINGS
    return rows[has_heading:]


def boosts(model: "Model", path: str) -> dict[object, float]:
    """The boost of each item in a file of items and stars, perhaps with a heading."""
    stars: dict[object, float] = {}
    for row in rows_of(path):
        if len(row) != 2:
            raise BadSetting(f"{path} holds {','.join(row)!r}; a row is an item and its stars")
        item = find_item(model, row[0].strip())
        if item in stars:
            raise BadSetting(f"{path} names {row[0]!r} twice")
        stars[item] = number(f"{path}: the stars for {row[0]!r} are", row[1])
    return stars


def hidden(model: "Model", path: str) -> set[str]:
    """The items in a file of one a line, perhaps with a heading."""
    return {find_item(model, ",".join(row).strip()) for row in rows_of(path)}
