"""``matinee recommend MODEL --user ID``: what to watch tonight, and why."""

from typing import TYPE_CHECKING, Any

import click

from matinee.cli.model import load, model_argument
from matinee.cli.output import json_option, listed, print_json, width, wrap
from matinee.cli.talk import say

if TYPE_CHECKING:
    from matinee.models import Model

PERSONAL = 0.5  # a smaller share of an item's lead than this is not the user's own


@click.command("recommend")
@model_argument
@click.option(
    "--user", "users", required=True, multiple=True, metavar="ID",
    help="Whom to recommend to; may be given again for others.",
)  # fmt: skip
@click.option("-n", "n", type=int, default=10, show_default=True, help="How many.")
@click.option("--why", is_flag=True, help="Add the reasons.")
@click.option("--include-seen", is_flag=True, help="Also what the user has rated.")
@json_option
def command(
    model_path: str, users: tuple[str, ...], n: int, why: bool, include_seen: bool, as_json: bool
) -> None:
    """Show the best items for a user, and why."""
    model = load(model_path)
    lists = {user: rows_for(model, user, n, why, not include_seen) for user in users}
    for user, rows in lists.items():
        if len(rows) < n:
            say(f"note: {len(rows)} of {n} for user {user}; there are no more")
    if as_json:
        print_json(flat(lists))
        return
    for place, (user, rows) in enumerate(lists.items()):
        if len(lists) > 1:
            click.echo(("\n" if place else "") + f"user {user}")
        print_list(rows)


def rows_for(
    model: "Model", user: str, n: int, why: bool, exclude_seen: bool
) -> list[dict[str, Any]]:
    """The list of one user as plain rows, with sentence and reasons where asked for."""
    rows = model.recommend(user, n, exclude_seen=exclude_seen).to_dicts()
    if why:
        for row in rows:
            explanation = model.explain(user, row["item_id"])
            row["why"] = explanation.sentence()
            row["reasons"] = [term.to_dict() for term in explanation]
            row["personal"] = model.how_personal(user, row["item_id"])
            said = {term.kind for term in explanation.reasons()}
            if row["personal"] < PERSONAL and not said <= {"item", "user"}:
                row["why"] = f"{row['why'].removesuffix('.')}; more popular than personal."
    return rows


def flat(lists: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """All lists as one; rows name their user where there are several."""
    if len(lists) == 1:
        return next(iter(lists.values()))
    return [{"user_id": user, **row} for user, rows in lists.items() for row in rows]


def print_list(rows: list[dict[str, Any]]) -> None:
    """A list for people, each item followed by its reason where there is one."""
    heading, *lines = listed(rows, "score")
    click.echo(heading)
    for row, line in zip(rows, lines, strict=True):
        click.echo(line)
        if "why" in row:
            reason = row["why"].removeprefix(f"{row['title']}, ")
            click.echo(wrap(f"      {reason}", width()))
