"""Networks: reasons in closed form, early stopping by lists, and an extra that only fits need."""

import sys

import numpy as np
import pytest

from matinee.algorithms import ALGORITHMS, MultVAE, NeuralMF
from matinee.algorithms.registry import choose
from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings
from matinee.data.rows import Rows
from matinee.errors import BadSetting, Diverged
from matinee.models import load
from matinee.row_solvers import Encoder, LeastSquares
from matinee.row_solvers.embeddings import Embeddings
from matinee.row_solvers.tower import Examples, PersonSolve, Tower, Vectors
from matinee.sources.synthetic import checkerboard
from matinee.splitting import random
from matinee.training.held_out_lists import HeldOutLists
from matinee.training.neural_mf import Source

RNG = np.random.default_rng(7)
N_ITEMS, N_HIDDEN, N_FACTORS = 12, 5, 3


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    shapes = (N_ITEMS, N_HIDDEN), (N_HIDDEN,), (N_HIDDEN, N_FACTORS)
    return Encoder(*(RNG.normal(0, 2, shape).astype(np.float32) for shape in shapes))


@pytest.fixture(scope="module")
def items() -> Embeddings:
    factors = RNG.normal(size=(N_ITEMS, N_FACTORS)).astype(np.float32)
    return Embeddings(factors, np.zeros(N_ITEMS, np.float32))


def factors_of(encoder: Encoder, items: Embeddings, h: np.ndarray) -> np.ndarray:
    """The factors of an input h (n_items,), as the formula says; float64."""
    W, b, V = (np.asarray(one, np.float64) for one in vars(encoder).values())
    return (np.tanh(h @ W + b) - np.tanh(b)) @ V


def solved(encoder: Encoder, items: Embeddings, *histories: list[int]) -> Embeddings:
    users = Embeddings.zeros(len(histories), N_FACTORS)
    rated = np.concatenate([np.zeros(0), *histories]).astype(np.int32)
    ends = np.cumsum([0, *map(len, histories)])
    encoder.solve(Rows(ends, rated, np.ones(len(rated), np.float32)), 0.0, items, users)
    return users


def test_an_encoder_is_its_formula(encoder, items):
    users = solved(encoder, items, [1, 4, 5, 9], [], [3])
    h = np.zeros(N_ITEMS)
    h[[1, 4, 5, 9]] = 0.5
    assert users.factors[0] == pytest.approx(factors_of(encoder, items, h), rel=1e-5)
    assert not users.factors[1].any(), "an empty history has no factors"


@pytest.mark.parametrize("history", [[2], [0, 3, 4, 7, 11], list(range(N_ITEMS))])
def test_parts_are_the_integrated_gradients_of_the_score(encoder, items, history):
    """By quadrature of numerical gradients along the path."""
    person, target = solved(encoder, items, history), 6
    q = items.factors[target].astype(np.float64)
    h = np.zeros(N_ITEMS)
    h[history] = 1 / np.sqrt(len(history))
    nodes, weights = np.polynomial.legendre.leggauss(60)
    expected, step = np.zeros(len(history)), 1e-5
    for t, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        for place, item in enumerate(history):
            e = np.zeros(N_ITEMS)
            e[item] = step
            up, down = (factors_of(encoder, items, t * h + sign * e) @ q for sign in (1, -1))
            expected[place] += weight * h[item] * (up - down) / (2 * step)
    rated, targets = np.array(history), np.array([target])
    (parts,) = encoder.parts(Rows.single(rated, np.ones(len(history))), items, targets, person)
    assert parts == pytest.approx(expected, abs=1e-6)
    assert parts.sum() == pytest.approx(float(person.factors[0] @ q), abs=1e-4)


def test_a_unit_that_does_not_move_has_the_slope_of_its_place(items):
    """A hidden unit without input: its mean slope is that of tanh at its bias, not 0 / 0."""
    W = np.zeros((N_ITEMS, 1), np.float32)
    W[0], W[1] = 1.0, -1.0
    encoder = Encoder(W, np.array([0.5], np.float32), np.ones((1, N_FACTORS), np.float32))
    person = solved(encoder, items, [0, 1])
    (parts,) = encoder.parts(
        Rows.single(np.array([0, 1]), np.ones(2)), items, np.array([3]), person
    )
    slope = (1 - np.tanh(0.5) ** 2) * items.factors[3].sum() / np.sqrt(2)
    assert parts == pytest.approx([slope, -slope], rel=1e-6)


