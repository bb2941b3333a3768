"""What ``fit`` says of the lists of its model: how they do beside popularity, and what to do."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from matinee.cli.console import program, say, width, wrap
from matinee.cli.options.settings import with_parts
from matinee.display.text import counted, seconds

if TYPE_CHECKING:
    from matinee.algorithms import Algorithm
    from matinee.data.packed import PackedRatings
    from matinee.data.ratings import Ratings
    from matinee.evaluation.list_check import ListCheck
    from matinee.models import Model

CHEAP_FIT = 20.0  # seconds of a fit that is worth another one to check its lists
FEW_RATINGS = 10  # of a typical user, to learn a taste from


def checked(
    learner: "Algorithm",
    model: "Model",
    ratings: "Ratings | PackedRatings | None",
    place: Path,
    duration: float,
    named: "Algorithm | None",
) -> "ListCheck | None":
    """The check of the lists, which is reported: from the fit itself, or by another, quick one.

    Where it is left out, a line says why, and how to get it. ``named`` is the algorithm where the
    command names it, None where the default was among what was tried.
    """
    from matinee.evaluation.list_check import ListCheck

    check = ListCheck.of_facts(model)
    if check is None:
        check = by_another_fit(learner, ratings, place, duration)
    if check is not None and ratings is not None:
        say_check(check, model, better_choice(named, ratings))
    return check


def by_another_fit(
    learner: "Algorithm", ratings: "Ratings | PackedRatings | None", place: Path, duration: float
) -> "ListCheck | None":
    """The check where fits are quick, ``duration`` in seconds; else None, and a line."""
    from matinee.data.ratings import Ratings
    from matinee.evaluation.list_check import check_lists

    reason = ""
    if not isinstance(ratings, Ratings):
        reason = "the ratings are not in memory"
    elif duration > CHEAP_FIT:
        reason = f"another fit would take {seconds(duration)}"
    if reason:
        measure = f"{program()} measure {shlex.quote(str(place))}"
        _say(f"lists not compared with popularity, as {reason}; {measure} does so")
        return None
    assert isinstance(ratings, Ratings)
    check = check_lists(learner, ratings)
    if check is None:
        say("lists not compared with popularity: too few users have enough likes")
    return check


def say_check(check: "ListCheck", model: "Model", alternative: str) -> None:
    """Report the check of the lists; where they are worse beyond chance, with an alternative."""
    _say(f"{check}; {program()} evaluate ... --split liked measures all users so")
    if check.verdict == "worse":
        _say(f"note: {check.judgement}; {alternative}")
    elif check.verdict == "tied" and model.algorithm != "popularity":
        _say(f"note: {check.judgement}")


def better_choice(named: "Algorithm | None", ratings: "Ratings | PackedRatings") -> str:
    """What to fit where lists are worse than popularity: the default for the data, or popularity
    where ``named`` is that or the default was among what was tried.
    """
    import numpy as np

    from matinee.algorithms import default_algorithm

    default = default_algorithm(ratings)
    weighted = getattr(ratings, "sample_weight", None) is not None
    if named is not None and named != default and (default.takes_weights or not weighted):
        return f"without --algorithm and --set it is {with_parts(default)}, the default"
    typical = int(np.median(ratings.user_counts[ratings.user_counts > 0]))
    few = f"half of the users have at most {counted(typical, 'rating')}, too few to learn from"
    reason = few if typical < FEW_RATINGS else "what people choose here is what is popular"
    return f"{reason}: --algorithm popularity is the better choice"


def _say(text: str) -> None:
    say(wrap(text, width(sys.stderr)))
