"""``matinee predict MODEL --user ID --item ID``: how many stars somebody would give."""

import click

from matinee.cli.console import json_option, numbers, print_json, say, width
from matinee.cli.options.model import ITEM_HELP, find_item_or_none, load, model_argument
from matinee.display.text_table import text_table


@click.command("predict")
@model_argument
@click.option("--user", required=True, metavar="ID", help="Id of the user.")
@click.option(
    "--item",
    "items",
    required=True,
    multiple=True,
    metavar="ID",
    help=f"{ITEM_HELP} May be given again for others.",
)
@json_option
def command(model_path: str, user: str, items: tuple[str, ...], as_json: bool) -> None:
    """Predict how a user would rate an item.

    A user or item that the model does not know counts as the average one, and that is said.
    """
    model = load(model_path)
    ids = [find_item_or_none(model, item) or item for item in items]
    predictions = model.predict(user, ids)
    titles = [model.catalog.label(one) for one in ids]
    for kind, one, known in (("user", user, model.users), *(("item", i, model.items) for i in ids)):
        if one not in known:
            say(f"note: the model does not know {kind} {one!r}; the average {kind} stands in")
    if as_json:
        scores = predictions.score.tolist()
        rows = zip(predictions.to_dicts(), titles, scores, strict=True)
        print_json([row | {"title": title, "score": score} for row, title, score in rows])
        return
    what = "rating" if model.kind == "rating" else "score"
    ratings = numbers(predictions.columns[what])
    cells = [["title", what, "item_id"], *map(list, zip(titles, ratings, ids, strict=True))]
    for line in text_table(cells, left=(0, 2), flexible=(0, 2), columns=width()):
        click.echo(line)
