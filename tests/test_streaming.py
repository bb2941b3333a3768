"""A fit on packed ratings is the fit in memory, bit for bit, however it is cut or interrupted."""

import numpy as np
import pytest

from matinee.algorithms import MF, NMF, ImplicitALS, Popularity
from matinee.data import packed as packed_module
from matinee.data.ids import IdMap
from matinee.data.packed import PackedRatings
from matinee.data.ratings import Ratings
from matinee.data.scale import Scale
from matinee.errors import BadSetting, MatineeError
from matinee.kernels import blas
from matinee.models.fitted import counts_of
from matinee.sources.packing.pack import pack
from matinee.training import checkpoints
from matinee.training import gathering as gathering_module
from matinee.training.alternating import TableSummary

CASES = {
    "mf": MF(choice=None, n_factors=6, n_epochs=3),
    "mf:unbiased": MF(choice=None, n_factors=5, n_epochs=3, biased=False),
    "mf:plain": MF(choice=None, n_factors=7, n_epochs=3, implicit_weight=0.0),
    "mf:wide": MF(choice=None, n_factors=55, n_epochs=2, implicit_weight=0.0),
    "nmf": NMF(choice=None, n_factors=5, n_epochs=3),
    "nmf:random": NMF(choice=None, n_factors=5, n_epochs=3, init="random"),
    "implicit-als": ImplicitALS(n_factors=6, n_epochs=3, n_steps=0),
    "implicit-als:weighted": ImplicitALS(
        n_factors=20, n_epochs=2, n_steps=0, by_rating=0.5, reg_power=1.0
    ),
    "implicit-als:nonnegative": ImplicitALS(
        n_factors=6, n_epochs=3, n_steps=0, lowest=0.2, nonnegative=True
    ),
}
PIECE = 16  # users, so that a few hundred of them are many pieces


