"""``matinee fit DATA --out MODEL``: learn from ratings and keep what was learned."""

import shlex
import shutil
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from matinee.cli.auto_fit import AUTO, SearchOptions, check_auto, search_options
from matinee.cli.compile_ahead import compiling_ahead, needed
from matinee.cli.console import json_option, print_json, program, say
from matinee.cli.list_check import checked
from matinee.cli.options.engine import EngineOptions, engine_options
from matinee.cli.options.model import load
from matinee.cli.options.reading import ReadOptions, reading_options
from matinee.cli.options.settings import (
    LearnerOptions,
    LearningCommand,
    default_for,
    learner_options,
)
from matinee.cli.options.split import SHARE
from matinee.cli.packed_fit import fit_in_blocks, open_packed, state_of, streams
from matinee.cli.progress import epochs_of
from matinee.cli.spark_jobs import fit_on_spark
from matinee.data.describe import n_rarely_rated, n_rated
from matinee.display.plain_data import JsonObject
from matinee.display.text import counted, percent, seconds
from matinee.errors import BadSetting

if TYPE_CHECKING:
    from matinee.algorithms import Algorithm
    from matinee.data.packed import PackedRatings
    from matinee.data.ratings import Ratings
    from matinee.evaluation.list_check import ListCheck
    from matinee.models import Model


@click.command("fit", cls=LearningCommand)
@click.argument("data")
@learner_options
@click.option("--out", required=True, metavar="FOLDER", help="Folder for the model.")
@click.option(
    "--validation-share",
    type=SHARE,
    metavar="SHARE",
    help="Find the best number of epochs on this share of the ratings, then fit on all of them.",
)
@search_options
@engine_options
@click.option(
    "--resume",
    is_flag=True,
    help="Packed ratings or Spark: resume after the last epoch. auto: reuse the recorded trials.",
)
@click.option(
    "--names-from",
    metavar="MODEL",
    help="Transfer the names of tastes from an older model, where tastes match.",
)
@click.option("--no-check", is_flag=True, help="Do not measure the lists on held-out ratings.")
@reading_options
@json_option
def command(
    data: str,
    learning: LearnerOptions,
    out: str,
    validation_share: float | None,
    searching: SearchOptions,
    engine: EngineOptions,
    resume: bool,
    names_from: str | None,
    no_check: bool,
    reading: ReadOptions,
    as_json: bool,
) -> None:
    """Fit a model on DATA and save it in a folder.

    DATA is a MovieLens folder or zip, a text or Parquet file, or the word "sample"; or a folder of
    packed ratings, which mf, nmf and implicit-als read in blocks, keeping their state after each
    epoch. The algorithm "auto" stands for a search over all of them and their settings.
    """
    ahead = click.get_current_context().with_resource(compiling_ahead())
    from matinee.storage.model_files import check_place

    search = searching if learning.algorithm == AUTO else None
    if search is not None:
        check_auto(learning, engine, validation_share)
    learner = None if search is not None else named_or_default(learning, data, engine)
    place = Path(out)
    check_place(place)
    if validation_share is not None and learner is not None:
        check_epochs(learner)
    older = load(names_from) if names_from is not None else None
    ratings: Ratings | PackedRatings | None = None
    if engine.is_spark and learner is not None:
        started = time.perf_counter()
        model: Model = fit_on_spark(learner, data, reading, engine, state_of(place), resume)
    elif learner is not None and streams(learner, data):
        ratings = open_packed(data, reading, validation_share)
        started = time.perf_counter()
        model = fit_in_blocks(learner, ratings, state_of(place), resume)
    else:
        if resume and search is None:
            raise BadSetting("--resume goes with packed ratings and mf, nmf or implicit-als")
        ahead.share(needed(learner))
        ratings = reading.read(data)
        ahead.compile_here()
        started = time.perf_counter()
        if search is not None:
            learner, model = found_by(search, ratings, resume)
        else:
            learner, model = fit_in_memory(learner, ratings, validation_share)
    duration = time.perf_counter() - started
    if older is not None:
        model = with_names(older, model)
    model.save(place)
    shutil.rmtree(state_of(place), ignore_errors=True)
    named = None if learning.algorithm in (None, AUTO) else learner
    check = None if no_check else checked(learner, model, ratings, place, duration, named)
    say_done(model, place, duration)
    if as_json:
        print_json(document(learner, model, place, ratings, duration, check))


def found_by(search: SearchOptions, ratings: "Ratings", resume: bool) -> "tuple[Algorithm, Model]":
    """The best algorithm of a search, and its model."""
    result = search.run(ratings, resume)
    return result.algorithm, result.model


def fit_in_memory(
    learner: "Algorithm | None", ratings: "Ratings", share: float | None
) -> "tuple[Algorithm, Model]":
    """The model, and the algorithm that learned it: the default where none is named."""
    from matinee.algorithms.default import warn_of_few

    warn_of_few(ratings)
    learner = learner or default_for(ratings)
    say_kind(learner, ratings)
    if share is not None:
        learner = stopped_early(learner, ratings, share)
    with epochs_of(learner.name) as on_epoch:
        return learner, learner.fit(ratings, on_epoch=on_epoch)


