"""``matinee similar MODEL --item ID``: what is like an item, or who is like a user."""

import click

from matinee.cli.console import json_option, print_json, ranked_list
from matinee.cli.options.model import WORDS_HELP, find_item_by_words, load, model_argument
from matinee.cli.options.numbers import Whole


@click.command("similar")
@model_argument
@click.option("--item", metavar="ID", help=WORDS_HELP)
@click.option("--user", metavar="ID", help="Id of the user.")
@click.option("-n", "n", type=Whole(1), default=10, show_default=True, help="How many.")
@json_option
def command(model_path: str, item: str | None, user: str | None, n: int, as_json: bool) -> None:
    """Show what is like an item, or who is like a user."""
    if (item is None) == (user is None):
        raise click.UsageError("give either --item or --user")
    model = load(model_path)
    if item is not None:
        neighbors = model.similar_items(find_item_by_words(model, item), n)
    else:
        neighbors = model.similar_users(user, n)
    if as_json:
        print_json(neighbors.to_dicts())
    else:
        click.echo("\n".join(ranked_list(neighbors.to_dicts(), "similarity")))
