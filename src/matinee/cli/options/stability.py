"""How stable the tastes of a model are: the options that commands share, and the refits."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from matinee.cli.options.numbers import Whole
from matinee.cli.progress import progress
from matinee.errors import BadSetting

if TYPE_CHECKING:
    from matinee.models import Model


def stability_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--stability`` and ``--samples``, as ``n_refits`` and ``samples``."""
    samples = click.option(
        "--samples",
        is_flag=True,
        help="With --stability: refit on bootstrap samples of the ratings, too.",
    )
    n_refits = click.option(
        "--stability",
        "n_refits",
        type=Whole(1),
        metavar="N",
        help="Refit N times with other seeds, and save with the model how stable its tastes are.",
    )
    return n_refits(samples(command))


def with_stability(model: "Model", n_refits: int | None, samples: bool) -> "Model":
    """The model, with the stability of its tastes where that is asked for.

    Raises BadSetting for ``--samples`` alone, and for a model without tastes.
    """
    if not n_refits:
        if samples:
            raise BadSetting(
                "--samples goes with --stability; say how many refits, as --stability 5"
            )
        return model
    from matinee.tuning.stability import taste_stability

    with progress("refits") as step:
        return taste_stability(
            model, n_refits=n_refits, how="samples" if samples else "seeds", on_step=step
        )
