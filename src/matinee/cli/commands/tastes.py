"""``matinee tastes MODEL``: what each factor of a model stands for."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from matinee.cli.console import json_option, print_json, say, width, wrap
from matinee.cli.options.model import load, model_argument
from matinee.cli.options.numbers import Whole
from matinee.cli.options.stability import stability_options, with_stability
from matinee.cli.taste_cards import cards
from matinee.display.text import counted, percent
from matinee.errors import BadSetting

if TYPE_CHECKING:
    from matinee.models import FactorModel, Model

SHOWN = 12  # tastes, unless all are asked for


UNNAMED = (
    "items go by their ids, as the model knows no titles; fit with --catalog FILE, a table of item "
    "ids and names, to see these and have tastes named after them"
)


@click.command("tastes")
@model_argument
@click.option(
    "-n",
    "n",
    type=Whole(1, 10),
    default=5,
    show_default=True,
    help="Number of items of each taste.",
)
@click.option(
    "--all", "every", is_flag=True, help=f"Every taste; the {SHOWN} strongest unless given."
)
@click.option(
    "--choosing",
    is_flag=True,
    help="The tastes in what people choose, which reasons of lists name too.",
)
@click.option(
    "--rename",
    "renamed",
    nargs=2,
    multiple=True,
    metavar="TASTE NAME",
    help="Rename a taste, given by number or name; the name is saved with the model. An "
    "empty one restores the label.",
)
@stability_options
@json_option
def command(
    model_path: str,
    n: int,
    every: bool,
    choosing: bool,
    renamed: tuple[tuple[str, str], ...],
    n_refits: int | None,
    samples: bool,
    as_json: bool,
) -> None:
    """Show the tastes that a model found.

    Each with its top items, in order of the share of the scores. JSON has all of them.
    """
    from matinee.models.factor import with_tastes

    if choosing and (renamed or n_refits):
        raise BadSetting(
            "--rename and --stability are for the tastes in stars; leave out --choosing"
        )
    whole = load(model_path)
    in_choosing = tastes_in_choosing(whole)
    model = with_tastes(whole) if not choosing else in_choosing
    if model is None:
        raise BadSetting(f"this model of {whole.algorithm} has none; leave out --choosing")
    for taste, name in renamed:
        model = model.rename_taste(taste, name)
    model = with_tastes(with_stability(model, n_refits, samples))
    if renamed or n_refits:
        model.save(Path(model_path))
        say(f"saved in {model_path}")
    tastes = model.tastes()
    if as_json:
        print_json([cut(taste, n) for taste in tastes.to_dicts()])
        return
    click.echo("\n".join(cards(tastes, n, width(), most=None if every else SHOWN)))
    rest = tastes.by_share()[SHOWN:]
    if rest and not every:
        more = counted(len(rest), "more taste")
        say(f"--all shows {more}, each of {percent(rest[0].share, 1)} of scores or less")
    if not model.catalog:
        say(wrap(UNNAMED, width()))
    if in_choosing is not None and not choosing:
        others = counted(in_choosing.n_factors, "taste")
        say(f"reasons of lists also name {others} in what people choose; --choosing shows them")


def tastes_in_choosing(model: "Model") -> "FactorModel | None":
    """What learned the choices in a model's lists by tastes; None where nothing did."""
    from matinee.models.list_model import ListModel
    from matinee.models.list_tastes import choosing_parts

    ranker = model.ranker
    return next(choosing_parts(ranker.models[1]), None) if isinstance(ranker, ListModel) else None


def cut(taste: dict[str, object], n: int) -> dict[str, object]:
    """A taste with ``n`` items at each end."""
    return {name: part[:n] if isinstance(part, list) else part for name, part in taste.items()}
