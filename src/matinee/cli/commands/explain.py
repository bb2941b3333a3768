"""``matinee explain MODEL --user ID --item ID``: the reasons, which add up to the score.

And what sets the item apart from another, and what would change where it stands.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import matinee
from matinee.cli.console import json_option, print_json, say, show, styled, wrap
from matinee.cli.options.list_weights import ListWeights, weight_options
from matinee.cli.options.model import WORDS_HELP, find_item_by_words, model_argument
from matinee.cli.options.newcomer import (
    Newcomer,
    check_one_way,
    newcomer_options,
    number,
    pairs,
)
from matinee.cli.options.numbers import Whole
from matinee.display.plain_data import JsonObject
from matinee.errors import BadSetting
from matinee.explain.views import VIEWS

if TYPE_CHECKING:
    from matinee.explain.explanation import Explanation
    from matinee.models import Model, Person
    from matinee.models.certainty import Certainty
    from matinee.models.standing import Standing


@click.command("explain")
@model_argument
@click.option("--user", metavar="ID", help="Id of the user.")
@newcomer_options
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
    "--taste-times",
    multiple=True,
    metavar="TASTE=TIMES,..",
    help="Where it would stand did a taste, by name or number, count so many times (0: not at "
    "all); may be given again.",
)
@click.option(
    "--counterfactual", is_flag=True, help="The fewest ratings without which it leaves the list."
)
@click.option(
    "--standing",
    "stands",
    is_flag=True,
    help="Its rank of all, what sets it apart from the last of the list, and what would bring it "
    "in or take it out.",
)
@click.option("-n", "n", type=Whole(1), help="Length of the list; 10 unless given.")
@weight_options
@click.option("--receipt", metavar="FILE", help="Also write sum, rank, model and data as an SVG.")
@json_option
def command(
    model_path: str,
    user: str | None,
    newcomer: Newcomer,
    item: str,
    by: str | None,
    of: str | None,
    versus: str | None,
    without: tuple[str, ...],
    change: tuple[str, ...],
    taste_times: tuple[str, ...],
    counterfactual: bool,
    stands: bool,
    n: int | None,
    weights: ListWeights,
    receipt: str | None,
    as_json: bool,
) -> None:
    """Show the reasons for one score; they add up to it."""
    questions = {
        "--versus": versus is not None,
        "--without, --change or --taste-times": bool(without or change or taste_times),
        "--counterfactual": counterfactual,
        "--standing": stands,
    }
    several = [name for name, present in questions.items() if present]
    check_together(several, {"--by": by, "--of": of}, {"--receipt": receipt}, n)
    check_one_way("say whose score it is by one of", {"--user": user, **newcomer.ways})
    model = weights.load(model_path)
    person = newcomer.person(model) if user is None else model.person(user)
    row = find_item_by_words(model, item)
    answer: Any
    if without or change or taste_times:
        removed = [find_item_by_words(model, one) for one in without]
        answer = model.what_if(
            person, row, without=removed, change=changes(model, change), tastes=times(taste_times)
        )
    elif counterfactual:
        answer = model.counterfactual(person, row, 10 if n is None else n)
    elif stands:
        from matinee.models.standing import standing

        answer = standing(model, person, row, 10 if n is None else n)
    elif versus is not None:
        answer = model.explain(person, row, by, versus=find_item_by_words(model, versus), of=of)
    else:
        answer = model.explain(person, row, by, of=of)
    if several:
        print_json(answer.to_dict()) if as_json else show(answer)
        return
    show_reasons(model, person, answer, 10 if n is None else n, receipt, as_json)


def show_reasons(
    model: "Model",
    person: "Person",
    why: "Explanation",
    n: int,
    receipt: str | None,
    as_json: bool,
) -> None:
    """Show one explanation, the place of its item in a list of ``n``, and what it rests on."""
    from matinee.models.certainty import in_words
    from matinee.models.standing import place_in_list, standing

    certain = certainty_of(model, person, why.item_id)
    if receipt is None:
        place = place_in_list(model, person, why.item_id, n)
    else:
        place = stands = standing(model, person, why.item_id, n)
        write_receipt(model, why, stands, certain, receipt)
    if as_json:
        ranks = {"rank": place.rank, "n_ranked": place.n_ranked, "is_listed": place.is_listed}
        print_json(why.to_dict() | plain(certain) | ranks)
        return
    show(why)
    for sentence in (place.sentence(), in_words(certain)):
        click.echo(styled(wrap(sentence), "dim"))


def check_together(
    questions: list[str],
    of_reasons: dict[str, str | None],
    of_one_score: dict[str, str | None],
    n: int | None,
) -> None:
    """Raise BadSetting for two questions at once, or an option that goes with another question."""
    if len(questions) > 1:
        raise BadSetting(f"{' and '.join(questions)} are different questions; ask one at a time")
    if n is not None and not {*questions} <= {"--counterfactual", "--standing"}:
        raise BadSetting("-n goes with reasons, --counterfactual and --standing")
    for name in (name for name, value in of_one_score.items() if value is not None and questions):
        raise BadSetting(f"{name} goes with reasons, not with {questions[0]}")
    for name in (name for name, value in of_reasons.items() if value is not None):
        if questions and questions != ["--versus"]:
            raise BadSetting(f"{name} goes with reasons and --versus, not with {questions[0]}")


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
    factors = pairs(",".join(texts), "--taste-times", "Horror=0 or, by number, 3=2")
    return {
        taste: number(f"the factor for taste {taste!r} is", text) for taste, text in factors.items()
    }


def certainty_of(model: "Model", person: "Person", item: str) -> "Certainty":
    """The certainty of a score; without an interval for what is rated already."""
    from matinee.models.certainty import certainty

    known = certainty(model, person, item)
    rated = model.items.row(item) in person.items
    return known._replace(interval=None) if rated else known


def plain(certain: "Certainty") -> JsonObject:
    """A certainty in plain data; an interval stands there only where there is one."""
    return {name: value for name, value in certain.to_dict().items() if value is not None}


def write_receipt(
    model: "Model", why: "Explanation", stands: "Standing", certain: "Certainty", path: str
) -> None:
    """Write the receipt of an explanation to an SVG file. Raises BadSetting for another name."""
    from matinee.charts.receipt import Origin, Receipt
    from matinee.disk.places import check_parent
    from matinee.disk.whole_files import write_whole

    if not path.lower().endswith(".svg"):
        raise BadSetting(f"--receipt is {path!r}; a receipt is a picture: end its name in .svg")
    check_parent(Path(path))
    version = f"{model.algorithm} {matinee.__version__}"
    origin = Origin.now(version, model.data_fingerprint)
    write_whole(Path(path), Receipt(why, stands, certain, origin).svg())
    say(f"receipt in {path}")
