"""A Spark session, and whether this machine can have one."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from matinee.errors import BadRatings, MatineeError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LEAST_JAVA = 17
WEIGHED = "spark.sql.execution.arrow.maxBytesPerBatch"


def session(master: str = "local[*]", **settings: str) -> "SparkSession":
    """A session on a master, with Arrow; ``settings`` are Spark's, dots written as underscores.

    Raises MatineeError where pyspark or Java 17 is missing.
    """
    check_java()
    try:
        from pyspark.sql import SparkSession
    except ModuleNotFoundError:
        raise MatineeError("pyspark is not installed: pip install 'matinee[spark]'") from None
    usual = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",  # epochs are reported anyway
        "spark.log.level": "ERROR",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
    }
    if master.startswith("local"):  # elsewhere the cluster knows its interpreters and its size
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        usual["spark.sql.shuffle.partitions"] = str(2 * (os.cpu_count() or 1))
    builder = SparkSession.builder.master(master).appName("matinee")
    chosen = {name.replace("_", "."): value for name, value in settings.items()}
    for name, value in (usual | chosen).items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def check_frame(function: str, argument: object) -> None:
    """Raise BadRatings unless what a function was given is a DataFrame of Spark's."""
    if not hasattr(argument, "sparkSession"):
        raise BadRatings(
            f"{function} takes a Spark DataFrame, not {type(argument).__name__}; "
            "read it first, as with spark.read.parquet(path)"
        )


def current() -> "SparkSession":
    """The session that is open. Raises MatineeError where there is none."""
    from pyspark.sql import SparkSession

    active = SparkSession.getActiveSession()
    if active is None:
        raise MatineeError("there is no Spark session; open one with matinee.spark.session(master)")
    return active


@contextmanager
def batches_by_rows(spark: "SparkSession") -> Iterator[None]:
    """Arrow batches are cut by their number of rows alone, while small rows are on their way.

    Spark else weighs a batch after each row, which takes twice as long as all that it does to it.
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
    """How many tasks of a pass run side by side, and with how many threads each."""

    tasks: int
    threads: int


def room_in(spark: "SparkSession") -> Room | None:
    """The room for passes; None where it cannot be asked (Spark Connect).

    Sums are sent once for each task, so there are few with many threads: one on a single machine,
    and elsewhere as many as ``spark.task.cpus`` lets run at once.
    """
    try:
        cores = int(spark.sparkContext.defaultParallelism)
    except Exception:  # of a kind that pyspark does not name everywhere
        return None
    threads = cores if is_local(spark) else threads_of_task(spark)
    return Room(max(1, cores // threads), threads)


def is_local(spark: "SparkSession") -> bool:
    """Whether driver and executors are one process."""
    return str(spark.conf.get("spark.master", "local")).startswith("local")


def threads_of_task(spark: "SparkSession") -> int:
    """The cores that Spark gives a task."""
    return int(spark.conf.get("spark.task.cpus", "1") or 1)


def check_java() -> None:
    """Raise MatineeError unless there is a Java that Spark runs on."""
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
