"""What speed is to be reached, stated once: ours against a peer, and ours against the clock."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from contenders import Contender
from peers.cornac import TUNED as CORNAC_TUNED

Passes = tuple[str, int, int]  # the setting that counts passes over the data; few, and more


class Runner(NamedTuple):
    """A contender in a duel, with what counts its passes over the data."""

    contender: Contender
    passes: Passes | None = None


def ours(algorithm: str, passes: Passes | None = None, **settings: Any) -> Runner:
    """One of our algorithms."""
    return Runner(
        Contender(f"matinee-{algorithm}", (), {"algorithm": algorithm, **settings}, adapter="ours"),
        passes,
    )


def peer(
    adapter: str, passes: Passes | None = None, blas_threads: int | None = None, **settings: Any
) -> Runner:
    """A peer with settings of its own."""
    contender = Contender(
        adapter,
        (),
        settings,
        learns="positives",
        blas_threads=blas_threads,
        adapter=f"peers.{adapter}",
    )
    return Runner(contender, passes)


@dataclass(frozen=True)
class Duel:
    """Two contenders at the same work; the ratio is the peer's seconds over ours."""

    name: str
    ours: Runner
    peer: Runner
    data_set: str
    at_least: float  # the ratio that is to be reached
    measure: str = "fit"  # "fit", "fit and answer", "epoch": one more pass, "lists": all top-10
    task: str = "ratings"  # "lists" learns from likes alone where the contender does
    same_error: bool = False  # counts only where our RMSE is no worse than the peer's
    heavy: bool = False
    repeats: int | None = None  # where the usual number takes too long


@dataclass(frozen=True)
class Alone:
    """One of our algorithms against the clock."""

    name: str
    ours: Runner
    at_most: float  # seconds
    measure: str = "fit"
    data_set: str = "ml-1m-whole"
    task: str = field(default="ratings", init=False)


SURPRISE_SVD = {"model": "SVD", "n_factors": 100, "random_state": 0}
IMPLICIT = {
    "model": "als.AlternatingLeastSquares",
    "alpha": 3.0,
    "regularization": 50.0,
    "random_state": 0,
}
IRSPACK = {"alpha0": 0.5, "reg": 0.005}


def implicit_als(n_factors: int, bar: float, heavy: bool = True) -> list[Duel]:
    """One iteration on ten million ratings: faster than implicit, and ``bar`` times irspack."""
    mine = ours("implicit-als", ("n_epochs", 1, 3), n_factors=n_factors)
    implicit = peer("implicit", ("iterations", 1, 3), 1, factors=n_factors, **IMPLICIT)
    irspack = peer("irspack", ("train_epochs", 1, 3), n_components=n_factors, **IRSPACK)
    return [
        Duel(
            f"implicit-als-{n_factors}-iteration-{name}",
            mine,
            other,
            "power-law",
            at_least,
            "epoch",
            "lists",
            heavy=heavy,
            repeats=2,
        )
        for name, other, at_least in (("implicit", implicit, 1.0), ("irspack", irspack, bar))
    ]


def neighbors_in_wide_catalogue(algorithm: str, model: str, **settings: Any) -> Duel:
    """The neighbours of each of 27,000 items with few users each, against irspack's."""
    return Duel(
        f"{algorithm}-wide-irspack",
        ours(algorithm, **settings),
        peer("irspack", model=model),
        "wide",
        1.0,
        task="lists",
    )


