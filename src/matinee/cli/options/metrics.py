"""What the measuring commands share: metrics, list lengths, and what counts as relevant."""

from dataclasses import dataclass

import click

from matinee.cli.options.numbers import Real
from matinee.cli.options.values import gathered


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
    type=Real(),
    metavar="RATING",
    help="Held-out items rated this or more should be in the lists [3/4 up the scale; "
    "all where ratings are counts or choices].",
)


def read_names(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[str, ...] | None:
    """``rmse,ndcg@10``: names of metrics; None where none is given.

    Raises BadSetting for one that there is not, before any work.
    """
    if value is None:
        return None
    from matinee.evaluation.protocol import read_measure

    names = tuple(name.strip() for name in value.split(",") if name.strip())
    for name in names:
        read_measure(name)
    return names


def read_name(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """``ndcg@10``: the name of one metric. Raises as ``read_names`` does."""
    from matinee.evaluation.protocol import read_measure

    read_measure(value)
    return value


metrics_option = click.option(
    "--metrics",
    callback=read_names,
    metavar="NAME,NAME,...",
    help="What to measure, such as rmse,ndcg@10,novelty.",
)


@dataclass(frozen=True)
class MeasureOptions:
    """What is measured: metrics, at which list lengths, and which test items are relevant."""

    lengths: tuple[int, ...]
    metrics: tuple[str, ...] | None  # None: the usual ones
    relevant_from: float | None  # a rating; None: see ``relevance``


measure_options = gathered(
    "measuring", MeasureOptions, lengths_option, metrics_option, relevant_option
)
