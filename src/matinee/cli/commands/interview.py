"""``matinee interview MODEL``: a few questions at the terminal, then what to watch, and why."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from matinee.cli.commands.recommend import print_list, rows_for
from matinee.cli.console import json_option, print_json, say, width, wrap
from matinee.cli.options.model import load, model_argument
from matinee.cli.options.newcomer import NAME
from matinee.cli.options.numbers import Whole
from matinee.display.text import counted

if TYPE_CHECKING:
    from matinee.data.scale import Scale
    from matinee.models.interview import Interview

NOT_SEEN, ENOUGH = "s", "q"


@click.command("interview")
@model_argument
@click.option(
    "--questions",
    type=Whole(1),
    default=10,
    show_default=True,
    help="Number of answers; films not seen do not count.",
)
@click.option(
    "-n", "n", type=Whole(1), default=10, show_default=True, help="How many to recommend."
)
@json_option
def command(model_path: str, questions: int, n: int, as_json: bool) -> None:
    """Ask about a few films, then recommend.

    Each film is the one that would tell the most about your taste. Answer with stars, s for a film
    you have not seen, q for enough. Answers can also be piped in, one per line.
    """
    from matinee.models.interview import Interview

    model = load(model_path)
    interview = Interview(model)
    say(f"How many stars, {model.scale}? {NOT_SEEN} = not seen, {ENOUGH} = enough")
    interview = answer_questions(interview, questions)
    person = interview.person(NAME)
    known = f"from {counted(len(interview.answers), 'answer')}"
    if person.strategy == "popular":
        known = "though nothing is known of you: what people like on average"
    say(f"\nwhat to watch, {known}")
    rows = rows_for(model, person, n, True, True)
    if as_json:
        print_json(
            {
                "answers": dict(interview.answers),
                "strategy": person.strategy,
                "recommendations": rows,
            }
        )
    else:
        print_list(model, rows)
        say(wrap(model.ranker.score_in_words, width()))


def answer_questions(interview: "Interview", questions: int) -> "Interview":
    """The interview after its answers; it ends with enough of them, at q, or with the input."""
    lines: Iterator[str] = input_lines()
    while len(interview.answers) < questions:
        question = interview.question
        if question is None:
            say("there are no more films to ask about")
            break
        number = len(interview.answers) + 1
        click.echo(
            f"{number:>2}/{questions}  {question.title}: ", nl=not sys.stdin.isatty(), err=True
        )
        word: str = next(lines, ENOUGH).casefold()
        if word == ENOUGH:
            say()
            return interview
        if word in (NOT_SEEN, ""):
            interview = interview.unseen(question.item_id)
            continue
        stars = stars_of(word, interview.model.scale)
        if stars is None:
            say(f"      {word!r} is not one of {interview.model.scale}, {NOT_SEEN}, {ENOUGH}")
            continue
        interview = interview.answered(question.item_id, stars)
    return interview


def input_lines() -> Iterator[str]:
    """The lines of standard input, as they arrive."""
    for line in sys.stdin:
        yield line.strip()


def stars_of(word: str, scale: "Scale") -> float | None:
    """The stars that a word means; None where it is no number on the scale."""
    try:
        stars = float(word.replace(",", "."))
    except ValueError:
        return None
    return stars if scale.low <= stars <= scale.high else None
