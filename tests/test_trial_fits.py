"""Trials, whose scores alone are used, find what whole fits would."""

import warnings

import numpy as np
import pytest

import matinee
from matinee.algorithms.base import Algorithm
from matinee.models.factor import FactorModel
from matinee.models.trial_fits import trial_fits
from matinee.sources.synthetic import checkerboard

RATINGS = checkerboard(60)
ALGORITHMS: list[Algorithm] = [
    matinee.MF(n_factors=6, choice=None),
    matinee.NMF(n_factors=6, choice=None),
    matinee.ImplicitALS(n_factors=6),
    matinee.ImplicitALS(n_factors=6, nonnegative=True),
]


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=repr)
def test_trials_have_the_scores_of_whole_fits(algorithm: Algorithm) -> None:
    users = np.arange(RATINGS.n_users, dtype=np.int32)
    whole = algorithm.fit(RATINGS)
    with trial_fits():
        trial = algorithm.fit(RATINGS)
    assert np.allclose(trial.score_block(users), whole.score_block(users), atol=1e-4)


def test_trials_leave_factors_as_they_are_fitted() -> None:
    with trial_fits():
        trial = ALGORITHMS[0].fit(RATINGS)
    assert isinstance(trial, FactorModel)
    canonical = trial.canonical()
    assert canonical is not trial  # there was something to turn
    assert canonical.canonical() is canonical


def test_trials_warn_of_nothing_and_whole_fits_do_afterwards() -> None:
    large = matinee.MF(n_factors=500, choice=None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with trial_fits():
            large.fit(RATINGS)
    with pytest.warns(UserWarning, match="500"):
        large.fit(RATINGS)
