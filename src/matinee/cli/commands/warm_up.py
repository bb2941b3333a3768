"""``matinee warm-up``: compile every kernel now, as when the image of a container is built."""

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from matinee.cli.compile_ahead import FEW, tiny_split
from matinee.cli.console import json_option, print_json, say
from matinee.cli.progress import progress
from matinee.display.plain_data import JsonMapping
from matinee.display.text import counted, seconds

if TYPE_CHECKING:
    from matinee.algorithms import Algorithm
    from matinee.data.ratings import Ratings
    from matinee.splitting import Split

ALTERNATIVES = {"solver": "sgd", "feedback": "preference", "missing": "zero"}  # other kernels


@click.command("warm-up")
@json_option
def command(as_json: bool) -> None:
    """Compile every kernel, so that no later command has to.

    For images of containers and for shared installations. `matinee doctor` shows where the code is
    cached; it is for processors of the same kind.
    """
    from matinee.kernels import machine

    started = time.perf_counter()
    names = []
    with warnings.catch_warnings(), progress("warm-up") as step:
        warnings.simplefilter("ignore")  # a tiny table gives reasons to warn
        for name in uses():
            names.append(name)
            step(len(names), 0, name)
    cache = machine.code_cache()
    if as_json:
        print_json({"uses": names, "code cache": cache})
        return
    took = seconds(time.perf_counter() - started)
    say(f"compiled what {counted(len(names), 'use')} need in {took}: {cache}")


def uses() -> Iterator[str]:
    """Do everything once on tiny ratings, and yield the name of what comes next."""
    from matinee.algorithms import ALGORITHMS

    split = tiny_split()
    for name, kind in ALGORITHMS.items():
        yield name
        for settings in variants(kind):
            use(kind(**settings), split)
    yield "packed ratings"
    use_packed(split.train)
    yield "sums"
    use_sums(split.train)
    yield "an index of items"
    use_index()


def variants(kind: "type[Algorithm]") -> list[JsonMapping]:
    """Settings that run all kernels of an algorithm, in few epochs."""
    few = {name: value for name, value in FEW.items() if hasattr(kind, name)}
    others = [{name: value} for name, value in ALTERNATIVES.items() if hasattr(kind, name)]
    return [few, *({**few, **other} for other in others)]


def use(algorithm: "Algorithm", split: "Split") -> None:
    """Fit, and ask for what the model has: lists, similar items, reasons, newcomers, figures."""
    import numpy as np

    from matinee.errors import MatineeError
    from matinee.evaluation.evaluate import evaluate

    train, test = split.train, split.test
    with suppress(MatineeError, ImportError):  # it needs a catalog, or an optional part
        model = algorithm.fit(train)
        user = train.users.ids[0]
        item = model.recommend(user, 1).item_id[0]
        newcomer = dict.fromkeys(train.items.ids[:3].tolist(), train.scale.high)
        questions: list[Callable[[], object]] = [
            lambda: model.predict([user], [item]),
            lambda: model.score_rows(np.zeros(1, np.int32), np.zeros(1, np.int32)),
            lambda: model.recommend_all(1),
            lambda: model.explain(user, item),
            lambda: model.similar_items(item, 1),
            lambda: model.recommend(newcomer, 1),
            lambda: evaluate(model, test),
        ]
        for question in questions:
            with suppress(MatineeError):  # not every model has every answer
                question()


def use_packed(ratings: "Ratings") -> None:
    """Fit in blocks, on ratings that lie in files."""
    from matinee.algorithms import MF, ImplicitALS
    from matinee.sources.packing.pack import pack

    with TemporaryDirectory() as folder:
        lines = [f"{one.user_id},{one.item_id},{one.rating}\n" for one in ratings]
        source = Path(folder) / "ratings.csv"
        source.write_text("".join(["user_id,item_id,rating\n", *lines]), encoding="utf-8")
        packed = pack(source, Path(folder) / "packed")
        for algorithm in (MF(n_epochs=2, choice=None), ImplicitALS(n_epochs=2)):
            algorithm.fit_packed(packed)


def use_sums(ratings: "Ratings") -> None:
    """Sum what only rows of very many ratings, and clusters, are summed by."""
    import numpy as np

    from matinee.kernels.least_squares import Terms
    from matinee.kernels.normal_sums import NormalSums, flush, sum_row

    Y = np.zeros((ratings.n_items, 2), np.float32)
    sum_row(Terms.of(ratings.by_user, Y[:, 0], Y).of_row(0))
    flush(NormalSums.zeros(1, 2))


def use_index() -> None:
    """Look up a list in an index, as servers of large catalogues do."""
    import numpy as np

    from matinee.kernels.product_index import HEAD, product_index, top_by_index
    from matinee.row_solvers.embeddings import Embeddings

    items = Embeddings(np.eye(HEAD + 1, dtype=np.float32), np.zeros(HEAD + 1, np.float32))
    index = product_index(items)
    assert index is not None
    top_by_index(index, 0.0, items.row(0), items, np.zeros(0, np.int32), 1)
