"""Neural models beside dot products: lists, seconds, operations, and reasons.

``sampled`` is the protocol of He et al. (2017) on MovieLens 1M: of each user the last rating is
left out, and ranked among 99 items drawn by chance from those that they have not rated. Sampled
ranks flatter, and can order models otherwise than whole lists do (Krichene & Rendle 2020). It
stands here because the papers report it: NeuMF .730 and .447, a tuned dot product .729 and .452
(Rendle et al. 2020). ``unsampled`` ranks everything, as ``beside_peers.py`` does. ``reasons``
deletes the rating that an explanation names first, and measures how far terms are from their score.

Operations are counted from the formulas below, for the epochs that were run.

python benchmarks/neural.py --protocol sampled
"""

import warnings
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from importlib.metadata import version
from time import process_time

import numpy as np

from beside_peers import Lists, error_of
from data import SEED, folder_of_data
from jobs import RESULTS, Row, circumstances, keep, read_rows
from matinee.algorithms import EASE, MF, Algorithm, ImplicitALS, MultVAE, NeuralMF, Popularity
from matinee.data.ratings import Ratings
from matinee.evaluation.explanation_quality import explanation_quality
from matinee.kernels.threads import n_threads
from matinee.models import Model
from other_data import held_out, ratings_of
from tables import markdown, table

CONTENDERS: dict[str, Callable[[], Algorithm]] = {
    "popularity": Popularity,
    "mf": MF,
    "implicit-als": ImplicitALS,
    "ease": EASE,
    "mult-vae": MultVAE,
    "neural-mf": NeuralMF,
}
SETS = ("ml-1m", "filmtrust", "ciao", "lastfm", "jester")  # of the unsampled protocol
REASONS_ON = "ml-100k"
SAMPLED = 99  # items that the one left out is ranked among
LENGTH = 10
USERS_AT_ONCE = 256
KEY = ("protocol", "data_set", "contender")
PEOPLE = 30  # whose lists are explained


def main() -> None:
    """Measure, show and keep."""
    warnings.simplefilter("ignore")
    parser = ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--data", help="folder of the MovieLens zips, with the others in more/")
    parser.add_argument("--protocol", nargs="+", default=list(PROTOCOLS), choices=PROTOCOLS)
    parser.add_argument("--data-set", nargs="+", default=SETS, help="of the unsampled protocol")
    parser.add_argument("--contender", nargs="+", default=list(CONTENDERS), choices=CONTENDERS)
    parser.add_argument("--page", action="store_true", help="only show what is kept, as Markdown")
    options = parser.parse_args()
    if options.page:
        print("\n\n".join(page(read_rows(RESULTS / "neural.jsonl"))))
        return
    for protocol in options.protocol:
        sets = {"sampled": ["ml-1m"], "reasons": [REASONS_ON]}.get(protocol, options.data_set)
        for name in sets:
            ratings = ratings_of(name, folder_of_data(options.data))
            rows = []
            for row in PROTOCOLS[protocol](ratings, options.contender):
                row |= {"protocol": protocol, "data_set": name} | circumstances(n_threads())
                row |= {"versions": {one: version(one) for one in ("numpy", "scipy", "jax")}}
                keep(RESULTS / "neural.jsonl", row, KEY)
                rows.append({k: one for k, one in row.items() if k in shown(row)})
            print(table(rows), flush=True)


def page(rows: list[Row]) -> Iterator[str]:
    """Markdown tables of the protocols, the best of each data set first."""
    by = {name: [row for row in rows if row["protocol"] == name] for name in PROTOCOLS}
    sampled_rows = sorted(by["sampled"], key=lambda row: -row["hr@10"])
    yield markdown([costs(row) | of(row, "hr@10", "ndcg@10", "error") for row in sampled_rows])
    order = sorted(by["unsampled"], key=lambda row: (SETS.index(row["data_set"]), -row["ndcg@10"]))
    yield markdown(
        [{"data": row["data_set"]} | costs(row) | of(row, "ndcg@10", "error") for row in order]
    )
    yield markdown([of(row, "contender", "deletion_fidelity") for row in by["reasons"]])


def costs(row: Row) -> Row:
    """Who it is, and what its fit costs."""
    n = row["operations"]
    return {
        "contender": row["contender"],
        "processor s": str(row["processor_seconds"]),
        "operations": "–" if n is None else f"{n:.1e}",
    }


def of(row: Row, *names: str) -> Row:
    """Some columns of a row."""
    return {name: row[name] for name in names}


def shown(row: Row) -> list[str]:
    """The columns for a terminal."""
    return [name for name in row if name not in ("machine", "commit", "date", "versions", "facts")]


def sampled(ratings: Ratings, contenders: list[str]) -> Iterator[Row]:
    """HR@10 and NDCG@10 of the last item of each user among SAMPLED others."""
    train, test = leave_last_out(ratings)
    candidates = drawn_candidates(ratings, test)
    for name in contenders:
        started = process_time()
        model = CONTENDERS[name]().fit(train)
        seconds = process_time() - started
        rank = np.concatenate(list(ranks(model, test, candidates)))
        hit = rank < LENGTH
        gain = np.where(hit, 1 / np.log2(rank + 2), 0.0)
        yield {
            "contender": name,
            "users": len(rank),
            "hr@10": round(float(hit.mean()), 4),
            "ndcg@10": round(float(gain.mean()), 4),
            "error": round(error_of(hit), 4),
        } | cost(name, train, model, seconds)


