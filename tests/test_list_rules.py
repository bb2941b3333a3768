"""Rules at list time: filters, re-ranking against a slow twin, and the laws of what moved."""

from dataclasses import fields, replace

import numpy as np
import pytest

from matinee.algorithms import ImplicitALS, Popularity
from matinee.data.catalog import NO_CATALOG
from matinee.data.catalog_filter import CatalogColumns
from matinee.errors import BadSetting, UnknownId
from matinee.evaluation.metrics import beyond
from matinee.lists import ruled_lists
from matinee.lists.list_rules import RERANKED, ListRules, RuleArguments
from matinee.sources.sample import sample

ALL = {"diversity": 0.4, "novelty": 0.3, "calibrated": 0.5}


@pytest.fixture(scope="module")
def model():
    return ImplicitALS(n_factors=6, n_epochs=3).fit(sample())


@pytest.fixture(scope="module")
def users(model):
    return model.users.ids[:5].tolist()


# Filters.


def test_filters_leave_the_best_of_what_meets_them(model, users):
    every = model.recommend(users[0], len(model.items))
    conditions = {"genre": ["horror", "Science Fiction"], "year": (1980, None)}
    found = model.recommend(users[0], 8, where=conditions, min_ratings=30)
    expected = [
        item
        for item in every.item_id
        if {"Horror", "Science Fiction"} & set(model.catalog[item].genres)
        and model.catalog[item].year >= 1980
        and model.item_counts[model.items.row(item)] >= 30
    ]
    assert list(found.item_id) == expected[:8]
    assert list(found.columns) == ["rank", "item_id", "title", "score"]


def test_a_value_a_list_and_a_range_are_conditions_and_none_is_no_condition(model, users):
    def items(**where):
        return set(model.recommend(users[0], len(model.items), where=where).item_id)

    assert items(genre="Horror") == items(genres=["HORROR"])
    assert items(genre=["Horror", "Comedy"]) == items(genre="Horror") | items(genre="Comedy")
    assert items(year=(1990, 1990)) == items(year=1990) == items(year="1990")
    assert items(year=(None, 1989)) | items(year=(1990, None)) == items()
    assert items(genre=None) == items()


def test_conditions_find_what_reading_each_item_finds(model):
    columns = CatalogColumns(model.catalog, list(model.items))
    entries = [model.catalog[item] for item in model.items]
    for first, last in ((1950, 1979.5), (None, 1999), (2000, None)):
        low, high = first or -np.inf, last or np.inf
        expected = [one.year is not None and low <= one.year <= high for one in entries]
        assert columns.column("year").matching((first, last)).tolist() == expected
    for genre in {genre for one in entries for genre in one.genres}:
        expected = [genre in one.genres for one in entries]
        assert columns.column("genre").matching(genre).tolist() == expected


def test_a_column_is_indexed_once_however_it_is_spelled(model):
    columns = CatalogColumns(model.catalog, list(model.items))
    for name in ("genre", "Genre", "GENRES", "gEnReS"):
        columns.column(name).matching("Horror")
    assert list(columns.indexed) == ["genre"]


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({"genr": "Horror"}, "no column 'genr'; did you mean 'genre'"),
        ({"genre": "Horor"}, "no item has the genre 'Horor'; did you mean 'Horror'"),
        ({"year": 1066}, "no item has the year '1066'; they go from 19"),
        ({"genre": (1, 2)}, "holds text"),
        ({"year": (1999, 1990)}, "low end is above"),
        ({"year": (1, 2, 3)}, r"must be \(low, high\)"),
    ],
)
def test_unknown_columns_and_values_are_errors_with_the_nearest(model, users, where, words):
    with pytest.raises(BadSetting, match=words):
        model.recommend(users[0], where=where)


def test_a_genre_where_no_catalogue_is_says_what_to_give(model, users):
    bare = replace(model, catalog=NO_CATALOG)
    with pytest.raises(BadSetting, match="no item has a genre; give the fit a catalogue with it"):
        bare.recommend(users[0], where={"genre": "Horror"})


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"diversity": -0.1}, "diversity is -0.1"),
        ({"diversity": 7}, "diversity is 7; it must be from 0 for not at all to 1 for most"),
        ({"novelty": np.inf}, "novelty is inf"),
        ({"calibrated": "much"}, "calibrated is 'much'"),
        ({"min_ratings": 2.5}, "min_ratings is 2.5"),
        ({"min_ratings": -1}, "min_ratings is -1"),
        ({"boost": {"1": np.nan}}, "boost of '1'"),
        ({"hide": "1"}, "hide is one text"),
    ],
)
def test_impossible_rules_are_errors(model, users, rules, words):
    with pytest.raises(BadSetting, match=words):
        model.recommend(users[0], **rules)
    for name in ("hide", "boost"):
        with pytest.raises(UnknownId):
            model.recommend(users[0], **{name: {"no such item": 1}})


