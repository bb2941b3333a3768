"""Spark's ALS, in local mode; needs Java."""

from typing import Any

import numpy as np

from contenders import Contender, Fitted, dot, threads

DISTRIBUTION = "pyspark"
CONTENDERS = (
    Contender("spark-als", ("ratings",), {"seed": 0}, heavy=True),
    Contender(
        "spark-als-50",
        ("ratings",),
        {"rank": 50, "maxIter": 15, "regParam": 0.09, "seed": 0},
        heavy=True,
    ),
    Contender(
        "spark-als-nonnegative",
        ("ratings",),
        {"rank": 50, "maxIter": 15, "regParam": 0.09, "nonnegative": True, "seed": 0},
        heavy=True,
    ),
)


def prepare(ratings: Any, n_users: int, n_items: int) -> Any:
    """A cached DataFrame of a local session."""
    import pandas as pd
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(f"local[{threads()}]").config("spark.driver.memory", "6g")
    session = builder.config("spark.ui.enabled", "false").getOrCreate()
    session.conf.set("spark.sql.execution.arrow.pyspark.enabled", "true")
    columns = dict(zip(("user", "item", "rating"), ratings, strict=True))
    frame = session.createDataFrame(pd.DataFrame(columns)).cache()
    frame.count()
    return frame, n_users, n_items


def fit(prepared: Any, settings: dict[str, Any]) -> Fitted:
    """Fit ALS and bring its factors home."""
    from pyspark.ml.recommendation import ALS

    frame, n_users, n_items = prepared
    model = ALS(**settings).fit(frame)
    sides = ((n_users, model.userFactors), (n_items, model.itemFactors))
    return dot(*(table_of(n, factors.toPandas()) for n, factors in sides))


def table_of(n: int, factors: Any) -> np.ndarray:
    """Factors by row number, NaN where Spark has none."""
    rows = np.stack(factors["features"].to_numpy())
    table = np.full((n, rows.shape[1]), np.nan)
    table[factors["id"].to_numpy()] = rows
    return table
