"""``matinee refit MODEL``: a new model from old ratings and the feedback since."""

import time
from pathlib import Path

import click

from matinee.cli.console import json_option, print_json, say
from matinee.cli.exit_codes import NOT_DUE
from matinee.cli.options.model import load, model_argument
from matinee.cli.options.numbers import Whole
from matinee.cli.options.reading import ReadOptions, reading_options
from matinee.cli.progress import epochs_of
from matinee.display.optional import SERVE
from matinee.display.plain_data import JsonObject
from matinee.display.text import counted, seconds


@click.command("refit")
@model_argument
@click.option(
    "--store",
    envvar="MATINEE_STORE",
    show_envvar=True,
    metavar="PLACE",
    help="Where feedback is: a file (SQLite), or postgresql://...; the file beside "
    "MODEL unless given.",
)
@click.option("--data", metavar="DATA", help="The old ratings; those stored in MODEL unless given.")
@click.option(
    "--out",
    required=True,
    metavar="FOLDER",
    help="Folder for the new model; may be MODEL itself.",
)
@click.option(
    "--min-events",
    type=Whole(1),
    metavar="N",
    help="With fewer new events do nothing and exit with 6, unless a user of MODEL was erased.",
)
@reading_options
@json_option
def command(
    model_path: str,
    store: str | None,
    data: str | None,
    out: str,
    min_events: int | None,
    reading: ReadOptions,
    as_json: bool,
) -> int:
    """Refit a model with the feedback since.

    The new model is fitted on the old ratings and the feedback, with MODEL's settings. Erased users
    are left out. A server answers from the new model after POST /v1/admin/reload. New events are
    the ratings since the last refit of MODEL, and other feedback that counts as a rating.
    """
    SERVE.require("this command", "sqlalchemy")
    from matinee.feedback.model_refit import later_feedback, refit, save_refitted
    from matinee.feedback.store import existing_store
    from matinee.storage.model_files import check_place, manifest_digest

    check_place(Path(out))
    in_place = Path(out).resolve() == Path(model_path).resolve()
    replaced = manifest_digest(Path(model_path)) if in_place else None
    model = load(model_path)
    opened = existing_store(Path(model_path), store)
    later = later_feedback(model, opened)
    if min_events is not None and not later.suffices(min_events):
        opened.close()
        return not_due(later.n_events, min_events, as_json)
    ratings = reading.read(data) if data is not None else None
    started = time.perf_counter()
    with epochs_of(model.algorithm) as on_epoch:
        fitted = refit(model, opened, ratings, on_epoch)
    opened.close()
    duration = time.perf_counter() - started
    save_refitted(fitted, Path(out), replaced)
    summary: JsonObject = {
        "refitted": True,
        "new_events": later.n_events,
        "algorithm": fitted.algorithm,
        "model": out,
        "users": len(fitted.users),
        "items": len(fitted.items),
        "ratings": len(fitted.seen.values),
        "ratings_before": len(model.seen.values),
        "fit_seconds": duration,
    }
    say(
        f"refitted {summary['algorithm']} in {seconds(duration)}: "
        f"{counted(summary['ratings'], 'rating')} "
        f"(before: {summary['ratings_before']:,}), {counted(summary['users'], 'user')}, "
        f"{counted(summary['items'], 'item')}"
    )
    say(f"saved in {out}")
    if as_json:
        print_json(summary)
    return 0


def not_due(n_events: int, min_events: int, as_json: bool) -> int:
    """Say that there are too few new events for a refit; returns the exit code."""
    say(
        f"not refitted: {counted(n_events, 'new event')} since the last refit, and --min-events "
        f"is {min_events:,}; without that option the model is refitted at once"
    )
    if as_json:
        print_json({"refitted": False, "new_events": n_events, "min_events": min_events})
    return NOT_DUE
