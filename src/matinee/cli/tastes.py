"""``matinee tastes MODEL``: what each factor of a model stands for."""

import click

from matinee.cli.cards import cards
from matinee.cli.model import load, model_argument
from matinee.cli.output import json_option, print_json, width
from matinee.errors import BadSetting


@click.command("tastes")
@model_argument
@click.option("-n", "n", type=click.IntRange(1, 10), default=5, show_default=True,
              help="How many items of each.")  # fmt: skip
@json_option
def command(model_path: str, n: int, as_json: bool) -> None:
    """Show the tastes that a model found.

    Each with its top items; those that make most of the scores first.
    """
    model = load(model_path)
    tastes = model.tastes() if hasattr(model, "tastes") else ()
    if not tastes:
        raise BadSetting(f"a {model.algorithm} model has no tastes; fit nmf to find some")
    if as_json:
        print_json([cut(taste, n) for taste in tastes.to_dicts()])
    else:
        click.echo("\n".join(cards(tastes, n, width())))


def cut(taste: dict[str, object], n: int) -> dict[str, object]:
    """A taste with ``n`` items at each end."""
    return {name: part[:n] if isinstance(part, list) else part for name, part in taste.items()}
