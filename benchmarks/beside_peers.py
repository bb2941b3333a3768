"""The default beside tuned peers, on data of many kinds: NDCG@10 of lists.

A fifth of what each user liked is held out by chance (at least 3/4 up the scale; of counts and
choices, a fifth of all). Everything else trains, and none of it is ranked. Each peer has a few
settings, and learns from all rows or from the likes alone. What it is fitted with is chosen on a
fifth of the training likes, held out likewise; then it learns from the whole training part. Ours is
``default_algorithm``, with nothing set. Lists of at most 2,000 users, the same for all.

The best peer of a set is the one that is best on its test part, which flatters the peers.

python benchmarks/beside_peers.py --data-set filmtrust
"""

import warnings
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import redirect_stdout
from importlib.metadata import version
from io import StringIO
from time import process_time
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_matrix

from data import folder_of_data
from jobs import LIST_LENGTH, RESULTS, Row, circumstances, keep, read_rows
from matinee import __version__
from matinee.algorithms import ALGORITHMS, default_algorithm
from matinee.data.ratings import Ratings
from matinee.kernels.threads import n_threads
from other_data import SEED, SETS, held_out, ratings_of
from tables import table

MOST_USERS = 2000
USERS_AT_ONCE = 256
FILE = RESULTS / "beside_peers.jsonl"
KEY = ("data_set", "contender")
ROUNDING = 1.5e-4  # of the difference of two rounded figures
SHOWN = ("data_set", "contender", "ndcg@10", "error", "behind", "tuned", "settings")
DISCOUNTS = 1 / np.log2(np.arange(2, LIST_LENGTH + 2))


class Peer(NamedTuple):
    """A class of a package, and the settings that are tried."""

    package: str
    model: str
    grid: tuple[dict[str, Any], ...]


PEERS = {
    "implicit als": Peer(
        "implicit",
        "cpu.als.AlternatingLeastSquares",
        tuple(
            {"factors": 64, "alpha": alpha, "regularization": reg, "random_state": 0}
            for alpha, reg in ((3.0, 10.0), (3.0, 50.0), (20.0, 50.0))
        ),
    ),
    "implicit bm25": Peer(
        "implicit", "nearest_neighbours.BM25Recommender", ({"K": 50}, {"K": 200}, {"K": 1000})
    ),
    "irspack ials": Peer(
        "irspack",
        "IALSRecommender",
        tuple(
            {"n_components": 64, "alpha0": alpha0, "reg": reg}
            for alpha0, reg in ((0.05, 0.003), (0.2, 0.005), (0.5, 0.005), (0.2, 0.02))
        ),
    ),
    "irspack rp3beta": Peer(
        "irspack",
        "RP3betaRecommender",
        tuple({"alpha": alpha, "beta": beta} for alpha in (0.6, 1.0) for beta in (0.2, 0.5)),
    ),
    "irspack edlae": Peer(
        "irspack",
        "EDLAERecommender",
        tuple({"reg": reg, "dropout_p": 0.5} for reg in (10.0, 100.0, 400.0, 1000.0)),
    ),
    "irspack slim": Peer(
        "irspack",
        "SLIMRecommender",
        tuple({"alpha": alpha, "l1_ratio": 0.05} for alpha in (0.02, 0.1, 0.5)),
    ),
    "irspack item-knn": Peer(
        "irspack",
        "AsymmetricCosineKNNRecommender",
        tuple({"shrinkage": 5.0, "feature_weighting": one} for one in ("NONE", "TF_IDF")),
    ),
    "irspack user-knn": Peer(
        "irspack",
        "AsymmetricCosineUserKNNRecommender",
        tuple({"top_k": 200, "feature_weighting": one} for one in ("NONE", "TF_IDF")),
    ),
}


class Lists:
    """Training ratings, and what the lists of some users should find."""

    def __init__(self, train: Ratings, test: Ratings) -> None:
        users = np.flatnonzero(test.user_counts)
        if len(users) > MOST_USERS:
            users = np.random.default_rng(SEED).choice(users, MOST_USERS, replace=False)
        self.users = np.sort(users).astype(np.int32)
        self.train, self.test = train, test

    def ndcg(self, blocks: Iterator[np.ndarray]) -> np.ndarray:
        """NDCG@10 of each user, for scores of some users at a time."""
        rows = (row for block in blocks for row in block)
        pairs = zip(self.users.tolist(), rows, strict=True)
        return np.array([self._of_user(user, row) for user, row in pairs])

    def _of_user(self, user: int, scores: np.ndarray) -> float:
        scores = scores.astype(np.float64)
        scores[self.train.by_user.row(user)[0]] = -np.inf
        listed = np.argsort(-scores, kind="stable")[:LIST_LENGTH]
        relevant = self.test.by_user.row(user)[0]
        ideal = DISCOUNTS[: len(relevant)].sum()
        return float(DISCOUNTS[: len(listed)][np.isin(listed, relevant)].sum() / ideal)

    @property
    def blocks(self) -> Iterator[np.ndarray]:
        """The users, some at a time."""
        return (
            self.users[first : first + USERS_AT_ONCE]
            for first in range(0, len(self.users), USERS_AT_ONCE)
        )


