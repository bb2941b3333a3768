"""Ratings and features together: what is known of a film counts until its ratings say better.

    score(u, i) = mu + b_u + c_i + p_u . q_i,     q_i ~ N(W' f_i, .),   c_i ~ N(w' f_i, .)

f_i are the genres, the decade, the people, tags and words of the catalogue, by TF-IDF; W is learned
jointly with the factors (Simm et al. 2017, "Macau"; see priors.py). ``of`` says which algorithm
fits the ratings: mf, nmf or implicit-als, by name or with settings of its own. A film with many
ratings is what they say; one without any is W' f_i, and is scored and explained all the same.
"""

from dataclasses import dataclass, fields, replace
from typing import ClassVar

import numpy as np

from matinee.algorithms.base import Algorithm
from matinee.algorithms.choice import RatingAlgorithm
from matinee.algorithms.hyperparameters import setting
from matinee.algorithms.implicit_als import ImplicitALS
from matinee.algorithms.mf import MF
from matinee.algorithms.nmf import NMF
from matinee.algorithms.search_space import Real
from matinee.data.features import Vocabulary
from matinee.data.ratings import Ratings
from matinee.display.plain_data import JsonObject
from matinee.errors import BadSetting, Setting, did_you_mean
from matinee.models.factor import FactorModel
from matinee.models.hybrid import HybridModel
from matinee.training.priors import FeaturePrior
from matinee.training.progress import OnEpoch, quiet
from matinee.training.vocabulary import vocabulary_of

BASES: dict[str, type[MF | NMF | ImplicitALS]] = {one.name: one for one in (MF, NMF, ImplicitALS)}


@dataclass(frozen=True, kw_only=True)
class Hybrid(RatingAlgorithm):
    """``Hybrid().fit(train)``, or over another algorithm: ``Hybrid(of=NMF(n_factors=15))``."""

    name: ClassVar[str] = "hybrid"

    of: str | Algorithm = setting(
        "mf", "what fits the ratings: mf, nmf or implicit-als, by name or with settings"
    )
    feature_reg: float = setting(
        70.0,
        "items of average weight assumed on which features have no effect",
        above=0,
        search=Real(3, 300, log=True),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        name = self.of if isinstance(self.of, str) else self.of.name
        if name not in BASES:
            known = ", ".join(BASES)
            raise BadSetting(f"a hybrid is of {known}, not of {name!r}{did_you_mean(name, BASES)}")
        if getattr(self.base, "solver", "als") == "sgd":
            als = Setting("solver", "als")
            raise BadSetting("a hybrid of mf needs ", als, ": only row solves take a prior")
        if getattr(self.base, "missing", "ignore") == "zero":
            ignore = Setting("missing", "ignore")
            raise BadSetting("a hybrid of nmf needs ", ignore, ": only row solves take a prior")

    @property
    def base(self) -> MF | NMF | ImplicitALS:
        """The algorithm that fits the ratings."""
        return BASES[self.of]() if isinstance(self.of, str) else self.of  # type: ignore[return-value]

    @property
    def takes_weights(self) -> bool:
        return self.base.takes_weights

    @property
    def choosers(self) -> tuple[Algorithm, ...]:
        """Choices are learned with the features too, where that can be: films are new to both."""
        return tuple(
            replace(self, of=one, choice=None) if one.name in BASES else one
            for one in super().choosers
        )

    @property
    def kind(self) -> str:
        return self.base.kind

    @property
    def settings(self) -> JsonObject:
        base = {"algorithm": self.base.name, **self.base.settings}
        return {"of": base, "feature_reg": self.feature_reg, **self.choice_setting}

    def fit(
        self, train: Ratings, validation: Ratings | None = None, on_epoch: OnEpoch = quiet
    ) -> HybridModel:
        """Learn from ratings and catalogue; raises BadSetting where nothing is known of items."""
        base, vocabulary = self.base, vocabulary_of(train, self.name)
        prior = FeaturePrior(
            F=vocabulary.encode(train.catalog, train.items),
            reg=self.feature_reg,
            nonnegative=isinstance(base, NMF) or getattr(base, "nonnegative", False),
            W=np.zeros((len(vocabulary), base.n_factors + 1), np.float32),
        )
        fitted: MF | NMF | ImplicitALS = base.for_stars  # type: ignore[assignment]
        model = fitted.fit(train, validation, on_epoch, prior=prior)
        return self.with_choice(with_features(model, self, vocabulary, prior.W), train)


def with_features(
    model: FactorModel, signed_by: Algorithm, vocabulary: Vocabulary, weights: np.ndarray
) -> HybridModel:
    """A factor model together with the features that its items come from, in canonical form."""
    weights.flags.writeable = False
    own = {field.name: getattr(model, field.name) for field in fields(FactorModel)}
    own |= {"algorithm": signed_by.name, "settings": signed_by.settings}
    return HybridModel(**own, vocabulary=vocabulary, weights=weights).canonical()