def test_a_rotation_turns_the_encoder_with_the_items(encoder, items):
    T, _ = np.linalg.qr(RNG.normal(size=(N_FACTORS, N_FACTORS)))
    turned = solved(encoder.rotated(T), items, [1, 2])
    assert turned.factors == pytest.approx(solved(encoder, items, [1, 2]).factors @ T, abs=1e-5)


QUICK = {"n_factors": 6, "n_hidden": 12, "learning_rate": 0.01, "batch_size": 100}


@pytest.fixture(scope="module")
def two_tastes() -> Ratings:
    """600 users and 30 items; even users choose among even items, odd ones among odd."""
    rng = np.random.default_rng(3)
    user, item = np.nonzero(rng.random((600, 30)) < 0.6)
    same = user % 2 == item % 2
    names = (IdMap.of(range(n), kind) for n, kind in ((600, "user"), (30, "item")))
    return Ratings.of(*names, user[same], item[same], np.ones(same.sum(), np.float32))


@pytest.fixture(scope="module")
def model(two_tastes):
    return MultVAE(**QUICK).fit(two_tastes)


def test_a_person_is_offered_what_is_of_their_kind(model):
    listed = model.recommend(model.fold_in({"0": 1, "4": 1}), 8).item_id
    assert {int(one) % 2 for one in listed} == {0}
    reasons = model.explain(model.fold_in({"0": 1, "1": 1}), "2", by="history")
    by_item = {term.name: term.value for term in reasons if term.kind == "rating"}
    assert by_item["item 0"] > 0 > by_item["item 1"]


