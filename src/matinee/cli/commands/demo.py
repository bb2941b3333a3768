"""``matinee demo``: everything at once, on the embedded sample."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from matinee.cli.commands.serve import start
from matinee.cli.compile_ahead import compiling_ahead
from matinee.cli.console import (
    bold,
    json_option,
    painted,
    print_json,
    program,
    ranked_list,
    say,
    styled,
    width,
    wrap,
)
from matinee.cli.options.numbers import Whole
from matinee.cli.progress import progress
from matinee.cli.taste_cards import cards
from matinee.display.optional import SERVE
from matinee.display.plain_data import JsonObject
from matinee.display.text import counted, percent, seconds
from matinee.display.text_table import aligned

if TYPE_CHECKING:
    from matinee.cli.walkthrough import Demo
    from matinee.data.describe import Description
    from matinee.evaluation.popular_lists import ListPair

HEADINGS = {
    "rmse": "RMSE",
    "mae": "MAE",
    "ndcg@10": "NDCG@10",
    "precision@10": "Precision@10",
    "recall@10": "Recall@10",
    "coverage@10": "coverage",
    "fit_seconds": "fit",
}
LOWER_IS_BETTER = {"rmse", "mae"}
TOP_FILMS = 5
LIKES = 3  # of the tastes of the person
NEEDED = ("nmf", "mf", "implicit-als", "slim")  # what another process helps to compile


@click.command("demo")
@click.option(
    "--out",
    default="matinee-demo",
    show_default=True,
    metavar="FOLDER",
    help="Folder for the model.",
)
@click.option("--serve", "serving", is_flag=True, help="Then open the page on the model.")
@click.option(
    "--port",
    type=Whole(0, 65535),
    default=8765,
    show_default=True,
    help="Port of the page; 0 finds a free one.",
)
@json_option
def command(out: str, serving: bool, port: int, as_json: bool) -> None:
    """Try everything at once, on simulated ratings of real films.

    The report goes to standard error; with --json, one JSON document goes to standard output.
    """
    from matinee.storage.model_files import check_place

    if serving:
        SERVE.require("this command")
    check_place(Path(out))
    say("matinee demo, on simulated ratings; the first time, some seconds go to compiling")
    with compiling_ahead() as ahead, progress("demo", every=0) as step:
        ahead.share(NEEDED)
        from matinee.cli.walkthrough import run  # meanwhile the other process begins

        demo = run(Path(out), step, ahead.compile_here)
    if as_json:
        print_json(demo.to_dict() | {"next": commands(demo)})
    else:
        say("\n".join(report(demo, width(sys.stderr))))
    if serving:
        serve(demo, port)


def serve(demo: "Demo", port: int) -> None:
    """The page on the demo's model, with what the demo has measured, until interrupted."""
    from matinee.evaluation.recorded import RecordedComparison
    from matinee.server.evaluation_record import EvaluationRecord
    from matinee.server.settings import Endpoint, ServerSettings

    evaluation = EvaluationRecord([RecordedComparison(demo.rows, demo.comparison.origin)])
    settings = ServerSettings(demo.saved, Endpoint(port=port), evaluation=evaluation)
    start(settings, show=True)


def commands(demo: "Demo") -> list[str]:
    """The commands to try next, as they can be typed here."""
    return [f"{program()} {shlex.join(arguments)}" for arguments in demo.next_arguments]


def report(demo: "Demo", columns: int) -> list[str]:
    """The lines of the whole report."""
    why = demo.explanation
    _, *reasons = why.lines(columns)
    return [
        *section("The data: simulated ratings of real films", data(demo.description, columns)),
        *section("How well each algorithm does on held-out ratings", comparison(demo, columns)),
        *section("The tastes that nmf found", cards(demo.tastes, TOP_FILMS, columns, sys.stderr)),
        *section(
            f"For user {demo.shown.user_id}, who rated {counted(demo.shown.n_rated, 'film')}",
            tops(demo, columns),
        ),
        *section(
            f"Why {why.title} for {why.user}",
            [*wrap(why.total, columns).split("\n"), *painted(reasons, columns, sys.stderr)],
        ),
        *section("Next", ending(demo)),
    ]


