"""``--stars-weight`` and ``--caution``: what list scores weigh, and their reasons with them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from matinee.cli.options.model import load
from matinee.cli.options.numbers import Real
from matinee.cli.options.values import gathered

if TYPE_CHECKING:
    from matinee.models import Model


@dataclass(frozen=True)
class ListWeights:
    """What replaces the weights that a model has learned; None keeps these."""

    stars_weight: float | None
    caution: float | None

    @property
    def given(self) -> dict[str, float]:
        """The weights that are given, by their options."""
        weights = {"--stars-weight": self.stars_weight, "--caution": self.caution}
        return {name: weight for name, weight in weights.items() if weight is not None}

    @property
    def typed(self) -> str:
        """The options as they are typed, each after a blank: `` --stars-weight 0.5``."""
        return "".join(f" {name} {weight:g}" for name, weight in self.given.items())

    def load(self, path: str) -> "Model":
        """The model in a folder, whose lists weigh stars and choice so. Raises as ``load`` does."""
        return load(path).weighed(self.stars_weight, self.caution)


weight_options = gathered(
    "weights",
    ListWeights,
    click.option(
        "--stars-weight",
        type=Real(0),
        help="Points of choice that a star is worth; as learned unless given. 0 lists by choice "
        "alone, inf by stars alone.",
    ),
    click.option(
        "--caution",
        type=Real(),
        help="From safe (above 0) to adventurous (0, or below): holds back what few have rated.",
    ),
)