def test_the_best_epoch_is_kept_by_held_out_users(model, two_tastes):
    facts = model.facts
    assert 1 <= facts["best_epoch"] <= facts["n_epochs_run"] <= 100
    held_out = HeldOutLists.of(two_tastes, None, 42)
    assert facts["validation_ndcg@10"] > 0.5
    hidden = np.flatnonzero(held_out.test.user_counts)
    assert len(hidden) == np.count_nonzero(two_tastes.user_counts >= 5) // 10
    assert not held_out.learning[hidden].any()
    assert (held_out.test.user_counts[hidden] == two_tastes.user_counts[hidden] // 5).all()
    assert len(held_out.known) + len(held_out.test) == len(two_tastes)


def test_a_validation_part_takes_the_place_of_held_out_users(two_tastes):
    split = random(two_tastes, seed=1)
    epochs = []
    model = MultVAE(**QUICK, n_epochs=15).fit(split.train, split.test, epochs.append)
    assert [one.number for one in epochs] == list(range(1, model.facts["n_epochs_run"] + 1))
    assert HeldOutLists.of(split.train, split.test, 0).learning.all()
    assert "validation_ndcg@10" in model.facts


def test_few_users_are_all_learned_from():
    ratings = checkerboard(40)
    assert HeldOutLists.of(ratings, None, 0) is None
    assert MultVAE(**QUICK, n_epochs=3).fit(ratings).facts == {"n_epochs_run": 3}


def test_an_interruption_ends_a_fit(two_tastes):
    def interrupt(epoch):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        MultVAE(**QUICK).fit(two_tastes, on_epoch=interrupt)


def test_a_fit_that_diverges_says_so(two_tastes):
    settings = QUICK | {"learning_rate": 1e30}
    with pytest.raises(Diverged, match=r"lower learning_rate \(now 1e\+30\)"):
        MultVAE(**settings).fit(two_tastes)


# The network of neural matrix factorization.

K, HIDDEN, INNER, N_RATED = 3, 4, 5, 9


@pytest.fixture(scope="module")
def tower() -> Tower:
    shapes = (HIDDEN, INNER), (INNER,), (INNER,)
    return Tower(*(RNG.normal(0, 0.7, shape).astype(np.float32) for shape in shapes))


def vectors(n: int) -> Vectors:
    return Vectors(RNG.normal(size=(n, K)), RNG.normal(size=(n, HIDDEN)), RNG.normal(size=n))


def solve_and_examples(tower: Tower, logistic: bool) -> tuple[PersonSolve, Examples]:
    solve = PersonSolve(tower, RNG.normal(0, 0.1, K + HIDDEN + 1), K, logistic)
    targets = RNG.integers(0, 2, N_RATED).astype(float) if logistic else RNG.normal(size=N_RATED)
    return solve, Examples(vectors(N_RATED), targets, RNG.uniform(0.5, 2, N_RATED))


def numerical_gradient(function, at: np.ndarray, step: float = 1e-6) -> np.ndarray:
    along = np.eye(len(at)) * step
    return np.array([(function(at + e) - function(at - e)) / (2 * step) for e in along])


def test_scores_of_pairs_are_those_of_their_sums(tower):
    users, items = RNG.normal(size=(3, HIDDEN)), RNG.normal(size=(5, HIDDEN))
    table = tower.of_pairs(users.astype("f4"), items.astype("f4"))
    for u, x in enumerate(users):
        assert table[u] == pytest.approx([float(tower((x + y)[None])[0]) for y in items], abs=1e-5)


@pytest.mark.parametrize("logistic", [True, False])
def test_gradients_are_numerical_ones(tower, logistic):
    solve, examples = solve_and_examples(tower, logistic)
    v = RNG.normal(size=K + HIDDEN + 1)
    expected = numerical_gradient(lambda at: solve.scores(at, examples.items), v)
    assert solve.gradients(v, examples.items) == pytest.approx(expected.T, abs=1e-7)


@pytest.mark.parametrize("logistic", [True, False])
@pytest.mark.parametrize("reg", [0.3, 3.0])
def test_a_solved_person_is_a_minimum(tower, logistic, reg):
    """The objective as it is written, not as the solve computes it."""
    solve, examples = solve_and_examples(tower, logistic)

    def objective(v):
        s, y = solve.scores(v, examples.items), examples.targets
        loss = -y * np.log(1 / (1 + np.exp(-s))) - (1 - y) * np.log(1 - 1 / (1 + np.exp(-s)))
        loss = loss if logistic else (y - s) ** 2 / 2
        return examples.weights @ loss + reg / 2 * ((v - solve.average) ** 2).sum()

    v = solve.solve(examples, reg)
    assert np.abs(numerical_gradient(objective, v)).max() < 1e-4
    for _ in range(20):
        assert objective(v + RNG.normal(0, 0.05, len(v))) > objective(v)


@pytest.mark.parametrize("logistic", [True, False])
def test_parts_by_history_are_complete(tower, logistic):
    solve, examples = solve_and_examples(tower, logistic)
    v = solve.solve(examples, 0.5)
    for _ in range(5):
        target = vectors(1)
        lead = float(solve.scores(v, target)[0] - solve.scores(solve.average, target)[0])
        assert solve.parts(v, examples, 0.5, target).sum() == pytest.approx(lead, abs=1e-5)


def test_without_a_tower_parts_are_those_of_least_squares():
    """With no network the solve is a ridge regression, and its parts are Hu, Koren & Volinsky's."""
    tower = Tower(*(np.zeros(shape, np.float32) for shape in ((HIDDEN, INNER), INNER, INNER)))
    items = vectors(N_RATED)._replace(bias=np.zeros(N_RATED))
    solve = PersonSolve(tower, np.zeros(K + HIDDEN + 1), K, logistic=False)
    y, reg = RNG.normal(size=N_RATED), 0.8
    examples = Examples(items, y, np.ones(N_RATED))
    v = solve.solve(examples, reg)
    parts = solve.parts(v, examples, reg, items.take(np.array([2])))
    side = Embeddings(items.linear.astype("f4"), np.zeros(N_RATED, np.float32))
    ridge = LeastSquares(reg=reg, reg_power=0.0, bias_reg=reg, bias_power=0.0)
    users = Embeddings.zeros(1, K)
    rows = np.arange(N_RATED, dtype=np.int32)
    ridge.solve(Rows(np.array([0, N_RATED]), rows, y.astype("f4")), 0.0, side, users)
    assert v[:K] == pytest.approx(users.factors[0], abs=1e-4)
    assert parts == pytest.approx(
        ridge.parts(Rows.single(rows, y), side, np.array([2]), users)[0], abs=1e-4
    )


NETWORK = {"n_factors": 4, "n_hidden": 8, "n_inner": 6, "learning_rate": 0.01}


@pytest.fixture(scope="module")
def neural_mf(two_tastes):
    return NeuralMF(**NETWORK, n_epochs=10, batch_size=1000).fit(two_tastes)


def test_a_network_of_choices_tells_two_tastes_apart(neural_mf):
    listed = neural_mf.recommend(neural_mf.fold_in({"0": 1, "4": 1, "8": 1}), 8).item_id
    assert {int(one) % 2 for one in listed} == {0}
    assert neural_mf.facts["best_epoch"] <= neural_mf.facts["n_epochs_run"] <= 10


def test_a_score_is_tastes_and_a_named_interaction(neural_mf):
    reasons = neural_mf.explain("3", "5", by="factor")
    (beyond,) = [term for term in reasons if term.kind == "remainder"]
    assert beyond.name == "how you and it go together beyond tastes"
    user, item = neural_mf.users.row("3"), neural_mf.items.row("5")
    x = neural_mf.user_embeddings.factors[user, 4:] + neural_mf.item_embeddings.factors[item, 4:]
    assert beyond.value == pytest.approx(float(neural_mf.tower(x[None])[0]), abs=1e-6)


def test_negatives_are_no_choices_of_the_user(two_tastes):
    source = Source(two_tastes, 0.0, 1.0, 4)
    examples = source.examples(two_tastes, np.random.default_rng(0))
    drawn = examples.take(np.flatnonzero((examples.target == 0) & (examples.weight == 1)))
    chosen = set(zip(two_tastes.user.tolist(), two_tastes.item.tolist(), strict=True))
    assert not chosen & set(zip(drawn.user.tolist(), drawn.item.tolist(), strict=True))
    assert len(drawn.user) > 3.9 * len(two_tastes)
    assert (np.bincount(drawn.user, minlength=600) <= 4 * two_tastes.user_counts).all()


def test_a_network_of_stars_predicts_a_product():
    """Stars 3 + p_u q_i of one planted factor; a tenth is held out."""
    rng = np.random.default_rng(5)
    p, q = rng.choice([-1.0, 1.0], 150), rng.choice([-1.0, 1.0], 40)
    user, item = np.nonzero(rng.random((150, 40)) < 0.5)
    names = (IdMap.of(range(n), kind) for n, kind in ((150, "user"), (40, "item")))
    ratings = Ratings.of(*names, user, item, 3 + (p[:, None] * q)[user, item])
    split = random(ratings, test_share=0.1)
    settings = NETWORK | {"feedback": "rating", "n_epochs": 40, "batch_size": 200, "choice": None}
    model = NeuralMF(**settings).fit(split.train)
    error = model.predict_rows(split.test.user, split.test.item) - split.test.rating
    assert np.sqrt((error**2).mean()) < 0.15


@pytest.fixture
def without_jax(monkeypatch):
    for name in [one for one in sys.modules if one.partition(".")[0] in ("jax", "jaxlib")]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "jax", None)


