"""The metric that a search optimizes, on held-out ratings."""

from dataclasses import dataclass

import numpy as np

from matinee.algorithms import Algorithm
from matinee.data.ratings import Ratings
from matinee.errors import BadSetting
from matinee.evaluation.evaluate import measure
from matinee.evaluation.protocol import Measure, Plan
from matinee.models import Model
from matinee.splitting import Split


@dataclass(frozen=True)
class Objective:
    """One metric of which one end is better."""

    plan: Plan  # of this metric alone

    @classmethod
    def of(
        cls,
        metric: str,
        split: Split,
        relevant_from: float | None = None,
        algorithm: Algorithm | None = None,
    ) -> "Objective":
        """The objective of a name such as "rmse" or "ndcg@10", at 10 where it names no length.

        Raises BadSetting for a metric that is unknown, has no better end, or does not apply to
        the algorithm, and BadRatings where no test item of the split is relevant.
        """
        plan = Plan.of(split, (10,), relevant_from, [metric], algorithm)
        check_better_end(plan.measures[0])
        return cls(plan)

    @property
    def measure(self) -> Measure:
        return self.plan.measures[0]

    @property
    def name(self) -> str:
        """As in tables: ``ndcg@10``."""
        return self.measure.name

    @property
    def higher_is_better(self) -> bool:
        return bool(self.measure.metric.higher_is_better)

    def loss(self, value: float) -> float:
        """The value with its sign turned where higher is better: lower is better."""
        return -value if self.higher_is_better else value

    def value(self, model: Model, test: Ratings) -> float:
        """The metric of a model on held-out ratings. Raises BadSetting where it is NaN."""
        value = measure(model, test, self.plan).metrics.get(self.name, np.nan)
        if np.isnan(value):
            raise BadSetting(f"{self.name} is not a number")
        return value


def check_better_end(measure: Measure) -> None:
    """Raise BadSetting for a metric that says what lists are like, but not how good they are."""
    if measure.metric.higher_is_better is None:
        raise BadSetting(
            f"neither end of {measure.name} is better, so it cannot be optimized; "
            "choose another metric, such as ndcg@10"
        )
