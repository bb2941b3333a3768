"""Spark sessions: how to open one, and the resources of its tasks."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from matinee.display.optional import SPARK
from matinee.errors import BadRatings, MatineeError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LEAST_JAVA = 17
WEIGHED = "spark.sql.execution.arrow.maxBytesPerBatch"


def session(master: str = "local[*]", **settings: str) -> "SparkSession":
    """A session with Arrow enabled; ``settings`` are Spark's, with underscores for dots.

    Raises MatineeError where pyspark or Java 17 is missing.
    """
    check_java()
    SPARK.require("a Spark session")
    from pyspark.sql import SparkSession

    defaults = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",  # epochs are reported anyway
        "spark.log.level": "ERROR",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
    }
    if master.startswith("local"):  # a cluster has settings of its own
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        defaults["spark.sql.shuffle.partitions"] = str(2 * (os.cpu_count() or 1))
    builder = SparkSession.builder.master(master).appName("matinee")
    overrides = {name.replace("_", "."): value for name, value in settings.items()}
    for name, value in (defaults | overrides).items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def check_frame(function: str, argument: object) -> None:
    """Raise BadRatings unless the argument of a function is a Spark DataFrame."""
    if not hasattr(argument, "sparkSession"):
        raise BadRatings(
            f"{function} takes a Spark DataFrame, not {type(argument).__name__}; "
            "read it first, as with spark.read.parquet(path)"
        )


def current() -> "SparkSession":
    """The active session. Raises MatineeError where there is none."""
    from pyspark.sql import SparkSession

    active = SparkSession.getActiveSession()
    if active is None:
        raise MatineeError("there is no Spark session; open one with matinee.spark.session(master)")
    return active


@contextmanager
def batches_by_rows(spark: "SparkSession") -> Iterator[None]:
    """Limit Arrow batches by their number of rows alone, for small rows.

    Otherwise Spark measures the bytes of a batch after each row, which triples the time.
    """
    before = spark.conf.get(WEIGHED, None)
    spark.conf.set(WEIGHED, str(2**31 - 1))
    try:
        yield
    finally:
        if before is None:
            spark.conf.unset(WEIGHED)
        else:
            spark.conf.set(WEIGHED, before)


class Room(NamedTuple):
    """The number of parallel tasks of a pass, and the threads of each."""

    tasks: int
    threads: int


def room_in(spark: "SparkSession") -> Room | None:
    """The parallelism of passes; None where it is unknown (Spark Connect).

    Each task sends its sums once, so few tasks with many threads are best: one on a single
    machine, and on a cluster as many as ``spark.task.cpus`` allows at once.
    """
    try:
        cores = int(spark.sparkContext.defaultParallelism)
    except Exception:  # its type differs between versions of pyspark
        return None
    threads = cores if is_local(spark) else threads_of_task(spark)
    return Room(max(1, cores // threads), threads)


def is_local(spark: "SparkSession") -> bool:
    """Whether driver and executors are one process."""
    return str(spark.conf.get("spark.master", "local")).startswith("local")


def threads_of_task(spark: "SparkSession") -> int:
    """The cores of a task."""
    return int(spark.conf.get("spark.task.cpus", "1") or 1)


def check_java() -> None:
    """Raise MatineeError unless a Java that Spark supports is installed."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    installed = None
    if java is not None and Path(java).exists():
        process = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
        version = re.search(r'version "(\d+)', process.stderr)
        installed = int(version[1]) if version else None
    if installed is None or installed < LEAST_JAVA:
        what = "there is no Java here" if installed is None else f"Java {installed} is here"
        raise MatineeError(
            f"Spark needs Java {LEAST_JAVA} or newer, and {what}; on Debian: "
            "apt-get install openjdk-17-jre-headless, or point JAVA_HOME at one"
        )
