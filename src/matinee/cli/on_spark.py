"""Fits, lists and measuring on Spark: the options they share, and files that it reads by itself."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from matinee.cli.data import AnyFunction
from matinee.cli.talk import epochs_of, say
from matinee.errors import BadRatings, BadSetting
from matinee.words import counted

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from matinee.algorithms import Algorithm
    from matinee.models import FactorModel
    from matinee.results import Evaluation

TEXT = (".csv", ".gz", ".txt")
AS_THEY_ARE = "Spark reads Parquet, and CSV with a header, as they are"


def engine_options(command: AnyFunction) -> AnyFunction:
    """Add --engine and --master."""
    engine = click.option(
        "--engine", type=click.Choice(["local", "spark"]), default="local", show_default=True,
        help="Where to work; spark needs matinee[spark] and Java.",
    )  # fmt: skip
    master = click.option("--master", default="local[*]", show_default=True, metavar="URL",
                          help="Of the Spark cluster.")  # fmt: skip
    return engine(master(command))


def frame_of(spark: "SparkSession", data: str) -> "DataFrame":
    """A Parquet or CSV file, or folder of them, that all executors can reach."""
    if "://" not in data:
        if not Path(data).exists():
            raise BadRatings(f"there is no file or folder {data}")
        data = str(Path(data).absolute())
    if Path(data).suffix.lower() in TEXT:
        return spark.read.option("header", True).csv(data)
    return spark.read.parquet(data)


def fit_on_spark(
    learner: "Algorithm", data: str, master: str, state: Path, resume: bool
) -> "FactorModel":
    """The model of ratings that Spark reads."""
    from matinee.spark import fit, session

    with session(master) as spark, epochs_of(learner.name) as on_epoch:
        frame = frame_of(spark, data)
        return fit(learner, frame, folder=state.absolute(), resume=resume, on_epoch=on_epoch)


def evaluate_on_spark(
    learner: "Algorithm", splitting: dict[str, Any], master: str, lengths: Iterable[int],
    relevant_from: float | None, metrics: Iterable[str] | None,
) -> "Evaluation":  # fmt: skip
    """Fit on one part and measure on the other, both of which Spark reads."""
    from matinee.spark import evaluate, fit, session

    train, test = (splitting.pop(name) for name in ("train", "test"))
    if train is None or test is None or splitting.pop("data") is not None:
        raise BadSetting("--engine spark takes two parts that were split before: --train, --test")
    for name, value in splitting.items():
        if value != {"duplicates": "last", "strict": False}.get(name):
            raise BadSetting(f"{AS_THEY_ARE}; leave out --{name.replace('_', '-')}")
    with session(master) as spark, tempfile.TemporaryDirectory(dir=".", prefix=".fit-") as folder:
        parts = [frame_of(spark, data) for data in (train, test)]
        with epochs_of(learner.name) as on_epoch:
            model = fit(learner, parts[0], folder=folder, on_epoch=on_epoch)
        return evaluate(model, parts[1], lengths, relevant_from, metrics, folder=folder)


def lists_on_spark(
    model: str, engine: str, master: str, out: str | None, n: int, why: bool,
    others: dict[str, object],
) -> None:  # fmt: skip
    """Lists for everybody into a folder of Parquet files; ``others`` are options it cannot take."""
    from matinee.spark import recommend, session

    if engine != "spark" or out is None:
        raise BadSetting("--engine spark and --out FOLDER go together: a list for everybody")
    for name in (name for name, value in others.items() if value):
        raise BadSetting(f"--engine spark makes a list for everybody; leave out {name}")
    if Path(out).exists():
        raise BadSetting(f"{out} exists; choose another place")
    with session(master) as spark:
        place = str(Path(out).absolute())
        recommend(model, n=n, why=why).write.parquet(place)
        say(f"{counted(spark.read.parquet(place).count(), 'row')} in {out}, as Parquet")