def main() -> None:
    """Measure, show and keep."""
    warnings.simplefilter("ignore")  # of peers, about matrices that they make themselves
    parser = ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--data", help="folder of the MovieLens zips, with the others in more/")
    parser.add_argument("--data-set", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--contender", nargs="+", help="default, names of ours, or of peers")
    options = parser.parse_args()
    for name in options.data_set:
        ratings = ratings_of(name, folder_of_data(options.data))
        rows = list(measured(ratings, options.contender or ["default", "popularity", *PEERS]))
        for row in rows:
            row |= {"data_set": name, "split_seed": SEED} | circumstances(n_threads())
            keep(FILE, row, KEY)
        keep_differences(name)
        best = max((row for row in rows), key=lambda row: row["ndcg@10"])
        for row in rows:
            row["behind"] = round(1 - row["ndcg@10"] / best["ndcg@10"], 3)
        print(table([{one: row.get(one, "") for one in SHOWN} for row in rows]), flush=True)


def keep_differences(data_set: str) -> None:
    """Keep how far the newest default is ahead of peers that were measured beside an older one.

    The errors of these differences stay those of the run that measured the peer.
    """
    rows = [row for row in read_rows(FILE) if row["data_set"] == data_set]
    metric = f"ndcg@{LIST_LENGTH}"
    for default in (row for row in rows if row["contender"] == "default"):
        for row in rows:
            less = round(default[metric] - row[metric], 4)
            if abs(less - row["default_less_this"]) > ROUNDING:
                keep(FILE, row | {"default_less_this": less}, KEY)


def measured(ratings: Ratings, contenders: list[str]) -> Iterator[Row]:
    """A row a contender, with its difference from the default, the first, and its error."""
    train, test = held_out(ratings)
    lists, trials = Lists(train, test), Lists(*held_out(train))
    default: np.ndarray | None = None
    for name in contenders:
        started = process_time()
        if name in PEERS:
            settings, tuned = chosen(PEERS[name], trials)
            each = ndcg_of_peer(PEERS[name], settings, lists)
            facts: Row = {"settings": settings, "tuned": round(tuned, 4)}
            package = PEERS[name].package
            facts |= {"versions": {package: version(package)}}
        else:
            algorithm = default_algorithm(train) if name == "default" else ALGORITHMS[name]()
            ranker = algorithm.fit(train).ranker
            each = lists.ndcg(ranker.score_block(block) for block in lists.blocks)
            facts = {"algorithm": algorithm.name, "versions": {"matinee": __version__}}
        default = each if default is None else default
        less = default - each
        yield facts | {
            "contender": name,
            "users": len(each),
            f"ndcg@{LIST_LENGTH}": round(float(each.mean()), 4),
            "error": round(error_of(each), 4),
            "default_less_this": round(float(less.mean()), 4),
            "error_of_difference": round(error_of(less), 4),
            "processor_seconds": round(process_time() - started, 1),
        }


def chosen(peer: Peer, trials: Lists) -> tuple[dict[str, Any], float]:
    """The settings of the best lists on the held-out piece, and their NDCG.

    The likes alone are tried with the settings that are best for all rows.
    """
    of_all = [
        (float(ndcg_of_peer(peer, settings, trials).mean()), settings)
        for settings in ({"learns": "all", **one} for one in peer.grid)
    ]
    best, settings = max(of_all, key=lambda one: one[0])
    if trials.train.signal.graded:
        likes = settings | {"learns": "likes"}
        ndcg = float(ndcg_of_peer(peer, likes, trials).mean())
        if ndcg > best:
            return likes, ndcg
    return settings, best


def ndcg_of_peer(peer: Peer, settings: dict[str, Any], lists: Lists) -> np.ndarray:
    """NDCG@10 of each user by a peer that is fitted on the training part."""
    given = dict(settings)
    train = lists.train
    if given.pop("learns") == "likes":
        train = train.subset(train.rating >= train.scale.liked_from)
    cells = np.ones(len(train)), (train.user, train.item)
    matrix = csr_matrix(cells, (train.n_users, train.n_items))
    return lists.ndcg(peer_scores(peer, given, matrix, lists))


def peer_scores(
    peer: Peer, settings: dict[str, Any], matrix: csr_matrix, lists: Lists
) -> Iterator[np.ndarray]:
    """Scores of all items, for some users at a time."""
    from importlib import import_module

    module, _, name = peer.model.rpartition(".")
    kind = getattr(import_module(f"{peer.package}.{module}" if module else peer.package), name)
    if peer.package == "irspack":
        model = kind(matrix, **settings)
        with redirect_stdout(StringIO()):  # its bar of progress
            model.learn()
        return (np.asarray(model.get_score(block)) for block in lists.blocks)
    model = kind(num_threads=n_threads(), **settings)
    model.fit(matrix, show_progress=False)
    if module.startswith("nearest"):
        return (np.asarray((matrix[b] @ model.similarity).todense()) for b in lists.blocks)
    return (model.user_factors[block] @ model.item_factors.T for block in lists.blocks)


def error_of(values: np.ndarray) -> float:
    """The standard error of the mean."""
    return float(values.std() / len(values) ** 0.5)


if __name__ == "__main__":
    main()
