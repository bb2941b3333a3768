"""The settings, the baseline and the steps of a fit that ``ItemKNN`` and ``UserKNN`` share.

The damping gains more than the choice of a similarity. With feedback="preference" every rating
counts 1, or its weight by TF-IDF or BM25, where similarities are concerned; there is no baseline,
and a score is a plain sum of weights, which only ranks.
"""

import warnings
from dataclasses import dataclass
from typing import Self

from matinee.algorithms.bias import Bias
from matinee.algorithms.choice import RatingAlgorithm
from matinee.algorithms.hyperparameters import When, setting
from matinee.algorithms.search_space import Real, Whole
from matinee.data.ratings import Ratings
from matinee.errors import MatineeWarning, Setting
from matinee.models.baseline import Baseline
from matinee.models.model import Model
from matinee.models.similarity import SIMILARITIES, WEIGHTINGS, Similarity
from matinee.training.progress import OnEpoch, quiet

FEEDBACKS = ("rating", "preference")
OF_CHOICES = ("adjusted", "cosine")  # similarities that, with ratings all equal, are the cosine


@dataclass(frozen=True, kw_only=True)
class KNN(RatingAlgorithm):
    """Parent of ``ItemKNN`` and ``UserKNN``, which state ``neighbors_of``."""

    feedback: str = setting(
        "rating", '"rating": scores in stars; "preference": scores that rank', choices=FEEDBACKS
    )
    n_neighbors: int = setting(
        30,
        "most neighbours that count for one score",
        When(70, feedback="preference"),
        at_least=1,
        search=Whole(5, 200, log=True),
    )
    similarity: str = setting(
        "adjusted",
        "adjusted cosine, cosine or Pearson correlation; of preferences, cosine",
        When("cosine", feedback="preference"),
        choices=SIMILARITIES,
    )
    shrinkage: float = setting(
        25.0,
        "ratings in common at which a similarity counts half",
        When(5.0, feedback="preference"),
        at_least=0,
        search=Real(1, 300, log=True),
    )
    amplification: float = setting(
        1.5,
        "power that similarities are raised to, to be weights",
        When(1.0, feedback="preference"),
        above=0,
        search=Real(0.5, 3),
    )
    damping: float = setting(
        0.03,
        "rating: weight of the baseline among the neighbours",
        When(0.0, feedback="preference"),
        at_least=0,
    )
    asymmetry: float = setting(
        0.5,
        "preference: 1/2 is the cosine, more holds popular ones back",
        When(0.7, feedback="preference"),
        at_least=0,
        at_most=1,
    )

    weighting: str = setting(
        "none",
        "preference: weights of what is common, tf-idf or bm25: rare things say more",
        When("tf-idf", feedback="preference"),
        choices=WEIGHTINGS,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.feedback == "preference":
            self.require_one_of("similarity", ("cosine",))
        else:
            self.require_one_of("weighting", ("none",))

    @property
    def kind(self) -> str:
        return self.feedback

    def fit(
        self, train: Ratings, validation: Ratings | None = None, on_epoch: OnEpoch = quiet
    ) -> Model:
        if (other := self.for_data(train)) is not self:
            other.warn_of_choices(train)
            return other.fit(train, validation, on_epoch)
        return self.with_choice(self.neighbors_of(train), train)

    def neighbors_of(self, train: Ratings) -> Model:
        """The fitted model without a choice part."""
        raise NotImplementedError

    def for_data(self, train: Ratings) -> Self:
        """With ``feedback="preference"`` where all ratings are equal, as they say nothing in stars.

        A similarity that only stars have is left as it is.
        """
        if (
            train.signal.kind != "choices"
            or self.feedback == "preference"
            or self.similarity not in OF_CHOICES
        ):
            return self
        return self.with_settings({"feedback": "preference"})

    def warn_of_choices(self, train: Ratings) -> None:
        """Warn that ratings are learned from as choices, though nobody has said so."""
        message = f"{train.signal}, so {self.name} takes "
        warnings.warn(MatineeWarning(message, Setting("feedback", self.feedback)), stacklevel=4)

    def _similarity(self) -> Similarity:
        return Similarity(
            self.similarity,
            float(self.shrinkage),
            float(self.amplification),
            float(self.asymmetry),
            binary=self.feedback == "preference",
            weighting=self.weighting,
        )

    def _baseline(self, train: Ratings) -> Baseline:
        """Biases for ratings, zeros for preferences."""
        if self.feedback == "preference":
            return Baseline.zero(train)
        return Baseline.of(Bias(choice=None).fit(train))
