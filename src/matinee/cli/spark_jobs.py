"""Fits, lists and evaluations on Spark, which reads the files itself."""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from matinee.cli.console import say
from matinee.cli.options.engine import EngineOptions
from matinee.cli.options.metrics import MeasureOptions
from matinee.cli.options.reading import ReadOptions
from matinee.cli.options.split import SplitOptions, option_of
from matinee.cli.progress import epochs_of
from matinee.disk.temporary_folders import temporary_folder
from matinee.display.text import counted
from matinee.errors import BadRatings, BadSetting
from matinee.list_store.stored_list import is_database, without_secrets

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from matinee.algorithms import Algorithm
    from matinee.evaluation.results import Evaluation
    from matinee.models import FactorModel

TEXT = (".csv", ".gz", ".txt")
PARQUET = (".parquet", "")  # a folder has no suffix
AS_THEY_ARE = "Spark reads Parquet, and CSV with a header, as they are"


def check_source(data: str) -> None:
    """Raise BadRatings or BadSetting for what is not there, and for what Spark cannot read."""
    if "://" not in data and not Path(data).exists():
        raise BadRatings(f"there is no file or folder {data}")
    if (kind := Path(data).suffix.lower()) not in (*TEXT, *PARQUET):
        raise BadSetting(f"{AS_THEY_ARE}; {data} ends in {kind}: unpack it, or leave out --engine")


def frame_of(
    spark: "SparkSession", data: str, columns: "Mapping[str, str | int] | None" = None
) -> "DataFrame":
    """A Parquet or CSV file, or a folder of them, that all executors can read.

    Without a column of ratings every row counts as 1.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException
    from pyspark.sql.functions import lit

    from matinee.sources.columns import NO_RATINGS, find_columns

    place = data if "://" in data else str(Path(data).absolute())
    try:
        if Path(data).suffix.lower() in TEXT:
            frame = spark.read.option("header", True).csv(place)
        else:
            frame = spark.read.parquet(place)
    except (PySparkException, Py4JError) as error:
        message = re.search(r"\[[A-Z_.]+\][^\n]*", str(error))  # amid a trace of Java's stack
        raise BadRatings(f"Spark cannot read {data}: {message[0] if message else error}") from None
    names = frame.columns
    at = find_columns(names, columns, data)
    chosen = [frame[f"`{names[n]}`"].alias(field) for field, n in at.items()]
    if "rating" not in at:
        say(f"{data}: {NO_RATINGS}")
        chosen.append(lit(1.0).alias("rating"))
    return frame.select(*chosen)


@contextmanager
def quiet_session(master: str) -> Iterator["SparkSession"]:
    """A session that logs nothing: its log of an interruption would hide our message."""
    from matinee.spark import session

    with session(master) as spark:
        logging.disable(logging.CRITICAL)
        try:
            yield spark
        finally:
            logging.disable(logging.NOTSET)


def fit_on_spark(
    learner: "Algorithm",
    data: str,
    reading: ReadOptions,
    engine: EngineOptions,
    state: Path,
    resume: bool,
) -> "FactorModel":
    """The model of ratings that Spark reads."""
    from matinee.spark import fit

    reading.refuse(AS_THEY_ARE, allowed=("columns",))
    check_source(data)
    with quiet_session(engine.master) as spark, epochs_of(learner.name) as on_epoch:
        frame = frame_of(spark, data, reading.columns)
        try:
            return fit(learner, frame, folder=state.absolute(), resume=resume, on_epoch=on_epoch)
        except KeyboardInterrupt:
            say("the same command with --resume resumes after the last complete epoch")
            raise


def evaluate_on_spark(
    learner: "Algorithm",
    splitting: SplitOptions,
    reading: ReadOptions,
    measuring: MeasureOptions,
    master: str,
) -> "Evaluation":
    """Fit on one part and measure on the other, both of which Spark reads."""
    from matinee.spark import evaluate, fit

    train, test = splitting.train, splitting.test
    if train is None or test is None or splitting.data is not None:
        raise BadSetting("--engine spark takes two parts that were split before: --train, --test")
    for setting in splitting.settings:
        raise BadSetting(f"{AS_THEY_ARE}; leave out {option_of(setting)}")
    if splitting.split_name is not None:
        raise BadSetting(f"{AS_THEY_ARE}; leave out --split")
    reading.refuse(AS_THEY_ARE)
    for data in (train, test):
        check_source(data)
    with (
        quiet_session(master) as spark,
        temporary_folder(".", ".fit-") as temporary,
    ):
        folder = temporary / "fit"
        parts = [frame_of(spark, data) for data in (train, test)]
        with epochs_of(learner.name) as on_epoch:
            model = fit(learner, parts[0], folder=folder, on_epoch=on_epoch)
        return evaluate(
            model,
            parts[1],
            measuring.lengths,
            measuring.relevant_from,
            measuring.metrics,
            folder=folder,
        )


def lists_on_spark(
    model: str,
    engine: EngineOptions,
    out: str | None,
    n: int,
    why: bool,
    others: dict[str, object],
) -> None:
    """Lists for everybody into Parquet or PostgreSQL; ``others`` are options it cannot take."""
    from matinee.spark import write_lists

    if not engine.is_spark or out is None:
        raise BadSetting("--engine spark and --out FOLDER go together: a list for everybody")
    for name in (name for name, value in others.items() if value):
        raise BadSetting(f"--engine spark makes a list for everybody; leave out {name}")
    with quiet_session(engine.master) as spark:
        if is_database(out):
            write_lists(model, out, n, why=why)
            say(f"lists of {n} in {without_secrets(out)}")
            return
        place = str(Path(out).absolute())
        write_lists(model, place, n, why=why)
        say(f"{counted(spark.read.parquet(place).count(), 'row')} in {out}, as Parquet")
