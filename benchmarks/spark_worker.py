"""Fits one library on local Spark in a process of its own, and prints what it took, as JSON.

Who starts it is spark.py. Every fit is of the same cached DataFrame (user, item, rating: whole
numbers, as MLlib wants them); seconds are from the call of ``fit`` until the factors are known, and
CPU seconds those of this process, the JVM and its Python workers meanwhile. Shuffled bytes are
Spark's own counters of the stages that ran meanwhile.
"""

import json
import os
import shutil
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np

WARM_UP_ROWS = 20_000
LOOK = 0.3  # seconds between two looks at the memory
Factors = dict[str, np.ndarray]


def main() -> None:
    job = json.loads(sys.argv[1])
    os.chdir(job["folder"])
    spark = session(job)
    frame = spark.read.parquet(job["train"]).repartition(job["cores"] * 2).cache()
    n = frame.count()
    fit = {"matinee": fit_matinee, "mllib": fit_mllib}[job["who"]]
    score = {"matinee": score_matinee, "mllib": score_mllib}[job["who"]]
    fit(frame.limit(WARM_UP_ROWS), job["settings"] | job["few"])
    proportional = Proportional() if job["weighed"] else None
    found = []
    for settings in job["runs"]:
        began, cpu_before, before = time.perf_counter(), cpu_seconds(), shuffled(spark)
        model = fit(frame, job["settings"] | settings)
        seconds, cpu = time.perf_counter() - began, cpu_seconds() - cpu_before
        found.append(
            {
                "settings": settings,
                "seconds": seconds,
                "cpu_seconds": cpu,
                "load": os.getloadavg()[0],
                "shuffled": shuffled(spark) - before,
                "rmse": rmse(score, model, job.get("test")),
            }
        )
        print(job["who"], found[-1], file=sys.stderr, flush=True)
    of_python = peak_mb("pyspark.daemon")
    users, items = (frame.select(name).distinct().count() for name in ("user", "item"))
    print(
        json.dumps(
            {
                "ratings": n,
                "users": users,
                "items": items,
                "found": found,
                "peak_mb": peak_mb(),
                "python_mb": of_python,
                **(proportional.peak() if proportional else {}),
                **sizes(),
                "versions": versions(),
            }
        )
    )


def session(job: dict[str, Any]) -> Any:
    """The same session for both."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(f"local[{job['cores']}]").appName("benchmark")
    settings = {
        "spark.driver.memory": job["heap"],
        "spark.ui.enabled": "false",
        "spark.ui.retainedStages": "100000",  # their counters are what is read
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": str(2 * job["cores"]),
        "spark.local.dir": job["folder"],
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    spark.sparkContext.setCheckpointDir(str(Path("checkpoints").absolute()))  # MLlib needs one
    return spark


def fit_matinee(frame: Any, settings: dict[str, Any]) -> Any:
    """Ours: cleaning, numbering and packing included."""
    import matinee.spark
    from matinee.algorithms import MF
    from matinee.spark import fitting, sessions

    tasks = settings.pop("tasks", None)
    if tasks is not None:  # as on a cluster with places for so many
        fitting.room_in = lambda spark: sessions.Room(tasks, 1)
    shutil.rmtree("fit", ignore_errors=True)
    renamed = frame.withColumnsRenamed({"user": "user_id", "item": "item_id"})
    return matinee.spark.fit(MF(**settings), renamed, folder="fit")


def sizes() -> dict[str, int]:
    """Bytes of the packed blocks, and of the users' part of the model, of the last of our fits."""
    names = {"packed_bytes": "blocks/*", "model_bytes": "parts/users-*"}
    return {
        name: sum(file.stat().st_size for file in Path("fit").glob(pattern))
        for name, pattern in names.items()
    }


def score_matinee(model: Any, test: Factors) -> np.ndarray:
    """Predicted ratings of known pairs, else NaN."""
    user, item = model.users.rows(test["user"].tolist()), model.items.rows(test["item"].tolist())
    scores = np.full(len(user), np.nan)
    known = (user >= 0) & (item >= 0)
    scores[known] = model.score_rows(user[known], item[known])
    return scores


