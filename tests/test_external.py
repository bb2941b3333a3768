"""Algorithms from outside: used, checked and refused like the others."""

import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import matinee
from matinee import splitting
from matinee.algorithms import ALGORITHMS, MF, Bias, Popularity, registry
from matinee.algorithms.registry import ALSO_CALLED, choose_one
from matinee.algorithms.search_space import Real
from matinee.cli import run
from matinee.data.ratings import Ratings
from matinee.errors import BadModel, BadSetting
from matinee.evaluation.compare import compare
from matinee.evaluation.contract import check_algorithm
from matinee.evaluation.evaluate import cross_validate


class Wrapped:
    """Bias of ours behind ``predict`` alone, so that the right answers are known."""

    name = "wrapped"
    space: ClassVar[Any] = {"damping": Real(1, 20)}

    def __init__(self, damping: float = 8.0) -> None:
        self.damping = damping

    def fit(self, ratings: Ratings) -> "Answers":
        return Answers(Bias(choice=None, user_damping=self.damping).fit(ratings))


class Answers:
    def __init__(self, model: Any) -> None:
        self.model = model

    def predict(self, users: Any, items: Any) -> Any:
        return self.model.predict(users, items).score


class Ranks(Wrapped):
    """One that ranks, and predicts no stars."""

    name = "ranks"
    kind = "preference"

    def fit(self, ratings: Ratings) -> Any:
        answers = super().fit(ratings)
        return type("Scores", (), {"score": staticmethod(answers.predict)})()


class Both(Wrapped):
    """Stars by ``predict``, lists by ``score``, which is the number of ratings."""

    def fit(self, ratings: Ratings) -> Any:
        answers = super().fit(ratings)
        answers.score = lambda users, items: ratings.item_counts[ratings.items.rows(items)]
        return answers


@pytest.fixture(scope="module")
def ratings() -> Ratings:
    return matinee.checkerboard(60)


def test_a_model_from_outside_answers_as_the_one_inside(ratings: Ratings) -> None:
    split = splitting.random(ratings)
    outside, inside = matinee.fit(split.train, Wrapped()), Bias(choice=None).fit(split.train)
    assert outside.predict(split.test).rating == pytest.approx(inside.predict(split.test).rating)
    assert outside.recommend("3", 5).item_id == inside.recommend("3", 5).item_id
    mine, theirs = (matinee.evaluate(one, split.test).metrics for one in (outside, inside))
    assert mine == pytest.approx(theirs)
    assert outside.recommend_all(2).to_pandas()["item_id"].tolist() == (
        inside.recommend_all(2).to_pandas()["item_id"].tolist()
    )


def test_lists_go_by_score_where_there_are_both(ratings: Ratings) -> None:
    model = matinee.fit(ratings, Both())
    by_count = Popularity().fit(ratings).recommend("3", 5)
    listed = model.recommend("3", 5)
    assert listed.item_id == by_count.item_id
    assert listed.stars == pytest.approx(model.predict("3", listed.item_id).rating)


@pytest.mark.filterwarnings("ignore:3 ratings by 2 users are too few")
def test_ids_come_as_frames_have_them() -> None:
    seen: list[Any] = []

    class Spy(Wrapped):
        def fit(self, ratings: Ratings) -> Any:
            seen.append(ratings.to_pandas()["item_id"].dtype.kind)
            return self

        def predict(self, users: Any, items: Any) -> Any:
            seen.append(items.dtype.kind)
            return np.zeros(len(items))

    rows = (np.array([1, 1, 2]), np.array([7, 8, 7]), np.array([1.0, 2.0, 3.0]))
    matinee.fit(matinee.read_ratings(rows), Spy()).predict(1, 7)
    assert seen == ["i", "i"]


def test_compare_cross_validate_and_tune_take_it(ratings: Ratings) -> None:
    table = compare([Wrapped(), Wrapped(3.0), Ranks], ratings, metrics=["rmse", "ndcg@10"]).table
    assert table.algorithm == ("popularity", "bias", "wrapped", "wrapped damping=3.0", "ranks")
    assert [value is None for value in table.rmse] == [True, False, False, False, True]
    alone = cross_validate(Wrapped(), ratings, folds=2, metrics=["rmse"])
    inside = cross_validate(Bias(choice=None), ratings, folds=2, metrics=["rmse"])
    assert alone.table.mean[0] == pytest.approx(inside.table.mean[0])
    tuning = matinee.tune(Wrapped, ratings, budget=3)
    assert all(trial.state == "done" for trial in tuning.trials)
    assert tuning.trials[0].settings == {"damping": 8.0}


def test_several_are_cross_validated_on_the_same_folds(ratings: Ratings) -> None:
    splits = [splitting.per_user(ratings, seed=seed) for seed in range(3)]
    found = cross_validate(["bias", Popularity()], splits, metrics=["rmse", "ndcg@10"])
    assert found.table.algorithm == ("bias", "popularity")
    assert found.table.columns["rmse"][1] is None
    own = cross_validate("bias", splits, metrics=["rmse", "ndcg@10"])
    assert found.results[0].to_dict()["metrics"] == own.to_dict()["metrics"]
    for name in own.names:
        values = [fold.metrics[name] for fold in own.folds]
        row = dict(zip(own.table.metric, own.table.std, strict=True))
        assert row[name] == pytest.approx(np.std(values, ddof=1))
    assert str(found).splitlines()[0].split()[:2] == ["rmse", "ndcg@10"]


