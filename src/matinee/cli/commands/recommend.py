"""``matinee recommend MODEL --user ID``: what to watch tonight, and why; also for newcomers."""

from typing import TYPE_CHECKING, Any

import click

from matinee.cli.console import json_option, print_json, ranked_list, say, width, wrap
from matinee.cli.options.engine import EngineOptions, engine_options
from matinee.cli.options.model import load, model_argument
from matinee.cli.options.newcomer import NAME, newcomer
from matinee.cli.spark_jobs import lists_on_spark
from matinee.errors import BadSetting

if TYPE_CHECKING:
    from matinee.models import Model

PERSONAL = 0.5  # a smaller share of an item's lead than this is not the user's own


@click.command("recommend")
@model_argument
@click.option(
    "--user",
    "users",
    multiple=True,
    metavar="ID",
    help="Whom to recommend to; may be given again for others.",
)
@click.option(
    "--ratings",
    "ratings_path",
    metavar="FILE",
    help="Somebody new, by their ratings: item_id,rating or title,year,rating; or what Letterboxd "
    "or IMDb export.",
)
@click.option(
    "--tastes",
    multiple=True,
    metavar="TASTE=POINTS,..",
    help="Somebody new, who shares 10 points among tastes, by name or number (see matinee "
    "tastes); may be given again.",
)
@click.option(
    "--features",
    metavar="NAME=VALUE,..",
    help="Somebody new, by what they tell, such as age=25,gender=F.",
)
@click.option("--for", "together", metavar="ID,ID,..", help="One list for several users together.")
@click.option(
    "--how",
    metavar="average|least-misery|fair-share",
    help="How --for makes one list of several opinions; average unless given.",
)
@click.option("-n", "n", type=int, default=10, show_default=True, help="How many.")
@click.option("--why", is_flag=True, help="Add the reasons.")
@click.option("--include-seen", is_flag=True, help="Also what the user has rated.")
@click.option(
    "--stars-weight",
    type=float,
    help="Points of choice that a star is worth; as learned unless given. 0 lists by choice alone, "
    "inf by stars alone.",
)
@click.option(
    "--caution",
    type=float,
    help="From safe (above 0) to adventurous (0, or below): holds back what few have rated.",
)
@click.option("--out", metavar="FOLDER", help="Spark: a list for everybody goes there, as Parquet.")
@engine_options
@json_option
def command(
    model_path: str,
    users: tuple[str, ...],
    ratings_path: str | None,
    tastes: tuple[str, ...],
    features: str | None,
    together: str | None,
    how: str | None,
    n: int,
    why: bool,
    include_seen: bool,
    stars_weight: float | None,
    caution: float | None,
    out: str | None,
    engine: EngineOptions,
    as_json: bool,
) -> None:
    """Show the best items for a user, and why.

    Also for somebody new, by their ratings, tastes or features, and for several together; on Spark
    for everybody.
    """
    ways: dict[str, object] = {
        "--user": users,
        "--ratings": ratings_path,
        "--tastes": tastes,
        "--features": features,
        "--for": together,
    }
    if engine.is_spark or out is not None:
        weights = {"--stars-weight": stars_weight, "--caution": caution}
        given: dict[str, object] = {name: value is not None for name, value in weights.items()}
        others: dict[str, object] = {
            **ways,
            **given,
            "--include-seen": include_seen,
            "--json": as_json,
        }
        lists_on_spark(model_path, engine, out, n, why, others)
        return
    only_one(ways)
    if how and not together:
        raise BadSetting("--how goes with --for ID,ID")
    model = load(model_path).weighed(stars_weight, caution)
    if together:
        show_together(model, together, how or "average", n, why, not include_seen, as_json)
        return
    people: dict[str, object] = {user: user for user in users}
    if not users:
        people = {NAME: newcomer(model, ratings_path, tastes, features)}
    lists = {name: rows_for(model, one, n, why, not include_seen) for name, one in people.items()}
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


def only_one(ways: dict[str, object]) -> None:
    """Raise BadSetting unless it is said in exactly one way whom to recommend to."""
    names = [name for name, value in ways.items() if value]
    if len(names) != 1:
        problem = f"{' and '.join(names)} are given" if names else "none is given"
        raise BadSetting(f"say by one of {', '.join(ways)} whom to recommend to; {problem}")


def show_together(
    model: "Model", together: str, how: str, n: int, why: bool, exclude_seen: bool, as_json: bool
) -> None:
    """One list for several users, what each makes of it, and why."""
    from matinee.models.group import recommend_together

    users = [user.strip() for user in together.split(",") if user.strip()]
    group_list = recommend_together(model, users, n, how, exclude_seen=exclude_seen)
    rows = [
        {
            "rank": row["rank"],
            "item_id": row["item_id"],
            "title": row["title"],
            "score": row["score"],
            "scores": {user: row[user] for user in users},
            **({"turn": row["turn"]} if "turn" in row else {}),
        }
        for row in group_list.to_dicts()
    ]
    if len(rows) < n:
        say(f"note: {len(rows)} of {n} for these users; there are no more")
    if why:
        for row in rows:
            row["why"] = {
                user: reasons.sentence() for user, reasons in group_list.why(row["item_id"]).items()
            }
    if as_json:
        print_json(rows)
        return
    heading, *lines = ranked_list(rows, "score")
    click.echo(heading)
    for row, line in zip(rows, lines, strict=True):
        click.echo(line)
        for user in users:
            turn = " (their turn)" if row.get("turn") == user else ""
            reason = ", " + row["why"][user].removeprefix(f"{row['title']}, ") if why else ""
            line_for_user = f"      for {user}: {row['scores'][user]:.2f}{turn}{reason}"
            click.echo(wrap(line_for_user, width()))


def rows_for(
    model: "Model", user: object, n: int, why: bool, exclude_seen: bool
) -> list[dict[str, Any]]:
    """The list of one user as plain rows, with sentence and reasons where asked for."""
    rows = model.recommend(user, n, exclude_seen=exclude_seen).to_dicts()
    if why:
        for row in rows:
            explanation = model.explain(user, row["item_id"])
            row["why"] = explanation.sentence()
            row["reasons"] = [term.to_dict() for term in explanation]
            row["personal"] = model.how_personal(user, row["item_id"])
            kinds = {term.kind for term in explanation.reasons()}
            if row["personal"] < PERSONAL and not kinds <= {"item", "user"}:
                row["why"] = f"{row['why'].removesuffix('.')}; more popular than personal."
    return rows


def flat(lists: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """All lists as one; rows name their user where there are several."""
    if len(lists) == 1:
        return next(iter(lists.values()))
    return [{"user_id": user, **row} for user, rows in lists.items() for row in rows]


def print_list(rows: list[dict[str, Any]]) -> None:
    """A list for people, each item followed by its reason where there is one."""
    heading, *lines = ranked_list(rows, "score")
    click.echo(heading)
    for row, line in zip(rows, lines, strict=True):
        click.echo(line)
        if "why" in row:
            reason = row["why"].removeprefix(f"{row['title']}, ")
            click.echo(wrap(f"      {reason}", width()))