def skewed(n_users=300, n_items=60, seed=0):
    """Ratings with a long tail: a film that all have seen, films that three have."""
    rng = np.random.default_rng(seed)
    share = np.r_[1.0, np.geomspace(0.5, 3 / n_users, n_items - 1)]
    known = rng.random((n_users, n_items)) < share
    known[:, 0] = True
    known[0] = True
    user, item = np.nonzero(known)
    liking = rng.normal(0, 1, (n_users, 3)) @ rng.normal(0, 0.7, (n_items, 3)).T
    stars = np.clip(np.round(2 * (3.5 + liking[known])) / 2, 0.5, 5)
    ids = IdMap.of(range(n_users), "user"), IdMap.of(range(n_items), "item")
    return Ratings.of(*ids, user, item, stars, scale=Scale(0.5, 5))


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Blocks of a few pieces, pieces of a few users."""
    monkeypatch.setattr(packed_module, "USERS_PER_PIECE", PIECE)
    monkeypatch.setattr(PackedRatings.blocks, "__defaults__", (500,))
    monkeypatch.setattr(blas, "PIECE", PIECE)
    monkeypatch.setattr("matinee.training.dual_items.PIECE", PIECE)


@pytest.fixture(scope="module")
def train():
    return skewed()


@pytest.fixture(scope="module")
def packed(train, tmp_path_factory):
    ids = [side.ids[rows] for side, rows in ((train.users, train.user), (train.items, train.item))]
    columns = (*(list(column) for column in ids), train.rating)
    return pack(columns, tmp_path_factory.mktemp("packed") / "ratings", scale=(0.5, 5))


def check_equal(found, wanted):
    """The two models are one."""
    for name in ("user_factors", "user_bias", "item_factors", "item_bias"):
        assert np.array_equal(getattr(found, name), getattr(wanted, name)), name
    implicit = found.item_embeddings.implicit, wanted.item_embeddings.implicit
    assert (implicit[0] is None) == (implicit[1] is None)
    assert implicit[0] is None or np.array_equal(*implicit)
    assert found.settings == wanted.settings
    assert found.fold == wanted.fold
    assert found.facts.keys() == wanted.facts.keys()
    for name, value in wanted.facts.items():
        assert found.facts[name] == pytest.approx(value, rel=1e-9), name
    assert found.recommend("3") == wanted.recommend("3")
    assert str(found.explain("3", "59")) == str(wanted.explain("3", "59"))


@pytest.fixture(params=CASES)
def algorithm(request):
    return CASES[request.param]


def test_a_fit_on_packed_ratings_is_the_fit_in_memory(algorithm, train, packed):
    epochs = []
    found = algorithm.fit_packed(packed, on_epoch=epochs.append)
    wanted = []
    check_equal(found, algorithm.fit(train, on_epoch=wanted.append))
    assert [one.number for one in epochs] == [one.number for one in wanted]
    for one, other in zip(epochs, wanted, strict=True):
        assert (one.train_rmse or 0) == pytest.approx(other.train_rmse or 0, rel=1e-9)


def test_blocks_threads_and_rounds_change_no_bit(algorithm, train, packed, monkeypatch):
    wanted = algorithm.fit(train)
    monkeypatch.setattr(PackedRatings.blocks, "__defaults__", (10**6,))
    check_equal(algorithm.fit_packed(packed), wanted)
    monkeypatch.setattr(PackedRatings.blocks, "__defaults__", (1,))
    monkeypatch.setenv("MATINEE_THREADS", "3")
    check_equal(algorithm.fit_packed(packed, memory=20_000), wanted)
    parts = gathering_module.rounds(
        algorithm.alternation(TableSummary.of(train)), np.arange(60), 20_000
    )
    assert len(parts) > 3


class Stop(Exception):
    """An interruption."""


def test_an_interrupted_fit_goes_on_from_its_last_epoch(algorithm, train, packed, tmp_path):
    wanted = algorithm.fit(train)
    for after in range(1, algorithm.n_epochs):

        def stop(epoch, after=after):
            if epoch.number == after:
                raise Stop

        with pytest.raises(Stop):
            algorithm.fit_packed(packed, stop, folder=tmp_path / "state")
        again = []
        found = algorithm.fit_packed(packed, again.append, folder=tmp_path / "state", resume=True)
        assert [epoch.number for epoch in again] == list(range(after + 1, algorithm.n_epochs + 1))
        check_equal(found, wanted)


def test_an_interruption_within_an_epoch_loses_that_epoch_only(algorithm, train, packed, tmp_path):
    seen = []

    def stop(done, of, epoch):
        seen.append((done, of, epoch))
        if epoch == 1 and done > 1.3 * len(packed):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        algorithm.fit_packed(packed, folder=tmp_path / "state", on_part=stop)
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)
    assert {of for _, of, _ in seen} == {(algorithm.n_epochs + 1) * len(packed)}
    found = algorithm.fit_packed(packed, folder=tmp_path / "state", resume=True)
    check_equal(found, algorithm.fit(train))


def test_a_finished_fit_can_go_on_but_not_back(train, packed, tmp_path):
    short, long = (MF(choice=None, n_factors=4, n_epochs=n) for n in (2, 4))
    check_equal(short.fit_packed(packed, folder=tmp_path / "state"), short.fit(train))
    found = long.fit_packed(packed, folder=tmp_path / "state", resume=True)
    check_equal(found, long.fit(train))
    with pytest.raises(MatineeError, match="3 epochs done already"):
        short.fit_packed(packed, folder=tmp_path / "state", resume=True)


def test_the_state_of_another_fit_is_refused(packed, tmp_path):
    MF(choice=None, n_factors=3, n_epochs=1).fit_packed(packed, folder=tmp_path / "state")
    with pytest.raises(MatineeError, match="other settings"):
        MF(choice=None, n_factors=4, n_epochs=1).fit_packed(
            packed, folder=tmp_path / "state", resume=True
        )
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(MatineeError, match="choose another place"):
        MF(choice=None, n_factors=3, n_epochs=1).fit_packed(packed, folder=tmp_path / "mine")


def test_users_without_ratings_are_the_average(train, tmp_path, packed):
    kept = packed.in_memory().positives_from(5.0)
    ids = train.users.ids[train.user], train.items.ids[train.item]
    columns = (*(list(column) for column in ids), train.rating)
    positives = pack(columns, tmp_path / "positives", scale=(0.5, 5), positives_from=5.0)
    assert (kept.user_counts == 0).any()
    assert (kept.item_counts == 0).any()
    for algorithm in CASES.values():
        found, wanted = algorithm.fit_packed(positives), algorithm.fit(kept)
        for name in ("user_factors", "user_bias", "item_factors", "item_bias"):
            assert np.array_equal(getattr(found, name), getattr(wanted, name)), (algorithm, name)


def test_steps_of_conjugate_gradients_give_way_to_exact_solves(packed, train):
    with pytest.warns(UserWarning, match="n_steps=0"):
        found = ImplicitALS(n_factors=4, n_epochs=2).fit_packed(packed)
    check_equal(found, ImplicitALS(n_factors=4, n_epochs=2, n_steps=0).fit(train))


@pytest.mark.parametrize(
    "algorithm", [Popularity(), MF(solver="sgd"), NMF(missing="zero")], ids=lambda one: one.name
)
def test_what_cannot_stream_says_so(algorithm, packed):
    with pytest.raises(BadSetting, match="packed ratings"):
        algorithm.fit_packed(packed)


def test_large_factors_are_turned_in_their_file(algorithm, train, packed, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "IN_MEMORY", 0)
    found = algorithm.fit_packed(packed, folder=tmp_path / "state")
    check_equal(found, algorithm.fit(train))
    kept = [np.fromfile(file, "f4") for file in (tmp_path / "state").glob("users-*-factors")]
    assert sum(np.array_equal(one, found.user_factors.ravel()) for one in kept) == 1
    again = algorithm.fit_packed(packed, folder=tmp_path / "state", resume=True)
    check_equal(again, found)  # the first model keeps what it has mapped


def test_a_full_disk_is_told_and_the_fit_goes_on(train, packed, tmp_path, monkeypatch):
    """The last pass finds no room for the users; once there is some, it is done again."""
    algorithm, state = CASES["mf"], tmp_path / "state"

    def full(self, file):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(checkpoints, "append", full)
        with pytest.raises(MatineeError, match=r"could not be kept in .*No space left on device"):
            algorithm.fit_packed(packed, folder=state)
    found = algorithm.fit_packed(packed, folder=state, resume=True)
    check_equal(found, algorithm.fit(train))


def test_ratings_of_an_item_are_counted_piece_by_piece(monkeypatch):
    numbers = np.random.default_rng(0).integers(0, 9, 100).astype(np.uint8)
    monkeypatch.setattr("matinee.models.fitted.PIECE", 7)
    assert np.array_equal(counts_of(numbers, 12), np.bincount(numbers, minlength=12))