NEURAL = [name for name, kind in ALGORITHMS.items() if kind.extra is not None]


@pytest.mark.parametrize("name", NEURAL)
def test_a_fit_without_the_extra_says_what_to_install(name, two_tastes, without_jax):
    with pytest.raises(BadSetting) as error:
        ALGORITHMS[name]().fit(two_tastes)
    assert str(error.value) == (
        f"{name} is trained by jax, which is not installed: "
        'pip install "matinee[accelerated]"; saved models answer without it'
    )
    assert name not in {one.name for one in choose(None)}


@pytest.mark.parametrize("kind", ["mult-vae", "neural-mf"])
def test_a_saved_model_answers_without_the_extra(kind, model, neural_mf, tmp_path, without_jax):
    model = {one.algorithm: one for one in (model, neural_mf)}[kind]
    loaded = load(model.save(tmp_path / "model"))
    rows = np.arange(600)
    assert np.array_equal(loaded.score_block(rows), model.score_block(rows))
    person = loaded.fold_in({"0": 1, "4": 1})
    for by in loaded.views:
        reasons = loaded.explain(person, "2", by)
        assert sum(term.value for term in reasons) == pytest.approx(reasons.score, rel=1e-4)
    assert loaded.what_if(person, "2", without=["4"]).rank_after >= 1
    assert loaded.counterfactual(person, loaded.recommend(person, 1).item_id[0], n=1).n == 1


@pytest.mark.parametrize("kind", [MultVAE, NeuralMF])
def test_settings_that_are_no_numbers_are_refused(kind):
    with pytest.raises(BadSetting, match="learning_rate is nan; it must be a finite number"):
        kind(learning_rate=float("nan"))