def test_rules_have_the_same_names_as_arguments():
    assert set(RuleArguments.__annotations__) == {one.name for one in fields(ListRules)}


# Re-ranking.


def twin(model, user, n, rules):
    """(row, terms) of each place, by the definition: one candidate after another."""
    plain = model.recommend(user, RERANKED)
    rows = [model.items.row(item) for item in plain.item_id]
    score = dict(zip(rows, plain.score, strict=True))
    spread = plain.score[0] - plain.score[-1]
    names, genres = model.catalog.genre_matrix(model.items)
    share = genres / np.maximum(genres.sum(axis=1, keepdims=True), 1)
    person = model.person(user)
    liked = share[person.items[person.ratings >= person.ratings.mean()]].sum(axis=0)
    p = liked / liked.sum()

    def miscalibration(items):
        total = share[items].sum(axis=0)
        q = total / total.sum()
        return len(items) * sum(
            p[g] * np.log(p[g] / (0.99 * q[g] + 0.01 * p[g])) for g in range(len(names)) if p[g]
        )

    def cosine(a, b):
        return genres[a] @ (1.0 * genres[b]) / np.sqrt(genres[a].sum() * genres[b].sum())

    def terms(row):
        known = model.item_counts[row] / len(model.users)
        nearest = max((cosine(row, other) for other in placed), default=0)
        before = miscalibration(placed) if placed else 0
        return {
            "novelty": spread * rules["novelty"] * -np.log(known) / np.log(len(model.users)),
            "diversity": -spread * rules["diversity"] * nearest,
            "calibration": -spread
            * rules["calibrated"]
            * (miscalibration([*placed, row]) - before),
        }

    placed, found = [], []
    for _ in range(n):
        left = {row: terms(row) for row in rows if row not in placed}
        best = max(left, key=lambda row: score[row] + sum(left[row].values()))
        found.append((best, left[best]))
        placed.append(best)
    return found


def test_re_ranking_is_that_of_a_slow_twin(model, users):
    for user in users:
        table = model.recommend(user, 10, **ALL)
        expected = twin(model, user, 10, ALL)
        assert [model.items.row(item) for item in table.item_id] == [row for row, _ in expected]
        for name in ("novelty", "diversity", "calibration"):
            terms = [own[name] for _, own in expected]
            assert np.allclose(table.columns[name], terms, atol=1e-5), name


def test_score_and_terms_add_up_to_the_total(model, users):
    table = model.recommend(users, 10, **ALL, boost={model.items.ids[3]: 0.2})
    terms = [table.columns[name] for name in ("boost", "novelty", "diversity", "calibration")]
    assert np.allclose(table.total, np.sum([table.score, *terms], axis=0), atol=1e-6)


def test_all_users_at_once_get_what_each_gets_alone(model, users, monkeypatch):
    """To rounding: products of one person and of many may add in another order."""
    alone = [row for user in users for row in model.recommend([user], 10, **ALL)]
    for block in (2, 128):
        monkeypatch.setattr(ruled_lists, "PEOPLE_AT_ONCE", block)
        for one, other in zip(model.recommend(users, 10, **ALL), alone, strict=True):
            for own, expected in zip(one, other, strict=True):
                close = isinstance(own, float)
                assert own == (pytest.approx(expected, abs=1e-5) if close else expected)


def test_a_shorter_list_is_the_beginning_of_a_longer_one(model, users):
    longest = model.recommend(users[0], RERANKED + 20, **ALL)
    for n in (1, 10, RERANKED):
        assert model.recommend(users[0], n, **ALL).item_id == longest.item_id[:n]
    plain = model.recommend(users[0], RERANKED + 20)
    assert longest.item_id[RERANKED:] == plain.item_id[RERANKED:]
    assert set(longest.moved[RERANKED:]) == {""}


