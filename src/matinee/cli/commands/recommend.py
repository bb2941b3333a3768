"""``matinee recommend MODEL --user ID``: what to watch tonight, and why; also for newcomers."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from matinee.cli.console import json_option, print_json, ranked_list, say, styled, width, wrap
from matinee.cli.options.engine import EngineOptions, engine_options
from matinee.cli.options.list_rules import RuleOptions, rule_options
from matinee.cli.options.list_weights import ListWeights, weight_options
from matinee.cli.options.model import model_argument
from matinee.cli.options.newcomer import (
    NAME,
    Newcomer,
    check_one_way,
    from_file,
    newcomer_options,
)
from matinee.cli.options.numbers import Whole
from matinee.cli.options.values import gathered
from matinee.cli.progress import progress
from matinee.cli.spark_jobs import lists_on_spark
from matinee.disk.table_files import check_table_file
from matinee.display.optional import POSTGRESQL
from matinee.display.plain_data import JsonObject
from matinee.display.text import counted
from matinee.errors import BadSetting, UnknownId, did_you_mean
from matinee.list_store.stored_list import is_database, without_secrets
from matinee.list_store.writing import save_lists
from matinee.storage.model_files import model_fingerprint

if TYPE_CHECKING:
    from matinee.lists.list_rules import RuleArguments
    from matinee.models import Model, Person

Row = JsonObject
SCORE_OF_GROUP = {  # by how it is combined
    "average": "the score is the mean of how high something stands in each one's own order of all: "
    "0 is the middle, 2 better than 98 % of it, 3 than 99.9 %",
    "least-misery": "the score is how high something stands in the order of whom it suits least: "
    "0 is the middle, 2 better than 98 % of it, 3 than 99.9 %",
    "fair-share": "the score is that of the person whose turn it is",
}

BELOW_ALL = "below the average of everybody in the group"


@dataclass(frozen=True)
class Audience:
    """The users to recommend to, named in exactly one of several ways."""

    users: tuple[str, ...]
    together: str | None  # the members of a group: ids, or files of ratings; commas between them
    how: str | None  # how the opinions of a group are combined

    def ways(self, newcomer: Newcomer) -> dict[str, object]:
        """The value of each option that names users."""
        return {"--user": self.users, **newcomer.ways, "--for": self.together}

    def check(self, newcomer: Newcomer) -> None:
        """Raise BadSetting unless exactly one option names the users."""
        if self.together and newcomer.ratings_path:
            raise BadSetting(
                "--for names everybody of a group; put the file there too, as --for "
                f"{self.together},{newcomer.ratings_path}, and leave out --ratings"
            )
        check_one_way("say whom to recommend to by one of", self.ways(newcomer))
        if self.how and not self.together:
            raise BadSetting("--how goes with --for ID,ID")

    def members(self, model: "Model") -> "list[str | Person]":
        """The members of a group: ids, and newcomers, each called as their file.

        Raises UnknownId for what is neither an id nor a file.
        """
        texts = [text.strip() for text in (self.together or "").split(",")]
        return [member(model, text) for text in texts if text]

    def people(self, model: "Model", newcomer: Newcomer) -> dict[str, object]:
        """Trained users by id, or the newcomer, as ``recommend`` takes them."""
        if self.users:
            return {user: user for user in self.users}
        return {NAME: newcomer.person(model)}


@dataclass(frozen=True)
class ListOptions:
    """The length of a list, what it may hold, and how it is ranked."""

    n: int
    why: bool
    include_seen: bool

    @property
    def exclude_seen(self) -> bool:
        """Whether items that the user has rated are left out."""
        return not self.include_seen


audience_options = gathered(
    "audience",
    Audience,
    click.option(
        "--user",
        "users",
        multiple=True,
        metavar="ID",
        help="Whom to recommend to; may be given again for others.",
    ),
    click.option(
        "--for",
        "together",
        metavar="WHO,WHO,..",
        help="One list for several together: ids of users, and files of ratings of somebody new.",
    ),
    click.option(
        "--how",
        metavar="average|least-misery|fair-share",
        help="How --for makes one list of several opinions; average unless given.",
    ),
)

list_options = gathered(
    "listing",
    ListOptions,
    click.option("-n", "n", type=Whole(1), default=10, show_default=True, help="How many."),
    click.option("--why", is_flag=True, help="Add the reasons."),
    click.option("--include-seen", is_flag=True, help="Also what the user has rated."),
)


@click.command("recommend")
@model_argument
@audience_options
@newcomer_options
@list_options
@weight_options
@rule_options
@click.option("--all", "everybody", is_flag=True, help="A list for every user, into --out.")
@click.option(
    "--out",
    metavar="PLACE",
    help="Where the lists of --all go: a .parquet or .csv file, with Spark a folder of Parquet; or "
    "postgresql://...",
)
@engine_options
@json_option
def command(
    model_path: str,
    audience: Audience,
    newcomer: Newcomer,
    listing: ListOptions,
    weights: ListWeights,
    rules: RuleOptions,
    everybody: bool,
    out: str | None,
    engine: EngineOptions,
    as_json: bool,
) -> None:
    """Show the best items for a user, and why.

    Also for somebody new, by their ratings, tastes or features, and for several together; with
    --all for everybody, into a file.
    """
    if engine.is_spark:
        others = {
            **audience.ways(newcomer),
            **dict.fromkeys(weights.given, True),
            "--json": as_json,
        }
        others |= {"--include-seen": listing.include_seen, "the rules": rules.given}
        lists_on_spark(model_path, engine, out, listing.n, listing.why, others)
        return
    if everybody or out is not None:
        refused = {**audience.ways(newcomer), "--why": listing.why, "--json": as_json}
        save_all(model_path, listing, weights, rules, everybody, out, refused)
        return
    audience.check(newcomer)
    if audience.together and rules.given:
        raise BadSetting("a list for several together has no rules; leave them out, or --for")
    model = weights.load(model_path)
    if audience.together:
        show_together(model, audience, listing, as_json)
    else:
        people = audience.people(model, newcomer)
        show_each(model, people, listing, weights, rules.arguments(model), as_json)


def save_all(
    model_path: str,
    listing: ListOptions,
    weights: ListWeights,
    rules: RuleOptions,
    everybody: bool,
    out: str | None,
    others: dict[str, object],
) -> None:
    """The lists of all users into a file; ``others`` are options that it cannot take."""
    if not everybody or out is None:
        raise BadSetting("--all and --out FILE go together: a list for every user")
    for name in (name for name, value in others.items() if value):
        raise BadSetting(f"--all makes a list for every user; leave out {name}")
    servable = not (listing.include_seen or weights.given or rules.given)
    if is_database(out):
        if not servable:
            raise BadSetting(
                "a database takes the lists that a server gives where it is asked for no others; "
                "leave out rules and weights, or name a file"
            )
        POSTGRESQL.require("a list for every user in a database")
    else:
        check_table_file(Path(out))
    model = weights.load(model_path)
    lists = model.recommend_all(
        listing.n, exclude_seen=listing.exclude_seen, **rules.arguments(model)
    )
    with progress("lists") as step:
        if servable and not out.endswith(".csv"):
            save_lists(lists, model_fingerprint(Path(model_path)), out, step)
        else:
            lists.save(out, step)
    say(f"lists of {listing.n} for {counted(len(lists), 'user')} in {without_secrets(out)}")


def show_each(
    model: "Model",
    people: dict[str, object],
    listing: ListOptions,
    weights: ListWeights,
    rules: "RuleArguments",
    as_json: bool,
) -> None:
    """One list for each of the people."""
    lists = {
        name: rows_for(model, person, listing.n, listing.why, listing.exclude_seen, rules)
        for name, person in people.items()
    }
    for name, rows in lists.items():
        if len(rows) < listing.n:
            reason = why_no_more(model, rules, len(rows))
            say(wrap(f"note: {len(rows)} of {listing.n} for user {name}; {reason}", width()))
    if as_json:
        print_json(flat(lists))
        return
    for place, (name, rows) in enumerate(lists.items()):
        if len(lists) > 1:
            click.echo(("\n" if place else "") + styled(f"user {name}", "bold"))
        print_list(model, rows)
    if any(lists.values()):
        meaning = f"{model.ranker.score_in_words}; matinee explain{weights.typed} shows the sum"
        say(wrap(meaning, width()))


def why_no_more(model: "Model", rules: "RuleArguments", n_listed: int) -> str:
    """Why a list is shorter than it should be: how many items each filter leaves."""
    from matinee.lists.list_rules import ListRules
    from matinee.lists.ruled_lists import filters

    left, steps = None, []
    for words, kept in filters(model, ListRules(**rules)):
        left = kept if left is None else left & kept
        steps.append(f"{words} leaves {left.sum():,}")
    if left is None:
        return "there are no more"
    if left.sum() > n_listed:
        steps.append(f"what is not rated yet leaves {n_listed:,}")
    return f"no others keep to the rules: of {counted(left.size, 'item')}, {', '.join(steps)}"


def show_together(model: "Model", audience: Audience, listing: ListOptions, as_json: bool) -> None:
    """One list for a group, with the score of each member, and why."""
    from matinee.models.group import below_everybody, recommend_together

    people, how = audience.members(model), audience.how or "average"
    users = [model.name_of(one) for one in people]
    group_list = recommend_together(
        model, people, listing.n, how, exclude_seen=listing.exclude_seen
    )
    rows = [
        {
            "rank": row["rank"],
            "item_id": row["item_id"],
            **({"title": row["title"]} if "title" in row else {}),
            "score": row["score"],
            **predicted_by(model, people, row["item_id"]),
            "scores": {user: row[user] for user in users},
            **({"turn": row["turn"]} if "turn" in row else {}),
        }
        for row in group_list.to_dicts()
    ]
    if len(rows) < listing.n:
        say(f"note: {len(rows)} of {listing.n} for these users; there are no more")
    below = below_everybody(model, people, model.items.rows(group_list.item_id))
    for row, is_below in zip(rows, below.tolist(), strict=True):
        row["below_all"] = is_below
    whys = group_list.explanations() if listing.why else []
    for row, why in zip(rows, whys, strict=False):
        row["why"] = {user: reasons.sentence() for user, reasons in why.items()}
    if as_json:
        print_json(rows)
        return
    heading, *lines = ranked_list(rows, "score")
    click.echo(heading)
    for place, (row, line) in enumerate(zip(rows, lines, strict=True)):
        click.echo(line)
        if row["below_all"]:
            click.echo(wrap(f"      {BELOW_ALL}", width()))
        own = row["scores"]
        for user in users:
            turn = " (their turn)" if row.get("turn") == user else ""
            reason = f", {whys[place][user].reason()}" if whys else ""
            stars = row.get("predicted")
            figure = f"{stars[user]:.2f} stars" if stars else f"{own[user]:.2f}"
            click.echo(wrap(f"      for {user}: {figure}{turn}{reason}", width()))
    say(wrap(SCORE_OF_GROUP[how], width()))


def member(model: "Model", text: str) -> "str | Person":
    """A member of a group: a user by id, or the newcomer whose ratings a file holds."""
    if text in model.users:
        return text
    if not Path(text).is_file():
        hint = did_you_mean(text, list(model.users))
        raise UnknownId(
            f"{text!r} is neither a user of the model nor a file of ratings here{hint}; a file "
            "holds item_id,rating or title,year,rating"
        )
    return from_file(model, text, Path(text).stem)


def predicted_by(
    model: "Model", people: "list[str | Person]", item: str
) -> dict[str, dict[str, float]]:
    """``predicted``, the rating of an item by each of some people; nothing where there is none."""
    if model.kind != "rating":
        return {}
    predicted = model.predict(people, item)
    return {"predicted": dict(zip(predicted.user_id, predicted.rating, strict=True))}


def rows_for(
    model: "Model",
    user: object,
    n: int,
    why: bool,
    exclude_seen: bool,
    rules: "RuleArguments | None" = None,
) -> list[Row]:
    """The list of one user as plain rows, with sentence and reasons if ``why``."""
    rows = model.recommend(user, n, exclude_seen=exclude_seen, **(rules or {})).to_dicts()
    if why:
        from matinee.explain.reasons import PUBLIC
        from matinee.models.certainty import MORE_POPULAR, PERSONAL

        explanations = model.explain_list(user, [row["item_id"] for row in rows])
        for row, explanation in zip(rows, explanations, strict=True):
            row["why"] = explanation.sentence()
            row["reasons"] = [term.to_dict() for term in explanation]
            row["personal"] = model.how_personal(user, row["item_id"])
            kinds = {term.kind for term in explanation.reasons()}
            share = row["personal"]
            if share is not None and share < PERSONAL and not kinds & {*PUBLIC, "user"}:
                row["why"] = f"{row['why'].removesuffix('.')}; {MORE_POPULAR}."
    return rows


def flat(lists: dict[str, list[Row]]) -> list[Row]:
    """All lists as one; rows name their user where there are several."""
    if len(lists) == 1:
        return next(iter(lists.values()))
    return [{"user_id": user, **row} for user, rows in lists.items() for row in rows]


def print_list(model: "Model", rows: list[Row]) -> None:
    """A list for people, each item followed by its reason where there is one."""
    if not rows:
        return
    heading, *lines = ranked_list(rows, "score")
    click.echo(heading)
    for row, line in zip(rows, lines, strict=True):
        click.echo(line)
        if row.get("moved"):
            click.echo(styled(f"      {row['moved']}", "dim"))
        if "why" in row:
            reason = row["why"].removeprefix(f"{model.catalog.called(row['item_id'])}, ")
            click.echo(styled(wrap(f"      {reason}", width()), "dim"))
