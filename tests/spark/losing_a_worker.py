"""A driver program whose fit loses a worker: a task of the second epoch kills the one it runs on.

python losing_a_worker.py MASTER RATINGS FOLDER
"""

import os
import signal
import sys
from pathlib import Path

import matinee.spark
from matinee.algorithms import MF
from matinee.spark import fitting

ALGORITHM = MF(n_factors=4, n_epochs=3)


def killing(gather, marker):
    """What a task does, but for the first one of pass 2, which takes its worker along."""

    def task(here, turn, batches):
        if here.number == 2:
            try:
                os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                pass
            else:
                os.killpg(os.getsid(0), signal.SIGKILL)  # the worker leads its session
        return gather(here, turn, batches)

    return task


def main(master, ratings, folder):
    fitting.gather = killing(fitting.gather, str(Path(folder) / "killed"))
    with matinee.spark.session(master) as spark:
        model = matinee.spark.fit(
            ALGORITHM, spark.read.parquet(ratings), folder=Path(folder) / "state"
        )
        model.save(Path(folder) / "model")


if __name__ == "__main__":
    main(*sys.argv[1:])