def named_or_default(
    learning: LearnerOptions, data: str, engine: EngineOptions
) -> "Algorithm | None":
    """The algorithm where it is known before the ratings are in memory; else None.

    Raises BadSetting for one whose models cannot be saved.
    """
    from matinee.algorithms import MF
    from matinee.data.packed import PackedRatings, is_packed

    learner = learning.named()
    if learner is not None:
        check_saving(learner)
        return learner
    if engine.is_spark:
        return MF()
    return default_for(PackedRatings.open(data)) if is_packed(data) else None


def say_kind(learner: "Algorithm", ratings: "Ratings") -> None:
    """A note on ratings that are counts or choices, where the algorithm may take them for stars."""
    signal = ratings.signal
    if signal.graded:
        return
    if learner.for_data(ratings).kind == "rating":
        say(f"note: {signal}; {learner.name} predicts stars: without --algorithm, choices count")
    elif signal.kind == "counts":
        say(str(signal))


def document(
    learner: "Algorithm",
    model: "Model",
    place: Path,
    ratings: "Ratings | PackedRatings | None",
    duration: float,
    check: "ListCheck | None",
) -> JsonObject:
    """The fit as plain values; ``duration`` in seconds."""
    return {
        "algorithm": learner.name,
        "settings": learner.settings,
        "model": str(place),
        "users": n_rated(model.seen.counts),
        "items": n_rated(model.item_counts),
        "ratings": len(model.seen.indices),
        "rarely_rated_items": n_rarely_rated(model.item_counts),
        "set_aside": None if ratings is None else n_set_aside(ratings),
        "fit_seconds": duration,
        "facts": dict(model.facts),
        "check": None if check is None else check._asdict(),
    }


def n_set_aside(ratings: "Ratings | PackedRatings") -> int:
    """How many rows were left out when the ratings were read, or packed."""
    report = ratings.report
    if isinstance(report, Mapping):
        return sum(finding["count"] for finding in report.get("set_aside", []))
    return report.n_set_aside if report else 0


def with_names(older: "Model", model: "Model") -> "Model":
    """The model with the names of matching tastes; reports each name, transferred or lost."""
    from matinee.models.matching import match_tastes

    matches = match_tastes(older, model)
    for one in matches.carried:
        assert one.new is not None
        say(f"{one.old.name} names taste {one.new.number}, similarity {one.similarity:.2f}")
    for one in matches.lost:
        say(f"{one.old.name} is lost: the most similar taste has similarity {one.similarity:.2f}")
    if not matches.old.taste_notes.names:
        say("the older model has no names to carry over; matinee tastes MODEL --rename gives some")
    return matches.named()


def check_saving(learner: "Algorithm") -> None:
    """Raise BadSetting for an algorithm from outside whose models are no model files.

    Only a fit shows what it returns, so a few ratings are fitted.
    """
    from matinee.algorithms.external import External
    from matinee.evaluation.compare import tried
    from matinee.models.external import ExternalModel

    if isinstance(learner, External) and isinstance(trial := tried(learner), ExternalModel):
        trial.refuse_saving()


def check_epochs(learner: "Algorithm") -> None:
    """Raise BadSetting for an algorithm that has no number of epochs to find."""
    if "n_epochs" not in learner.settings:
        raise BadSetting(f"{learner.name} has no epochs, so leave out --validation-share")


def stopped_early(learner: "Algorithm", ratings: "Ratings", share: float) -> "Algorithm":
    """The same algorithm with the number of epochs that is best on a held-out share."""
    from matinee.splitting import random

    split = random(ratings, share)
    with epochs_of(f"{learner.name} on {percent(1 - share)}") as on_epoch:
        facts = learner.fit(split.train, validation=split.test, on_epoch=on_epoch).facts
    if "best_epoch" not in facts:
        raise BadSetting("these settings cannot stop early; leave out --validation-share")
    best = facts["best_epoch"]
    error = facts["validation_rmse"]
    say(
        f"best after {counted(best, 'epoch')} (error {error:.4f} on the held-out part); "
        "fitting on all ratings"
    )
    return replace(learner, n_epochs=best)  # type: ignore[call-arg]


def say_done(model: "Model", place: Path, duration: float) -> None:
    """Report the model, the time it took, its folder, and a command to try next.

    That is about the user with most ratings of those who have not rated everything.
    """
    n_factors = getattr(model, "n_factors", 0)
    factors = f", {counted(n_factors, 'factor')}" if n_factors else ""
    say(
        f"fitted {model.algorithm} in {seconds(duration)}: "
        f"{counted(len(model.seen.indices), 'rating')}, "
        f"{counted(n_rated(model.seen.counts), 'user')}, "
        f"{counted(n_rated(model.item_counts), 'item')}{factors}"
    )
    say(f"saved in {place} ({size_of(place)})")
    counts = model.seen.counts
    left = counts < len(model.items)
    if left.any():
        user = model.users.ids[int((counts * left).argmax())]
        list_of = f"recommend {shlex.quote(str(place))} --user {shlex.quote(user)}"
        say(f"try: {program()} {list_of} --why")


def size_of(folder: Path) -> str:
    """The total size of the files of a folder, in words."""
    size = sum(one.stat().st_size for one in folder.iterdir())
    return f"{size / 1e6:,.1f} MB" if size >= 1e5 else f"{size / 1e3:,.1f} kB"
