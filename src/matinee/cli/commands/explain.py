"""``matinee explain MODEL --user ID --item ID``: the reasons, which add up to the score.

And what sets the item apart from another, and what would change where it stands.
"""

from typing import TYPE_CHECKING, Any

import click

from matinee.cli.console import json_option, print_json, wrap
from matinee.cli.options.model import WORDS_HELP, find_item_by_words, load, model_argument
from matinee.cli.options.newcomer import number, pairs
from matinee.display.text import counted
from matinee.errors import BadSetting
from matinee.explain.views import VIEWS

if TYPE_CHECKING:
    from matinee.models import Model


@click.command("explain")
@model_argument
@click.option("--user", required=True, metavar="ID", help="Id of the user.")
@click.option("--item", required=True, metavar="ID", help=WORDS_HELP)
@click.option(
    "--by",
    metavar="|".join(VIEWS),
    help=f"How to take the score apart: {', '.join(view.label for view in VIEWS.values())}.",
)
@click.option(
    "--of",
    metavar="list|stars",
    help="Which number to take apart: the score that ranks, or the stars predicted.",
)
@click.option("--versus", metavar="ID", help="What sets the item apart from this one.")
@click.option(
    "--without",
    multiple=True,
    metavar="ID",
    help="Where it would stand without the user's rating of this item; may be given again.",
)
@click.option(
    "--change",
    multiple=True,
    metavar="ID=RATING",
    help="Where it would stand had the user rated this item so; may be given again.",
)
@click.option(
    "--tastes",
    multiple=True,
    metavar="TASTE=TIMES",
    help="Where it would stand did a taste, by name or number, count so many times (0: not at "
    "all); may be given again.",
)
@click.option(
    "--counterfactual", is_flag=True, help="The fewest ratings without which it leaves the list."
)
@click.option("-n", "n", type=int, help="Length of that list; 10 unless given.")
@json_option
def command(
    model_path: str,
    user: str,
    item: str,
    by: str | None,
    of: str | None,
    versus: str | None,
    without: tuple[str, ...],
    change: tuple[str, ...],
    tastes: tuple[str, ...],
    counterfactual: bool,
    n: int | None,
    as_json: bool,
) -> None:
    """Show the reasons for one score; they add up to it."""
    questions = {
        "--versus": versus is not None,
        "--without, --change or --tastes": bool(without or change or tastes),
        "--counterfactual": counterfactual,
    }
    several = [name for name, present in questions.items() if present]
    if len(several) > 1:
        raise BadSetting(f"{' and '.join(several)} are different questions; ask one at a time")
    if by is not None and several and versus is None:
        raise BadSetting(f"--by goes with reasons and --versus, not with {several[0]}")
    if of is not None and several and versus is None:
        raise BadSetting(f"--of goes with reasons and --versus, not with {several[0]}")
    if n is not None and not counterfactual:
        raise BadSetting("-n goes with --counterfactual")
    model = load(model_path)
    row = find_item_by_words(model, item)
    answer: Any
    if without or change or tastes:
        removed = [find_item_by_words(model, one) for one in without]
        answer = model.what_if(
            user, row, without=removed, change=changes(model, change), tastes=times(tastes)
        )
    elif counterfactual:
        answer = model.counterfactual(user, row, 10 if n is None else n)
    elif versus is not None:
        answer = model.explain(user, row, by, versus=find_item_by_words(model, versus), of=of)
    else:
        answer = model.explain(user, row, by, of=of)
    certain = {} if several else certainty_of(model, user, row)
    if as_json:
        print_json(answer.to_dict() | certain)
        return
    click.echo(wrap(str(answer)))
    if certain:
        click.echo(wrap(in_words(certain)))


def changes(model: "Model", texts: tuple[str, ...]) -> dict[object, float]:
    """``{item: rating}`` of the texts ``ITEM=RATING``. Raises BadSetting for another form."""
    ratings: dict[object, float] = {}
    for text in texts:
        item, _, rating = text.rpartition("=")
        try:
            if not item:
                raise ValueError(text)
            stars = float(rating)
        except ValueError:
            raise BadSetting(
                f"--change is {text!r}; write ITEM=RATING, such as 'Heat (1995)=4'"
            ) from None
        ratings[find_item_by_words(model, item)] = stars
    return ratings


def times(texts: tuple[str, ...]) -> dict[object, float]:
    """``{taste: times}`` of the texts ``TASTE=TIMES``. Raises BadSetting for another form."""
    factors = pairs(",".join(texts), "--tastes", "Horror=0 or, by number, 3=2")
    return {
        taste: number(f"the factor for taste {taste!r} is", text) for taste, text in factors.items()
    }


def certainty_of(model: "Model", user: str, item: str) -> dict[str, Any]:
    """The certainty of a score, in plain data; without an interval for what is rated already."""
    from matinee.models.certainty import certainty

    plain = certainty(model, user, item).to_dict()
    if plain["interval"] is None or model.items.row(item) in model.rated(user):
        del plain["interval"]
    return plain


def in_words(certain: dict[str, Any]) -> str:
    """A certainty as a sentence or two."""
    by_user, of_item = certain["evidence"].values()
    sentence = f"It rests on {counted(by_user, 'rating')} by you and {of_item:,} of it."
    if "interval" in certain:
        low, high = certain["interval"]["low"], certain["interval"]["high"]
        sentence += f" With a chance of 80 % you would rate it from {low:.1f} to {high:.1f}."
    return sentence
