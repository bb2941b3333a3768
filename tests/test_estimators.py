"""The habits of scikit-learn: parameters, clones, and every trial in a frame."""

import pytest
from sklearn.base import clone
from sklearn.model_selection import ParameterGrid

import matinee
from matinee.algorithms import ALGORITHMS, MF, Bias
from matinee.errors import BadSetting


@pytest.mark.parametrize("name", ALGORITHMS)
def test_parameters_make_the_algorithm_again(name: str) -> None:
    algorithm = ALGORITHMS[name]()
    assert list(algorithm.get_params()) == list(algorithm.settings)
    assert clone(algorithm) == algorithm
    assert type(algorithm)(**algorithm.get_params()) == algorithm


def test_parameters_are_set_in_a_new_value() -> None:
    algorithm = MF(n_factors=8)
    changed = clone(algorithm).set_params(n_factors=4, reg=2.0)
    assert (changed.settings["n_factors"], changed.settings["reg"]) == (4, 2.0)
    assert algorithm.n_factors == 8
    grid = [algorithm.set_params(**one) for one in ParameterGrid({"n_factors": [2, 4]})]
    assert [one.settings["n_factors"] for one in grid] == [2, 4]
    with pytest.raises(BadSetting, match="has no setting"):
        algorithm.set_params(n_factor=4)


def test_every_trial_is_a_row() -> None:
    tuning = matinee.tune(Bias, matinee.checkerboard(40), budget=3)
    table = tuning.table
    assert list(table.columns) == ["trial", *tuning.space, "state", "value", "seconds", "reason"]
    assert table.value == tuple(one.value for one in tuning.trials)
    assert len(table.to_pandas()) == len(tuning.trials)


def test_a_grid_of_scikit_learn_is_a_space() -> None:
    space = {"user_damping": [2.0, 8.0], "item_damping": (4.0,)}
    tuning = matinee.tune(Bias, matinee.checkerboard(40), space=space, budget=3, method="grid")
    settings = [one.settings for one in tuning.trials]
    assert settings[1:] == [{"user_damping": one, "item_damping": 4.0} for one in (2.0, 8.0)]
    for impossible in ([], 3.0, "ab", {1.0, 2.0}):
        with pytest.raises(BadSetting, match=r"the space of user_damping is .*; give a list"):
            matinee.tune(Bias, matinee.checkerboard(40), space={"user_damping": impossible})