def fit_mllib(frame: Any, settings: dict[str, Any]) -> Any:
    """MLlib's ALS; counting the factors makes sure that they are there."""
    from pyspark.ml.recommendation import ALS

    model = ALS(userCol="user", itemCol="item", ratingCol="rating", seed=0, **settings).fit(frame)
    model.userFactors.count()
    model.itemFactors.count()
    return model


def score_mllib(model: Any, test: Factors) -> np.ndarray:
    """Predicted ratings of known pairs, else NaN."""
    tables = []
    for factors, rows in ((model.userFactors, test["user"]), (model.itemFactors, test["item"])):
        found = factors.toArrow()
        size = max(int(rows.max()), max(found.column("id").to_pylist())) + 1
        table = np.full((size, model.rank), np.nan, np.float32)
        flat = found.column("features").combine_chunks().flatten().to_numpy()
        table[found.column("id").to_numpy()] = flat.reshape(-1, model.rank)
        tables.append(table[rows])
    return np.einsum("nf,nf->n", *tables)


def rmse(score: Any, model: Any, test: str | None) -> float | None:
    """The error of clipped predictions of the pairs that are known."""
    if test is None:
        return None
    with np.load(test) as arrays:
        columns = dict(arrays)
    scores = score(model, columns)
    known = ~np.isnan(scores)
    low, high = columns["scale"]
    wrong = np.clip(scores[known], low, high) - columns["rating"][known]
    return float(np.sqrt((wrong**2).mean()))


def shuffled(spark: Any) -> int:
    """Bytes that all stages so far have written to be shuffled, by Spark's own counters."""
    gateway = spark.sparkContext._gateway
    store = spark.sparkContext._jsc.sc().statusStore()
    empty = gateway.new_array(gateway.jvm.double, 0)
    nothing = gateway.jvm.java.util.ArrayList()
    stages = store.stageList(None, False, False, empty, nothing)
    return sum(stages.apply(at).shuffleWriteBytes() for at in range(stages.size()))


def peak_mb(only: str = "") -> float:
    """The highest resident memory of this process, the JVM and its Python workers together.

    ``only`` says what the command of those that count holds.
    """
    total = 0.0
    for one in family(os.getpid()):
        if only not in Path(f"/proc/{one}/cmdline").read_text():
            continue
        lines = Path(f"/proc/{one}/status").read_text().splitlines()
        total += sum(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
    return total


def cpu_seconds() -> float:
    """Processor seconds, of user and system, of this process and its descendants, dead or alive."""
    ticks = 0
    for one in family(os.getpid()):
        with suppress(OSError):  # it has just ended
            stat = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, stat[11:15] if one != os.getpid() else stat[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


class Proportional(Thread):
    """Watches the proportional set size (PSS) of this process and its descendants together.

    It counts a page that several processes share once, such as those of forked Python workers.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.highest: dict[str, float] = {}
        self.start()

    def run(self) -> None:
        """Keep the highest of all looks."""
        while True:
            now = {"pss_mb": 0.0, "python_pss_mb": 0.0}
            for one in family(os.getpid()):
                with suppress(OSError):
                    lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
                    size = sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
                    now["pss_mb"] += size / 1024
                    if "pyspark.daemon" in Path(f"/proc/{one}/cmdline").read_text():
                        now["python_pss_mb"] += size / 1024
            if now["pss_mb"] > self.highest.get("pss_mb", 0.0):
                self.highest = now
            time.sleep(LOOK)

    def peak(self) -> dict[str, float]:
        """The highest so far, in MB."""
        return self.highest


def family(first: int) -> list[int]:
    """A process and its living descendants."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            stat = (entry / "stat").read_text()
        except OSError:
            continue
        parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    ours = [first]
    for one in ours:
        ours += [child for child, parent in parents.items() if parent == one]
    return ours


def versions() -> dict[str, str]:
    """Of what took part."""
    import pyspark

    import matinee

    return {
        "python": sys.version.split()[0],
        "pyspark": pyspark.__version__,
        "numpy": np.__version__,
        "matinee": matinee.__version__,
    }


if __name__ == "__main__":
    main()