def leave_last_out(ratings: Ratings) -> tuple[Ratings, Ratings]:
    """All but the last rating of each user, and these; ties in time keep the order of items."""
    assert ratings.timestamp is not None
    order = np.lexsort((ratings.item, ratings.timestamp, ratings.user))
    last = order[ratings.by_user.indptr[1:][ratings.user_counts > 1] - 1]
    test = np.zeros(len(ratings), bool)
    test[last] = True
    return ratings.subset(~test), ratings.subset(test)


def drawn_candidates(ratings: Ratings, test: Ratings) -> np.ndarray:
    """Items (n_test, 1 + SAMPLED): the one left out, and others that the user has never rated."""
    rng = np.random.default_rng(SEED)
    rows = []
    for user, item in zip(test.user.tolist(), test.item.tolist(), strict=True):
        rated = ratings.by_user.row(user)[0]
        others = np.setdiff1d(np.arange(ratings.n_items), rated)
        rows.append(np.r_[item, rng.choice(others, SAMPLED, replace=False)])
    return np.array(rows)


def ranks(model: Model, test: Ratings, candidates: np.ndarray) -> Iterator[np.ndarray]:
    """How many of the others score above the item left out; ties count half, rounded down."""
    for first in range(0, len(test), USERS_AT_ONCE):
        here = slice(first, first + USERS_AT_ONCE)
        scores = model.ranker.score_block(test.user[here])
        scores = np.take_along_axis(scores, candidates[here], axis=1)
        own, others = scores[:, :1], scores[:, 1:]
        yield (others > own).sum(axis=1) + (others == own).sum(axis=1) // 2


def unsampled(ratings: Ratings, contenders: list[str]) -> Iterator[Row]:
    """NDCG@10 of whole lists, of a held-out fifth of what each user liked."""
    train, test = held_out(ratings)
    lists = Lists(train, test)
    for name in contenders:
        started = process_time()
        model = CONTENDERS[name]().fit(train)
        seconds = process_time() - started
        each = lists.ndcg(model.ranker.score_block(block) for block in lists.blocks)
        yield {
            "contender": name,
            "users": len(each),
            "ndcg@10": round(float(each.mean()), 4),
            "error": round(error_of(each), 4),
        } | cost(name, train, model, seconds)


def reasons(ratings: Ratings, contenders: list[str]) -> Iterator[Row]:
    """Deletion fidelity, and the largest distance of terms by history from their score."""
    train, _ = held_out(ratings)
    for name in contenders:
        if name == "popularity":
            continue
        algorithm = CONTENDERS[name]()
        quality = explanation_quality(algorithm, train, n_people=PEOPLE, n_seeds=1)
        model, farthest = algorithm.fit(train), 0.0
        for user in model.users.ids[np.flatnonzero(train.user_counts)[:PEOPLE]].tolist():
            for item in model.recommend(user, 3).item_id:
                why = model.explain(user, item, by="history")
                error = abs(sum(term.value for term in why) - why.score) / max(1.0, abs(why.score))
                farthest = max(farthest, error)
        yield {
            "contender": name,
            "deletion_fidelity": round(quality.deletion_fidelity or 0.0, 3),
            "explanations": quality.pairs,
            "farthest": float(f"{farthest:.1e}"),
        }


def cost(name: str, train: Ratings, model: Model, seconds: float) -> Row:
    """Processor seconds of a fit, and its operations (additions and multiplications)."""
    n = operations(name, train, model)
    return {
        "processor_seconds": round(seconds, 1),
        "operations": None if n is None else float(f"{n:.2g}"),
        "facts": {k: v for k, v in model.facts.items() if isinstance(v, int | float)},
    }


def operations(name: str, train: Ratings, model: Model) -> float | None:
    """Of the main loop of a fit; None where what takes the time is not counted here."""
    s, n, users, items = model.settings, len(train), train.n_users, train.n_items
    epochs = model.facts.get("n_epochs_run", 1)
    if name == "ease":
        return float((train.user_counts.astype(float) ** 2).sum() + items**3)
    if name == "implicit-als":  # three steps of conjugate gradients, each once over the ratings
        k, steps = s["n_factors"], s["n_steps"] + 1
        return float(s["n_epochs"] * 2 * steps * (4 * n * k + 2 * (users + items) * k))
    if name == "mf":  # normal matrices and their solutions; again without the likes that weigh it
        k, choice = s["n_factors"] + 1, getattr(model, "choice", None)
        stars = epochs * (2.0 * n * k**2 + (users + items) * k**3 / 3)
        chooser = operations("implicit-als", train, choice.model) if choice else 0.0
        return 2 * (stars + (chooser or 0.0))
    if name == "mult-vae":
        return 6.0 * epochs * users * items * (s["n_hidden"] + s["n_factors"])
    if name == "neural-mf":
        each = s["n_factors"] + s["n_hidden"] * s["n_inner"] + s["n_inner"]
        return 6.0 * epochs * n * (1 + s["n_negatives"]) * each
    return None


PROTOCOLS = {"sampled": sampled, "unsampled": unsampled, "reasons": reasons}


if __name__ == "__main__":
    main()