def test_strengths_do_not_depend_on_the_unit_of_scores(model, users):
    side = model.user_embeddings
    scaled = replace(model, user_embeddings=side._replace(factors=side.factors * np.float32(4)))
    for user in users:
        first, second = (one.recommend(user, 10, **ALL) for one in (model, scaled))
        assert first.item_id == second.item_id
        assert first.moved == second.moved


def test_what_moved_is_told_by_ranks_and_a_rule_in_force(model, users):
    moved = 0
    for user in users:
        place = {item: k for k, item in enumerate(model.recommend(user, RERANKED).item_id, 1)}
        for row in model.recommend(user, 10, diversity=0.5, calibrated=0.5):
            steps = place[row.item_id] - row.rank
            words, _, rule = row.moved.partition(": ")
            assert words == (f"up {steps}" if steps > 0 else f"down {-steps}" if steps else "")
            assert not words or rule in ("diversity", "calibration")
            moved += bool(words)
    assert moved > 10
    only = model.recommend(users[0], 10, calibrated=0.5).moved
    assert {words.partition(": ")[2] for words in only if words} == {"calibration"}


def test_each_rule_does_what_it_is_for(model):
    everybody = model.users.ids[:60].tolist()
    genres = model.catalog.genre_matrix(model.items)[1]
    facts = beyond.ItemFacts.of(model.item_counts, len(model.users), genres)
    shares = facts.genre_shares
    histories = [ruled_lists.liked_items(model.person(one)) for one in everybody]
    liked = np.array([shares[rows].sum(axis=0) for rows in histories])
    liked /= liked.sum(axis=1, keepdims=True)

    def means(**rules):
        rows = model.items.rows(model.recommend(everybody, 10, **rules).item_id).reshape(-1, 10)
        lists = beyond.Lists(rows, facts, liked)
        return {
            "diversity": beyond.diversity(lists, 10).mean(),
            "novelty": beyond.novelty(lists, 10).mean(),
            "calibrated": -beyond.genre_calibration(lists, 10).mean(),
        }

    plain = means()
    for rule in plain:
        weak, strong = (means(**{rule: strength})[rule] for strength in (0.1, 1.0))
        assert plain[rule] < weak < strong


# Boosts and hidden items.


def test_a_boost_lifts_an_item_from_anywhere_and_says_so(model, users):
    user = users[0]
    plain = model.recommend(user, len(model.items))
    last, tenth = plain.item_id[-1], plain.item_id[9]
    table = model.recommend(user, 10, boost={last: 1000.0, tenth: 500.0})
    assert table.item_id[:2] == (last, tenth)
    assert table.moved[:2] == (f"up from below {RERANKED}: boost", "up 8: boost")
    assert table.boost[:2] == (1000.0, 500.0)
    assert table.score[0] == pytest.approx(plain.score[-1], abs=1e-5)
    assert table.item_id[2:] == plain.item_id[:8]
    assert set(table.moved[2:]) == {"down 2: boost"}
    seen = model.items.ids[model.rated(user)[0]]
    assert seen not in model.recommend(user, 10, boost={seen: 1000.0}).item_id
    sunk = model.recommend(user, 10, boost={plain.item_id[0]: -1000.0})
    assert sunk.item_id == plain.item_id[1:11]


def test_hidden_items_are_in_no_list(model, users):
    plain = model.recommend(users[0], 12).item_id
    hidden = {plain[0], plain[4]}
    assert model.recommend(users[0], 10, hide=hidden).item_id == tuple(
        item for item in plain if item not in hidden
    )


def test_who_has_no_history_has_no_genres_to_keep_to(model):
    stranger = model.fold_in({})
    table = model.recommend(stranger, 10, calibrated=1.0)
    assert table.item_id == model.recommend(stranger, 10).item_id
    assert set(table.calibration) == {0.0}


def test_without_genres_diversity_is_of_factors_or_refused(model, users):
    bare = replace(model, catalog=replace(model.catalog, entries={}))
    table = bare.recommend(users[0], 10, diversity=0.5)
    assert table.diversity[0] == 0
    assert min(table.diversity) < 0
    with pytest.raises(BadSetting, match="calibrated needs a catalogue with genres"):
        bare.recommend(users[0], 10, calibrated=0.5)
    popular = Popularity().fit(sample())
    with pytest.raises(BadSetting, match="diversity needs"):
        replace(popular, catalog=bare.catalog).recommend(users[0], 10, diversity=0.5)