def section(title: str, lines: list[str]) -> list[str]:
    """A title and the lines below it."""
    return ["", bold(title, sys.stderr), "", *lines]


def data(about: "Description", columns: int) -> list[str]:
    """What is in the ratings."""
    from matinee.data.describe import bars

    return [
        *wrap(
            "The films are real; the people and their ratings are made up by a simulator.\n"
            f"{counted(about.n_users, 'user')}, {counted(about.n_items, 'film')}, "
            f"{counted(about.n_ratings, 'rating')}: "
            f"sparsity {percent(about.sparsity, 1)}, mean {about.mean:.2f} stars",
            columns,
        ).split("\n"),
        "",
        *painted(bars(about.grouped()).lines(columns), columns, sys.stderr),
    ]


def comparison(demo: "Demo", columns: int) -> list[str]:
    """The metrics of each algorithm, the best of each column in bold."""
    rows = demo.rows
    names = [name for name in HEADINGS if name in rows[0]]
    cells = [["", *(HEADINGS[name] for name in names)]]
    cells += [[row["algorithm"], *(figure(name, row[name]) for name in names)] for row in rows]
    table = aligned(cells)
    for place, name in enumerate(names, start=1):
        for row in best_rows(rows, name):
            table[row + 1][place] = styled(table[row + 1][place], "best", sys.stderr)
    heading, *lines = ("  ".join(row).rstrip() for row in table)
    return [
        styled(heading, "dim", sys.stderr),
        *lines,
        "",
        *wrap(notes(demo), columns).split("\n"),
    ]


def notes(demo: "Demo") -> str:
    """Notes on the table of metrics."""
    changed = "; ".join(
        f"{row['algorithm']} has {', '.join(f'{name}={v}' for name, v in row['settings'].items())}"
        for row in demo.rows
        if row["settings"]
    )
    return (
        f"Held out: {demo.comparison.split}. Lists of 10 rank all films that a user had not "
        f"rated; coverage is the share of films in any list. {changed}; mf is what fit takes for "
        "stars, and all else is by default. "
        "Popularity gives an order and no stars, so it has no RMSE. bias, nmf and mf list by what "
        "people choose and how they rate it; truncated-svd by stars alone (see docs/choosing.md)."
    )


def figure(name: str, value: float | None) -> str:
    """A metric as it is shown."""
    if value is None:
        return "–"
    if name == "fit_seconds":
        return seconds(value)
    return percent(value) if name.startswith("coverage") else f"{value:.3f}"


def best_rows(rows: list[JsonObject], name: str) -> list[int]:
    """The rows with the best value of a metric; none for times."""
    if name == "fit_seconds":
        return []
    figures = [figure(name, row[name]) for row in rows]
    known = [row[name] for row in rows if row[name] is not None]
    best = figure(name, min(known) if name in LOWER_IS_BETTER else max(known))
    return [place for place, text in enumerate(figures) if text == best]


def tops(demo: "Demo", columns: int) -> list[str]:
    """The tastes of the person, the films that score best for them, and why they are shown."""
    likes = ", ".join(
        f"{name} {percent(share)}" for name, share in list(demo.profile.items())[:LIKES]
    )
    rows = demo.recommendations.to_dicts()
    films = ranked_list(rows, "score", columns, with_ids=False, stream=sys.stderr)
    return [
        f"likes {likes}",
        "",
        *films,
        "",
        *wrap(demo.recommendations.caption, columns).split("\n"),
        "",
        *wrap(why_shown(demo.shown), columns).split("\n"),
    ]


def why_shown(shown: "ListPair") -> str:
    """By what rule the person is the one shown."""
    return (
        "shown: of the middle half of all people by number of ratings, the one whose list is least "
        f"like popularity; {shown.shared or 'none'} of the {len(shown.popular)} most rated films "
        "that they have not rated are in it"
    )


def ending(demo: "Demo") -> list[str]:
    """Where the model is, and what to try next."""
    took = (
        f"All this took {seconds(demo.seconds)}. The model is in {demo.saved}, "
        f"a report with pictures in {demo.report}"
    )
    return [took, "Try:", *(f"  {command}" for command in commands(demo))]
