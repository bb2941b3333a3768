"""``matinee explain MODEL --user ID --item ID``: the reasons, which add up to the score."""

import click

from matinee.cli.model import ITEM_HELP, find_item, load, model_argument
from matinee.cli.output import json_option, print_json, wrap


@click.command("explain")
@model_argument
@click.option("--user", required=True, metavar="ID", help="Id of the user.")
@click.option("--item", required=True, metavar="ID", help=ITEM_HELP)
@click.option("--by", metavar="factor|history", help="By tastes, or by what the user rated.")
@json_option
def command(model_path: str, user: str, item: str, by: str | None, as_json: bool) -> None:
    """Show the reasons for one score; they add up to it."""
    model = load(model_path)
    explanation = model.explain(user, find_item(model, item), by)
    if as_json:
        print_json(explanation.to_dict())
    else:
        click.echo(wrap(str(explanation)))