def test_it_goes_by_module_and_class(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    Path("outsider.py").write_text(
        "class Three:\n"
        "    def __init__(self, value=3.0):\n"
        "        self.value = value\n"
        "    def fit(self, ratings):\n"
        "        return self\n"
        "    def predict(self, users, items):\n"
        "        return [self.value] * len(items)\n"
    )
    ratings = matinee.checkerboard(40)
    ratings.to_pandas().to_csv("r.csv", index=False)
    command = ["evaluate", "r.csv", "--algorithm", "outsider:Three", "--metrics", "rmse"]
    assert run([*command, "--set", "value=2"]) == 0
    split = splitting.random(matinee.read_ratings("r.csv"))
    expected = np.sqrt(np.mean((split.test.rating - 2) ** 2))
    assert f"rmse  {expected:.4f}" in capsys.readouterr().out
    assert run([*command, "--set", "valeu=2"]) == 2
    assert "did you mean 'value'?" in capsys.readouterr().err
    assert run(["fit", "not-read.csv", "--algorithm", "outsider:Three", "--out", "m"]) == 2
    assert "Three, which is from outside, is no model file; evaluate," in capsys.readouterr().err
    assert str(tmp_path) not in sys.path
    with pytest.raises(BadSetting, match="has no class 'Four'"):
        choose_one("outsider:Four")
    with pytest.raises(BadSetting, match="nowhere:X cannot be imported"):
        choose_one("nowhere:X")


def test_a_package_offers_it_by_an_entry_point(ratings: Ratings, monkeypatch) -> None:
    offer = EntryPoint("theirs", f"{__name__}:Wrapped", registry.GROUP)
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or sys.modules["__main__"])
    monkeypatch.setattr(sys.modules[__name__], "Wrapped", Wrapped, raising=False)
    monkeypatch.setattr(registry, "entry_points", lambda group: [offer])
    assert matinee.fit(ratings, "theirs").algorithm == "wrapped"
    with pytest.raises(BadSetting, match="did you mean 'theirs'"):
        choose_one("their")


@pytest.mark.parametrize("name", ["popularity", "bias", "mf", "ease", "item-knn", "bpr"])
def test_our_own_keep_the_contract(name: str) -> None:
    table = check_algorithm(name)
    assert set(table.result) == {"holds"}


class Random(Wrapped):
    def fit(self, ratings: Ratings) -> Any:
        rng = np.random.default_rng()
        answers = super().fit(ratings)
        return type("M", (), {"predict": lambda s, u, i: answers.predict(u, i) + rng.random()})()


class Short(Wrapped):
    def fit(self, ratings: Ratings) -> Any:
        return type("M", (), {"predict": lambda s, u, i: [3.0]})()


class Infinite(Wrapped):
    def fit(self, ratings: Ratings) -> Any:
        return type("M", (), {"predict": lambda s, u, i: [np.inf] * len(i)})()


class Unstated(Ranks):
    kind = "rating"


class Empty(Wrapped):
    def fit(self, ratings: Ratings) -> Any:
        return object()


class Forgetful(Wrapped):
    def __init__(self, damping: float = 8.0) -> None:
        self.damping = damping + 1


@pytest.mark.parametrize(
    "broken, words",
    [
        (Random, "two fits of the same ratings differ"),
        (Short, "one number a pair is needed"),
        (Infinite, "200 of 200 scores are not finite"),
        (Unstated, 'state kind = "preference"'),
        (Empty, "neither predict"),
        (Forgetful, "made again from its settings it is Forgetful"),
    ],
)
def test_what_breaks_the_contract_is_said(broken: type, words: str) -> None:
    assert set(check_algorithm(Wrapped).result) == {"holds"}
    with pytest.raises(BadModel, match=words):
        check_algorithm(broken)


def test_what_is_unknown_of_the_inside_is_refused_in_words(ratings, tmp_path: Path) -> None:
    model = matinee.fit(ratings, Wrapped())
    for lack, ask in {
        "gives no reasons": lambda: model.explain("1", "2"),
        "folds no one in": lambda: model.fold_in({"1": 3}),
        "is no model file": lambda: model.save(tmp_path / "m"),
    }.items():
        with pytest.raises(BadSetting, match=f"wrapped, which is from outside, {lack}"):
            ask()


def test_what_is_no_algorithm_is_refused_in_words(ratings: Ratings) -> None:
    with pytest.raises(BadSetting, match="3 is no algorithm"):
        compare([3], ratings)  # type: ignore[list-item]
    with pytest.raises(BadSetting, match="give a list"):
        compare(MF(), ratings)  # type: ignore[arg-type]
    with pytest.raises(BadSetting, match="algorithms is mf alone; give a list"):
        compare("mf", ratings)


@pytest.mark.parametrize("name", ALSO_CALLED)
def test_names_of_others_lead_to_ours(name: str) -> None:
    assert name not in ALGORITHMS
    ours = ALSO_CALLED[name].replace(",", " ").split()
    assert any(one in ALGORITHMS for one in ours)
    with pytest.raises(BadSetting, match=r"there is no algorithm .* here; it is "):
        choose_one(name.upper())
