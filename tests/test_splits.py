"""Splits: what goes where, that nothing leaks, and what is said."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import matinee
from matinee import splitting
from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings
from matinee.errors import BadRatings, BadSetting
from matinee.splitting import SPLITS, Split

DAY = 86_400


def ratings_of(rows, order=None):
    """Ratings from (user id, item id, rating, time) rows; time None throughout: unknown."""
    rows = rows if order is None else [rows[place] for place in order]
    user_ids, item_ids, rating, time = zip(*rows, strict=True)
    users, items = IdMap.of(user_ids, "user"), IdMap.of(item_ids, "item")
    timestamp = None if time[0] is None else np.array(time)
    return Ratings.of(
        users, items, users.rows(user_ids), items.rows(item_ids), np.array(rating), timestamp
    )


def pairs(ratings):
    user, item = ratings.users.ids[ratings.user], ratings.items.ids[ratings.item]
    return set(zip(user.tolist(), item.tolist(), strict=True))


@st.composite
def rating_rows(draw):
    keys = draw(
        st.lists(
            st.tuples(st.integers(0, 5), st.integers(0, 7)), min_size=6, max_size=40, unique=True
        )
    )
    timed = draw(st.booleans())
    return [
        (u, i, draw(st.integers(1, 5)), draw(st.integers(0, 4)) if timed else None) for u, i in keys
    ]


GRID = [(u, i, 3, 10 * u + i) for u in range(4) for i in range(5)]


# Laws that hold for every split.


def every_split(ratings):
    """All the splits that these ratings allow."""
    made = [splitting.random(ratings, 0.3, seed=1), *splitting.k_fold(ratings, 3, seed=1)]
    for choose in SPLITS.values():
        try:
            made.append(choose(ratings))
        except BadRatings:
            continue
    return made


@given(rating_rows())
def test_parts_are_disjoint_complete_and_share_ids(rows):
    ratings = ratings_of(rows)
    for split in every_split(ratings):
        history = set() if split.history is None else pairs(split.history)
        parts = [pairs(split.train), pairs(split.test), history]
        assert sum(map(len, parts)) == len(ratings)
        assert set().union(*parts) == pairs(ratings)
        assert split.train.users == split.test.users == ratings.users
        assert split.train.scale == split.test.scale == ratings.scale


@given(rating_rows(), st.randoms())
def test_the_order_of_rows_and_a_second_call_change_nothing(rows, random):
    order = list(range(len(rows)))
    random.shuffle(order)
    again = every_split(ratings_of(rows, order))
    for split, other in zip(every_split(ratings_of(rows)), again, strict=True):
        assert split.test.fingerprint == other.test.fingerprint
        assert split.description == other.description


def test_another_seed_gives_another_split():
    ratings = ratings_of(GRID)
    assert pairs(splitting.random(ratings, seed=0).test) != pairs(
        splitting.random(ratings, seed=1).test
    )


# Each split.


def test_random_takes_its_share():
    split = splitting.random(ratings_of(GRID), test_share=0.25, seed=4)
    assert (len(split.train), len(split.test)) == (15, 5)
    said = "25 % of all ratings at random (seed 4): 15 ratings to train, 5 to test"
    assert str(split) == said


def test_folds_test_each_rating_once_and_are_of_equal_size():
    ratings = ratings_of(GRID)
    made = list(splitting.k_fold(ratings, folds=6))
    assert sorted(len(split.test) for split in made) == [3, 3, 3, 3, 4, 4]
    assert set().union(*(pairs(split.test) for split in made)) == pairs(ratings)
    assert made[1].description == "fold 2 of 6 at random (seed 0)"


def test_leave_last_takes_the_latest_of_each_user():
    rows = [("a", "x", 3, 30), ("a", "y", 3, 10), ("a", "z", 3, 20), ("b", "x", 3, 1)]
    split = splitting.leave_last(ratings_of(rows), n=1)
    assert pairs(split.test) == {("a", "x")}
    assert "users with 1 or fewer ratings are wholly in training: 1" in split.description
    assert pairs(splitting.leave_last(ratings_of(rows), n=2).test) == {("a", "x"), ("a", "z")}


def test_leave_last_draws_among_equal_and_unknown_times():
    tied = [(0, i, 3, DAY) for i in range(30)]
    unknown = [(0, i, 3, None) for i in range(30)]
    for rows in (tied, unknown):
        last = {min(pairs(splitting.leave_last(ratings_of(rows), seed=s).test)) for s in range(10)}
        assert len(last) > 3  # not the last by number
    assert "for want of times" in splitting.leave_last(ratings_of(unknown)).description


def test_by_time_cuts_at_one_moment_for_all():
    rows = [(u, day, 3, day * DAY) for day in range(10) for u in range(3)]
    split = splitting.by_time(ratings_of(rows), test_share=0.2)
    assert split.train.timestamp.max() == 7 * DAY
    assert split.test.timestamp.min() == 8 * DAY
    assert split.description == "20 % of all ratings, those since 1970-01-09 00:00:00 UTC"


def test_by_time_keeps_a_moment_together_and_both_parts_alive():
    rows = [(0, i, 3, 0 if i < 2 else DAY) for i in range(10)]  # 8 of 10 on the last day
    split = splitting.by_time(ratings_of(rows), test_share=0.1)
    assert (len(split.train), len(split.test)) == (2, 8)
    assert split.description.startswith("80 % of all ratings")


def test_per_user_takes_its_share_of_everybody():
    split = splitting.per_user(ratings_of(GRID), test_share=0.4)
    assert split.test.by_user.counts.tolist() == [2, 2, 2, 2]
    few = ratings_of([(0, 0, 3, None), (1, 0, 3, None), (1, 1, 3, None), (1, 2, 3, None)])
    split = splitting.per_user(few, test_share=0.8)
    assert split.test.by_user.counts.tolist() == [0, 2]  # one of each stays in training
    assert split.description == "80 % of the ratings of each user at random (seed 0)"


@pytest.mark.parametrize(
    "choose, side", [(splitting.cold_users, "user"), (splitting.cold_items, "item")]
)
def test_cold_ones_are_wholly_in_the_test_part(choose, side):
    split = choose(ratings_of(GRID), test_share=0.25, seed=2)
    known, asked = set(getattr(split.train, side)), set(getattr(split.test, side))
    assert known.isdisjoint(asked)
    assert len(asked) == 1
    assert "unknown in training (seed 2)" in split.description


def test_strong_generalisation_folds_held_out_users_in():
    split = splitting.strong(ratings_of(GRID), test_share=0.5, history_share=0.6, seed=1)
    held_out = set(split.test.user.tolist())
    assert len(held_out) == 2
    assert held_out.isdisjoint(split.train.user.tolist())
    assert held_out == set(split.history.user.tolist())
    assert (len(split.history), len(split.test)) == (6, 4)
    assert "10 ratings to train, 6 to fold in, 4 to test" in str(split)


def test_a_split_says_what_it_is_made_of():
    ratings = ratings_of(GRID)
    origin = splitting.random(ratings, 0.25, seed=4).origin
    assert origin["split"] == "random"
    assert origin["seed"] == 4
    assert origin["split_settings"] == {"test_share": 0.25, "seed": 4}
    assert set(origin["fingerprints"]) == {"train", "test"}
    assert splitting.random(ratings, 0.25, seed=5).origin["fingerprints"] != origin["fingerprints"]
    assert splitting.given(*parts_of(ratings)).origin["split"] == "given"
    for name, choose in SPLITS.items():
        assert choose(ratings).name == name


def parts_of(ratings):
    split = splitting.random(ratings)
    return split.train, split.test


def test_given_parts_are_numbered_alike():
    train = ratings_of([("1", "x", 4, None), ("10", "y", 2, None)])
    test = ratings_of([("2", "y", 5, None), ("1", "z", 1, None)])
    split = splitting.given(train, test)
    assert list(split.train.users) == ["1", "2", "10"]
    assert list(split.test.items) == ["x", "y", "z"]
    assert pairs(split.train) == {("1", "x"), ("10", "y")}
    assert pairs(split.test) == {("2", "y"), ("1", "z")}


def test_of_what_each_user_liked_a_share_is_held_out_rounded_down():
    rng = np.random.default_rng(0)
    ratings = ratings_of(
        [(u, i, int(rng.integers(1, 6)), None) for u in range(9) for i in range(4 * u + 2)]
    )
    split = splitting.liked(ratings, 0.2, seed=3)
    assert split.test.rating.min() >= 4
    n_liked = np.bincount(ratings.user[ratings.rating >= 4], minlength=9)
    assert np.array_equal(np.bincount(split.test.user, minlength=9), n_liked // 5)
    assert pairs(splitting.liked(ratings, 0.2, seed=4).test) != pairs(split.test)
    assert "20 % of what each user liked" in str(split)


def test_of_choices_all_is_liked():
    split = splitting.liked(ratings_of(GRID), 0.4)
    assert np.array_equal(np.bincount(split.test.user), [2, 2, 2, 2])


# Refusals.


def test_leakage_is_refused_and_named():
    train = ratings_of([("ann", "heat", 4, None), ("bob", "heat", 2, None)])
    test = ratings_of([("bob", "alien", 5, None), ("ann", "heat", 1, None)])
    with pytest.raises(BadRatings, match="user 'ann' and item 'heat' are in both"):
        splitting.given(train, test)


def test_leakage_between_history_and_the_other_parts_is_refused():
    split = splitting.strong(ratings_of(GRID), test_share=0.5)
    for leak, name in ((split.train, "training"), (split.test, "history")):
        with pytest.raises(BadRatings, match=f"in both the {name} and the"):
            Split(split.train, split.test, "by hand", history=leak)


def test_parts_numbered_differently_are_refused():
    train, test = ratings_of([("a", "x", 1, None)]), ratings_of([("b", "x", 1, None)])
    with pytest.raises(BadRatings, match="different ids"):
        Split(train, test, "by hand")


@pytest.mark.parametrize("share", [0, 1, -0.2, 1.5, float("nan")])
@pytest.mark.parametrize(
    "choose", [choose for name, choose in SPLITS.items() if name != "leave-last"]
)
def test_impossible_shares_are_refused(choose, share):
    with pytest.raises(BadSetting, match="test_share is"):
        choose(ratings_of(GRID), test_share=share)


@pytest.mark.parametrize("share, missing", [(0.01, "no test"), (0.99, "no training")])
def test_empty_parts_are_refused(share, missing):
    with pytest.raises(BadRatings, match=f"leaves {missing} part"):
        splitting.random(ratings_of(GRID), test_share=share)


@pytest.mark.parametrize("choose", [splitting.cold_users, splitting.cold_items, splitting.strong])
def test_one_user_or_item_cannot_be_held_out(choose):
    with pytest.raises(BadRatings, match=r"leaves no (test|training) part"):
        choose(ratings_of([(0, 0, 3, None)]))


@pytest.mark.parametrize("share", [0, 1, -1])
def test_impossible_history_shares_are_refused(share):
    with pytest.raises(BadSetting, match="history_share is"):
        splitting.strong(ratings_of(GRID), history_share=share)


@pytest.mark.parametrize("folds", [0, 1, 21])
def test_impossible_folds_are_refused_at_once(folds):
    with pytest.raises(BadSetting, match=f"folds is {folds}"):
        splitting.k_fold(ratings_of(GRID), folds=folds)


def test_a_negative_seed_is_refused():
    with pytest.raises(BadSetting, match="seed is -1"):
        splitting.random(ratings_of(GRID), seed=-1)


def test_leave_last_needs_someone_with_more():
    with pytest.raises(BadSetting, match="n is 0"):
        splitting.leave_last(ratings_of(GRID), n=0)
    with pytest.raises(BadRatings, match="no test ratings"):
        splitting.leave_last(ratings_of(GRID), n=5)


def test_by_time_needs_times_that_differ():
    with pytest.raises(BadRatings, match="no times"):
        splitting.by_time(ratings_of([(0, 0, 3, None), (0, 1, 3, None)]))
    with pytest.raises(BadRatings, match="all ratings are of 1970-01-01 00:00:07 UTC; spl"):
        splitting.by_time(ratings_of([(0, 0, 3, 7), (0, 1, 3, 7)]))


def test_registered_splits_make_one_split_each():
    ratings = ratings_of(GRID)
    assert all(isinstance(choose(ratings), Split) for choose in SPLITS.values())


def test_parts_keep_the_read_report(tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text("user_id,item_id,rating\n1,1,4\n1,2,x\n2,1,3\n2,2,5\n")
    ratings = matinee.read_ratings(path)
    assert ratings.report.n_set_aside == 1
    split = splitting.random(ratings, test_share=0.4)
    parts = [split.train, split.test, ratings.subset(ratings.rating > 3)]
    parts.append(ratings.renumbered(ratings.users, ratings.items))
    assert all(part.report is ratings.report for part in parts)
    assert ratings.positives_from(4).report.n_set_aside == 2, "the rating of 3 is set aside too"