DUELS = (
    Duel(
        "mf-als-to-cornac-rmse",
        ours("mf", n_factors=32, n_epochs=3),
        peer("cornac", **CORNAC_TUNED),
        "ml-1m",
        2.0,
        same_error=True,
    ),
    Duel(
        "mf-sgd-to-cornac-rmse",
        ours("mf", solver="sgd", n_factors=32, n_epochs=9, learning_rate=0.1),
        peer("cornac", **CORNAC_TUNED),
        "ml-1m",
        2.0,
        same_error=True,
    ),
    Duel(
        "mf-als-to-cmfrec-rmse",
        ours("mf", n_epochs=6),
        peer("cmfrec", k=40, lambda_=0.09, scale_lam=True, niter=20, verbose=False),
        "ml-1m",
        3.0,
        same_error=True,
    ),
    Duel(
        "mf-sgd-epoch-surprise",
        ours("mf", ("n_epochs", 2, 102), solver="sgd", n_factors=100),
        peer("surprise", ("n_epochs", 1, 4), **SURPRISE_SVD),
        "ml-1m",
        6.0,
        "epoch",
    ),
    Duel(
        "mf-sgd-epoch-64-cornac",
        ours("mf", ("n_epochs", 2, 22), solver="sgd", n_factors=64),
        peer("cornac", ("max_iter", 1, 4), **(CORNAC_TUNED | {"k": 64})),
        "power-law",
        3.0,
        "epoch",
        heavy=True,
        repeats=2,
    ),
    Duel(
        "svdpp-surprise",
        ours("svdpp", n_factors=20, n_epochs=20),
        peer(
            "surprise", model="SVDpp", n_factors=20, n_epochs=20, cache_ratings=True, random_state=0
        ),
        "ml-100k",
        30.0,
    ),
    Duel(
        "svdpp-epoch-surprise",
        ours("svdpp", ("n_epochs", 2, 6), n_factors=20),
        peer(
            "surprise",
            ("n_epochs", 1, 2),
            model="SVDpp",
            n_factors=20,
            cache_ratings=True,
            random_state=0,
        ),
        "ml-1m",
        30.0,
        "epoch",
        heavy=True,
        repeats=1,
    ),
    Duel(
        "bayesian-mf-draw-myfm",
        ours("bayesian-mf", ("n_epochs", 10, 30), n_factors=10, burn_in=2, n_samples=4),
        peer("myfm", ("n_iter", 4, 10), rank=10, random_seed=0),
        "ml-1m",
        3.0,
        "epoch",
        heavy=True,
        repeats=2,
    ),
    *implicit_als(64, bar=1.5),
    *implicit_als(128, bar=1.5),
    *implicit_als(256, bar=1.0),
    Duel(
        "ease-numpy",
        ours("ease", reg=500.0),
        peer("plain", method="ease", reg=500.0),
        "top-n",
        1.0,
        task="lists",
        repeats=3,
    ),
    Duel(
        "user-knn-surprise-100k",
        ours("user-knn"),
        peer("surprise", model="KNNBaseline", verbose=False),
        "ml-100k",
        10.0,
        "fit and answer",
    ),
    Duel(
        "user-knn-surprise",
        ours("user-knn"),
        peer("surprise", model="KNNBaseline", verbose=False),
        "ml-1m",
        10.0,
        "fit and answer",
        heavy=True,
        repeats=1,
    ),
    Duel(
        "item-knn-surprise",
        ours("item-knn"),
        peer(
            "surprise",
            model="KNNBaseline",
            verbose=False,
            sim_options={"name": "pearson_baseline", "user_based": False},
        ),
        "ml-1m",
        10.0,
        "fit and answer",
        heavy=True,
        repeats=1,
    ),
    neighbors_in_wide_catalogue("item-knn", "CosineKNNRecommender", feedback="preference"),
    neighbors_in_wide_catalogue("rp3beta", "RP3betaRecommender"),
    Duel(
        "top-10-implicit",
        ours("mf", n_factors=64, n_epochs=1),
        peer("implicit", None, 1, factors=64, iterations=1, **IMPLICIT),
        "top-n",
        3.0,
        "lists",
        "lists",
    ),
)

ALONE = (
    Alone("mf-als-32", ours("mf", n_factors=32), 10.0),
    Alone("mf-sgd-epoch", ours("mf", ("n_epochs", 2, 102), solver="sgd"), 0.2, "epoch"),
    Alone("truncated-svd-50", ours("truncated-svd", n_factors=50), 10.0),
    Alone(
        "truncated-svd-50-zero-filled",
        ours("truncated-svd", n_factors=50, fill="zero", center="user_all"),
        10.0,
    ),
)

# Commands against the clock, each in a new process.
IMPORT_SECONDS = 0.3
HELP_SECONDS = 0.3
READ_SECONDS = 2.0
READ_MEMORY = 3.0  # times the arrays that are read, and on top of it
READ_MEMORY_MB = 100.0
