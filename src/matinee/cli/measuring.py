"""What the measuring commands share: list lengths, and algorithms that tell their epochs."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from matinee.algorithms import Algorithm
    from matinee.data.ratings import Ratings
    from matinee.models import Model
    from matinee.training.progress import OnEpoch


def read_lengths(ctx: click.Context, param: click.Parameter, value: str) -> tuple[int, ...]:
    """``10,20``: the list lengths measured."""
    try:
        return tuple(int(part) for part in value.split(","))
    except ValueError:
        message = f"it reads N,N,..., such as 10,20, not {value!r}"
        raise click.BadParameter(message, ctx, param) from None


lengths_option = click.option(
    "-n",
    "lengths",
    callback=read_lengths,
    default="10",
    show_default=True,
    metavar="N,N,...",
    help="The list lengths measured.",
)
relevant_option = click.option(
    "--relevant-from",
    type=float,
    metavar="RATING",
    help="Held-out items rated this or more should be in the lists [3/4 up the scale].",
)


def read_names(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[str, ...] | None:
    """``rmse,ndcg@10``: names of metrics; None where none is given.

    Raises BadSetting for one that there is not, before any work.
    """
    if value is None:
        return None
    from matinee.evaluation.protocol import read_metric

    names = tuple(name.strip() for name in value.split(",") if name.strip())
    for name in names:
        read_metric(name)
    return names


def read_name(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """``ndcg@10``: the name of one metric. Raises as ``read_names`` does."""
    from matinee.evaluation.protocol import read_metric

    read_metric(value)
    return value


metrics_option = click.option(
    "--metrics",
    callback=read_names,
    metavar="NAME,NAME,...",
    help="What to measure, such as rmse,ndcg@10,novelty.",
)


@dataclass(frozen=True)
class Told:
    """An algorithm that tells its epochs whenever it fits; it goes by the name of the algorithm."""

    algorithm: "Algorithm"
    on_epoch: "OnEpoch"

    @property
    def kind(self) -> str:
        return self.algorithm.kind

    def fit(self, train: "Ratings") -> "Model":
        return self.algorithm.fit(train, on_epoch=self.on_epoch)

    def __repr__(self) -> str:
        return repr(self.algorithm)
