"""What only some models can do, and the algorithms to name in messages about it.

A test fits each algorithm named here and asserts that its model has the capability.
"""

from dataclasses import dataclass

from matinee.errors import BadSetting


@dataclass(frozen=True)
class Capability:
    """Something that only some models can do."""

    lack: str  # what models without it do: "give no intervals"
    algorithms: tuple[str, ...]  # registered names of some whose models can
    remedy: str  # what to do instead; ``{}`` stands for the algorithms

    @property
    def instead(self) -> str:
        """The remedy with the algorithms in it."""
        *others, last = self.algorithms
        word = "or" if self.remedy.startswith("fit") else "and"
        return self.remedy.format(f"{', '.join(others)} {word} {last}")

    def missing(self, algorithm: str) -> BadSetting:
        """The error for a model of ``algorithm``, which cannot do it."""
        return BadSetting(f"models of {algorithm} {self.lack}; {self.instead}")


INTERVALS = Capability("give no intervals", ("mf", "nmf", "svdpp", "bayesian-mf"), "{} do")
WEIGHTS = Capability(
    "take no weights of ratings", ("bias", "mf", "nmf", "bayesian-mf"), "fit {} instead"
)
TASTES = Capability("have no tastes", ("nmf", "mf"), "fit {} to find some")
VECTORS = Capability(
    "score by no inner product of vectors", ("mf", "nmf", "implicit-als"), "fit {} for such"
)
SIMILAR = {
    side: Capability(f"have no similar {side}s", ("mf", "nmf"), "fit {} instead")
    for side in ("item", "user")
}
