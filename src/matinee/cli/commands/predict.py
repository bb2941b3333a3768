"""``matinee predict MODEL --user ID --item ID``: how many stars somebody would give."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from matinee.cli.console import json_option, numbers, print_json, say, width
from matinee.cli.options.model import ITEM_HELP, find_item_or_none, load, model_argument
from matinee.disk.table_files import check_table_file, write_table
from matinee.display.text import counted
from matinee.display.text_table import text_table

if TYPE_CHECKING:
    from matinee.models import Model


@click.command("predict")
@model_argument
@click.argument("pairs", required=False)
@click.option("--user", metavar="ID", help="Id of the user.")
@click.option(
    "--item",
    "items",
    multiple=True,
    metavar="ID",
    help=f"{ITEM_HELP} May be given again for others.",
)
@click.option("--out", metavar="FILE", help="Where the predictions go: a .parquet or .csv file.")
@json_option
def command(
    model_path: str,
    pairs: str | None,
    user: str | None,
    items: tuple[str, ...],
    out: str | None,
    as_json: bool,
) -> None:
    """Predict how a user would rate an item.

    Or predict all PAIRS of a file, which has columns of users and items, into --out; ratings in
    the file are copied as "actual". An unknown user or item is predicted as the average one, with
    a note.
    """
    if pairs is not None:
        if user is not None or items or as_json or out is None:
            raise click.UsageError("PAIRS go into --out FILE, without --user, --item and --json")
        predict_file(model_path, pairs, Path(out))
    elif user is None or not items or out is not None:
        raise click.UsageError("give --user and --item, or PAIRS and --out FILE")
    else:
        show_predictions(load(model_path), user, items, as_json)


def predict_file(model_path: str, pairs: str, out: Path) -> None:
    """The predictions for the pairs of a file, into another."""
    check_table_file(out)
    predictions = load(model_path).predict(pairs)
    columns = predictions.frame_columns() | {"score": predictions.score}
    write_table(out, [columns])
    unknown = predictions.known.count(False)
    note = f"; {unknown:,} of an unknown user or item" if unknown else ""
    say(f"{counted(len(predictions), 'prediction')} in {out}{note}")


def show_predictions(model: "Model", user: str, items: Sequence[str], as_json: bool) -> None:
    """The predictions for one user, on standard output."""
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
