"""Standings: the rank of any item, against the last of the list, and what would move it."""

from dataclasses import replace

import numpy as np
import pytest

import matinee
from matinee.errors import BadSetting
from matinee.explain.counterfactual import Counterfactual
from matinee.explain.entry import Entry, Rated
from matinee.explain.ranks import ordinal
from matinee.models.standing import place_in_list, standing

USER = "42"
ALGORITHMS = [
    matinee.MF(n_factors=4, n_epochs=3),
    matinee.NMF(n_factors=4, n_epochs=5),
    matinee.ItemKNN(),
    matinee.ImplicitALS(n_factors=4, n_epochs=3),
]


@pytest.fixture(scope="module", params=ALGORITHMS, ids=lambda one: one.name)
def model(request):
    return request.param.fit(matinee.sample())


def test_the_rank_is_the_place_in_the_list(model):
    items = list(model.recommend(USER, len(model.items)).item_id)
    for place in (0, 9, 10, 200, len(items) - 1):
        stands = standing(model, USER, items[place])
        assert (stands.rank, stands.n_ranked) == (place + 1, len(items))
        assert stands.is_listed == (place < 10)
        last = items[9] if place > 9 else items[10]  # the tenth of the others
        assert stands.last.versus.item_id == last


def test_the_place_is_that_of_the_standing_and_says_so(model):
    items = list(model.recommend(USER, len(model.items)).item_id)
    for rank in (1, 10, 11, 312):
        place, stands = (ask(model, USER, items[rank - 1]) for ask in (place_in_list, standing))
        assert vars(place).items() <= vars(stands).items()
        words = f"{place.title} is {ordinal(rank)} of the {len(items):,} that you have not "
        assert place.sentence() == stands.sentence()
        assert place.sentence().startswith(words)
        assert place.sentence().endswith(f"{'in' if rank <= 10 else 'not in'} your first 10.")


def test_what_brings_an_item_in_is_what_a_what_if_says(model):
    items = list(model.recommend(USER, 60).item_id)
    for item in items[14:60:9]:
        entry = standing(model, USER, item).change
        assert isinstance(entry, Entry)
        if not entry.rated:
            continue
        change = {one.item_id: one.rating for one in entry.rated}
        result = model.what_if(USER, item, change=change)
        assert result.rank_after == entry.rank_after < entry.rank_before
        assert entry.enters == (entry.rank_after <= 10)
        assert model.scale.high == entry.rated[0].rating
        listed = model.recommend(result.person, 10).item_id
        assert (item in listed) == entry.enters


@pytest.mark.parametrize(("unit", "added"), [("stars", "ratings"), ("points", "choices")])
def test_ratings_that_do_not_reach_the_list_are_not_suggested(unit, added):
    heat = Rated("1", "Heat", 5.0)
    entry = Entry("7", "2", "Alien", 10, 5, (heat,), rank_before=131, rank_after=11, unit=unit)
    assert entry.sentence() == (
        f"As far as was tried, no 5 {added} of similar items would bring Alien into your first 10."
    )
    reaches = replace(entry, rank_after=10).sentence()
    assert reaches.endswith("Heat 5, Alien would be 10th instead of 131st.") == (unit == "stars")
    assert "Heat" in reaches


def test_what_takes_an_item_out_is_the_counterfactual(model):
    item = model.recommend(USER, 1).item_id[0]
    change = standing(model, USER, item).change
    assert isinstance(change, Counterfactual)
    assert change == model.counterfactual(USER, item, 10, most=3)


def test_a_rated_item_is_not_listed(model):
    item = model.items.ids[model.rated(USER)[0]]
    stands = standing(model, USER, item)
    assert not stands.is_listed
    assert stands.change is None
    assert stands.rating == model.person(USER).ratings[0]
    did = f"rated it {stands.rating:g}" if model.kind == "rating" else "chose it"
    assert stands.sentence() == f"{stands.title} is not in the list, because you {did}."


def test_a_model_without_similar_items_names_no_entry():
    model = matinee.Popularity().fit(matinee.sample())
    last = model.recommend(USER, 50).item_id[-1]
    assert standing(model, USER, last).change is None
    assert standing(model, USER, last).rank == 50


def test_a_list_has_a_length(model):
    with pytest.raises(BadSetting, match="n is 0"):
        standing(model, USER, model.items.ids[0], 0)


def test_the_sums_of_a_standing_are_those_of_the_two_scores(model):
    item = model.items.ids[int(np.argmin(model.item_counts))]
    last = standing(model, USER, item).last
    assert sum(term.value for term in last.terms) == pytest.approx(last.difference, abs=1e-4)
