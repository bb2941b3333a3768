"""Fitting, recommending and evaluating on Spark; needs ``matinee[spark]`` and Java 17.

    import matinee.spark
    model = matinee.spark.fit(matinee.MF(n_factors=64), frame, folder="/shared/fit")
    lists = matinee.spark.recommend(model)
    matinee.spark.write_lists(model, "lists.parquet")
    print(matinee.spark.evaluate(model, test))

Each task runs the same kernels as a fit in memory on its blocks of users, and emits the items'
normal equations once per pass. Only DataFrames with mapInArrow and applyInArrow are used.
"""

from matinee.spark.evaluating import evaluate
from matinee.spark.fitting import fit
from matinee.spark.list_writing import write_lists
from matinee.spark.recommending import recommend
from matinee.spark.sessions import session

__all__ = ["evaluate", "fit", "recommend", "session", "write_lists"]
