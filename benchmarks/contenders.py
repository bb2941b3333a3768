"""Who is measured: our algorithms, and one adapter a peer.

An adapter is a module with

    DISTRIBUTION                            the name to install, whose version is recorded
    CONTENDERS                              what it enters, with which settings
    prepare(ratings, n_users, n_items)      the peer's own form of the data; not timed as fitting
    fit(prepared, settings) -> Fitted       timed

and imports its peer inside these functions only, so that an absent peer is no error.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

ADAPTERS = (
    "ours",
    "peers.plain",
    "peers.surprise",
    "peers.cornac",
    "peers.implicit",
    "peers.irspack",
    "peers.lenskit",
    "peers.lightfm",
    "peers.myfm",
    "peers.cmfrec",
    "peers.sklearn",
    "peers.spark",
)


class Fitted(NamedTuple):
    """What a fit can be asked for; users and items are row numbers."""

    predict: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None  # stars of pairs
    scores: Callable[[np.ndarray], np.ndarray] | None = None  # users -> (n, n_items)
    recommend: Callable[[np.ndarray, int], object] | None = None  # the peer's own top-n, for speed


@dataclass(frozen=True)
class Contender:
    """One line of a table: an adapter with settings."""

    name: str
    tasks: tuple[str, ...]  # "ratings", "lists"
    settings: dict[str, Any] = field(default_factory=dict)
    heavy: bool = False  # minutes on MovieLens 1M: only when asked for
    learns: str = "ratings"  # for lists: "ratings", or "positives" with a rating of 1 for each
    blas_threads: int | None = None  # where the peer asks for other than all
    adapter: str = ""  # filled in by ``all_contenders``


def all_contenders() -> list[Contender]:
    """Every contender of every adapter, installed or not."""
    found = []
    for adapter in ADAPTERS:
        for one in import_module(adapter).CONTENDERS:
            found.append(replace(one, adapter=adapter))
    return found


def is_ours(contender: Contender) -> bool:
    """Whether it is an algorithm of Matinee."""
    return contender.adapter == "ours"


def chosen(patterns: list[str]) -> list[Contender]:
    """The contenders whose names match any of the patterns (``surprise-*``)."""
    return [
        one
        for one in all_contenders()
        if any(fnmatchcase(one.name, pattern) for pattern in patterns)
    ]


def threads() -> int:
    """How many threads a contender may use: the cores that its process is held to."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def dot(
    user_factors: np.ndarray,
    item_factors: np.ndarray,
    user_bias: np.ndarray | None = None,
    item_bias: np.ndarray | None = None,
    mean: float = 0.0,
) -> Fitted:
    """What is fitted where a score is ``mean + user_bias + item_bias + user . item``."""
    b = np.zeros(len(user_factors)) if user_bias is None else user_bias
    c = np.zeros(len(item_factors)) if item_bias is None else item_bias

    def predict(user: np.ndarray, item: np.ndarray) -> np.ndarray:
        products = np.einsum("nf,nf->n", user_factors[user], item_factors[item])
        return np.asarray(mean + b[user] + c[item] + products)

    def scores(users: np.ndarray) -> np.ndarray:
        return np.asarray(mean + b[users, None] + c + user_factors[users] @ item_factors.T)

    return Fitted(predict, scores)
