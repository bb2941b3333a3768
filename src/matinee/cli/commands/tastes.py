"""``matinee tastes MODEL``: what each factor of a model stands for."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from matinee.cli.console import json_option, print_json, say, width
from matinee.cli.options.model import load, model_argument
from matinee.cli.progress import progress
from matinee.cli.taste_cards import cards
from matinee.display.text import counted
from matinee.errors import BadSetting

if TYPE_CHECKING:
    from matinee.models import FactorModel


SHOWN = 12  # tastes, unless all are asked for


@click.command("tastes")
@model_argument
@click.option(
    "-n",
    "n",
    type=click.IntRange(1, 10),
    default=5,
    show_default=True,
    help="Number of items of each taste.",
)
@click.option(
    "--all", "every", is_flag=True, help=f"Every taste; the {SHOWN} strongest unless given."
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
@click.option(
    "--stability",
    "n_refits",
    type=click.IntRange(1),
    metavar="N",
    help="Refit N times with other seeds, and save with the model how stable its tastes are.",
)
@click.option(
    "--samples",
    is_flag=True,
    help="With --stability: refit on bootstrap samples of the ratings, too.",
)
@json_option
def command(
    model_path: str,
    n: int,
    every: bool,
    renamed: tuple[tuple[str, str], ...],
    n_refits: int | None,
    samples: bool,
    as_json: bool,
) -> None:
    """Show the tastes that a model found.

    Each with its top items, in order of the share of the scores. JSON has all of them.
    """
    from matinee.models.factor import with_tastes

    model = with_tastes(load(model_path))
    if samples and not n_refits:
        raise BadSetting("--samples goes with --stability; say how many refits, as --stability 5")
    for taste, name in renamed:
        model = model.rename_taste(taste, name)
    if n_refits:
        model = stable(model, n_refits, samples)
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
        say(f"--all shows {more}, each of {rest[0].share:.1%} of scores or less")


def stable(model: "FactorModel", n_refits: int, samples: bool) -> "FactorModel":
    """The model with the stability of its tastes."""
    from matinee.tuning.stability import taste_stability

    with progress("refits") as step:
        return taste_stability(
            model, n_refits=n_refits, how="samples" if samples else "seeds", on_step=step
        )


def cut(taste: dict[str, object], n: int) -> dict[str, object]:
    """A taste with ``n`` items at each end."""
    return {name: part[:n] if isinstance(part, list) else part for name, part in taste.items()}
