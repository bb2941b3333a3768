"""The embedded films are well formed, and the simulated ratings follow the laws they claim."""

import re
import unicodedata
from collections import Counter

import numpy as np
import pytest

from matinee.sources.films import GENRES, read_films
from matinee.sources.sample import (
    ERA_TILT,
    HOUSEHOLD_NAMES,
    PERIOD_END,
    PERIOD_START,
    TASTES,
    Simulation,
    simulate,
)

FILMS = read_films()


@pytest.fixture(scope="module")
def world() -> Simulation:
    return simulate(seed=0)


def slug(title, year):
    plain = unicodedata.normalize("NFKD", title.lower().replace("&", " and "))
    plain = plain.encode("ascii", "ignore").decode().replace("'", "")
    return re.sub("[^a-z0-9]+", "-", plain).strip("-") + f"-{year}"


def count(rows, n):
    return np.bincount(rows, minlength=n)


def mean_rating(rows, world, n):
    """The mean rating of each row; NaN for those without."""
    sums, counts = np.bincount(rows, world.rating, minlength=n), count(rows, n)
    return np.divide(sums, counts, out=np.full(n, np.nan), where=counts > 0)


def correlation(x, y):
    return np.corrcoef(x, y)[0, 1]


def rmse(score, rating):
    return np.sqrt(np.mean((np.clip(score, 0.5, 5.0) - rating) ** 2))


# The catalogue


def test_enough_films_sorted_and_each_once():
    ids = [film.item_id for film in FILMS]
    assert len(FILMS) >= 420
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert len({(film.title, film.year) for film in FILMS}) == len(FILMS)


@pytest.mark.parametrize("title, year, expected", [("Amélie", 2001, "amelie-2001")])
def test_slug_by_hand(title, year, expected):
    assert slug(title, year) == expected


def test_item_id_is_title_and_year():
    assert [film.item_id for film in FILMS] == [slug(film.title, film.year) for film in FILMS]


def test_fields_are_plausible():
    for film in FILMS:
        assert 1920 <= film.year <= 2023, film
        assert 1 <= len(film.genres) <= 4, film
        assert set(film.genres) <= set(GENRES), film
        assert len(film.directors) >= 1, film
        assert 2 <= len(film.cast) <= 3, film
        names = (film.title, *film.genres, *film.directors, *film.cast)
        assert all(name and name == name.strip() for name in names), film
        for people in (film.genres, film.directors, film.cast):
            assert len(set(people)) == len(people), film


def test_one_person_is_written_in_one_way():
    written = {name for film in FILMS for name in film.directors + film.cast}
    plain = Counter(slug(name, 0) for name in written)
    assert [name for name, n in plain.items() if n > 1] == []


def test_every_genre_and_decade_is_there():
    genres = Counter(genre for film in FILMS for genre in film.genres)
    assert set(genres) == set(GENRES)
    assert min(genres.values()) >= 12
    decades = Counter(film.year // 10 for film in FILMS)
    assert set(decades) == set(range(192, 203))


def test_real_facts_by_eye():
    heat = next(film for film in FILMS if film.item_id == "heat-1995")
    assert (heat.title, heat.year, heat.directors) == ("Heat", 1995, ("Michael Mann",))
    assert heat.cast[:2] == ("Al Pacino", "Robert De Niro")


def test_tables_of_the_simulator_name_real_things():
    assert set(HOUSEHOLD_NAMES.split()) <= {film.item_id for film in FILMS}
    assert set(ERA_TILT) <= set(TASTES)
    for name, genres in TASTES.items():
        assert set(name.split(" & ")) <= set(genres) <= set(GENRES)
    assert {genre for genres in TASTES.values() for genre in genres} == set(GENRES)


# The simulator


def test_same_seed_same_world(world):
    again, other = simulate(seed=0), simulate(seed=1)
    for name in ("user", "item", "rating", "timestamp", "user_tastes", "item_tastes"):
        assert np.array_equal(getattr(world, name), getattr(again, name))
    assert not np.array_equal(world.item[:1000], other.item[:1000])


def test_number_of_users_is_a_parameter():
    small = simulate(seed=3, n_users=50)
    assert small.user_tastes.shape == (50, len(TASTES))
    assert set(small.user) == set(range(50))


def test_shapes_and_types(world):
    assert (world.user.dtype, world.item.dtype) == (np.int32, np.int32)
    assert (world.rating.dtype, world.timestamp.dtype) == (np.float32, np.int64)
    assert world.user.size == world.item.size == world.rating.size == world.timestamp.size
    assert world.user_tastes.shape == world.user_drift.shape == (2000, len(world.taste_names))
    assert world.item_tastes.shape == (len(FILMS), len(world.taste_names))
    assert world.films == FILMS


def test_half_stars_and_no_pair_twice(world):
    assert set(np.unique(world.rating)) == set(np.arange(0.5, 5.5, 0.5))
    pair = world.user.astype(np.int64) * len(FILMS) + world.item
    assert np.unique(pair).size == pair.size


def test_long_tails(world):
    per_user, per_film = count(world.user, 2000), count(world.item, len(FILMS))
    assert 85_000 < world.rating.size < 115_000
    assert per_user.min() >= 10
    assert 30 <= np.median(per_user) <= 40
    assert 200 <= per_user.max() <= 250
    assert per_film.max() > 1000  # more than half the people
    assert 0.08 < np.mean(per_film < 10) < 0.15  # too few to go by, as in any real catalogue
    assert np.mean(per_film == 0) < 0.005
    assert 4 <= np.percentile(per_film, 5) <= 10
    assert per_film.mean() > 1.5 * np.median(per_film)


def test_generosity_and_quality_show_in_the_means(world):
    by_user = mean_rating(world.user, world, 2000)
    by_film = mean_rating(world.item, world, len(FILMS))
    assert correlation(by_user, world.user_generosity) > 0.6
    known = count(world.item, len(FILMS)) >= 10
    assert known.sum() > 900
    assert correlation(by_film[known], world.film_quality[known]) > 0.7


def test_much_seen_films_are_better(world):
    seen = np.log(count(world.item, len(FILMS)) + 1)
    assert correlation(seen, world.film_quality) > 0.4
    most = np.argsort(seen)[-100:]
    assert world.film_quality[most].mean() > world.film_quality.mean() + 0.3


def test_people_rate_what_they_like(world):
    """Not at random: rated films are preferred, also against the person's and the film's mean."""
    match = world.user_tastes @ world.item_tastes.T
    rated = np.zeros(match.shape, bool)
    rated[world.user, world.item] = True
    preference = match + world.film_quality + world.user_generosity[:, None]
    assert preference[rated].mean() > preference[~rated].mean() + 0.4

    own = match - match.mean(axis=0) - match.mean(axis=1, keepdims=True) + match.mean()
    assert own[rated].mean() > own[~rated].mean() + 0.15


def test_time_goes_by_in_sittings(world):
    assert world.timestamp.min() >= PERIOD_START
    assert world.timestamp.max() < PERIOD_END
    assert np.ptp(world.timestamp) > 2 * 365 * 86_400  # seconds
    same_user = np.diff(world.user) == 0
    wait = np.diff(world.timestamp)[same_user]
    assert wait.min() >= 0
    assert np.median(wait) < 3600  # within a sitting ..
    assert np.percentile(wait, 95) > 86_400  # .. and long between sittings


def test_tastes_are_non_negative_and_few(world):
    start = world.user_tastes - world.user_drift / 2
    end = world.user_tastes + world.user_drift / 2
    assert min(start.min(), end.min()) >= -1e-12
    assert world.item_tastes.min() >= 0
    np.testing.assert_allclose(np.linalg.norm(world.item_tastes, axis=1), 1)

    strong_in_film = (world.item_tastes > 0.4).sum(axis=1)
    assert np.mean(strong_in_film <= 2) > 0.8
    share = np.sort(world.user_tastes / world.user_tastes.sum(axis=1, keepdims=True), axis=1)
    assert np.median(share[:, -3:].sum(axis=1)) > 0.75


def test_tastes_drift(world):
    change = np.abs(world.user_drift).sum(axis=1) / world.user_tastes.sum(axis=1)
    assert 0.1 < np.median(change) < 0.7
    middle = np.full_like(world.timestamp, (PERIOD_START + PERIOD_END) // 2)
    then = world.preference(world.user, world.item, world.timestamp)
    fixed = world.preference(world.user, world.item, middle)
    assert rmse(then, world.rating) < rmse(fixed, world.rating)


def test_genres_name_the_tastes(world):
    """The ten films highest in a taste each carry one of its genres."""
    for name, tastes in zip(world.taste_names, world.item_tastes.T, strict=True):
        for row in np.argsort(-tastes)[:10]:
            assert set(world.films[row].genres) & set(TASTES[name]), (name, world.films[row])


def test_preference_is_the_written_sum(world):
    u, i, when = world.user[:1], world.item[:1], world.timestamp[:1]
    h = (when[0] - PERIOD_START) / (PERIOD_END - PERIOD_START)
    tastes = world.user_tastes[u[0]] + (h - 0.5) * world.user_drift[u[0]]
    by_hand = world.global_level + world.user_generosity[u[0]] + world.film_quality[i[0]]
    by_hand += tastes @ world.item_tastes[i[0]]
    assert world.preference(u, i, when)[0] == pytest.approx(by_hand)


def test_room_between_biases_and_the_truth(world):
    """Biases alone, fitted with damping on 80 %, miss what tastes would tell."""
    held_out = np.random.default_rng(1).random(world.rating.size) < 0.2
    u, i, r = (x[~held_out] for x in (world.user, world.item, world.rating.astype(float)))
    mean, of_user, of_film = r.mean(), np.zeros(2000), np.zeros(len(FILMS))
    damping = 5.0
    for _ in range(10):
        left = r - mean - of_user[u]
        of_film = np.bincount(i, left, len(FILMS)) / (count(i, len(FILMS)) + damping)
        left = r - mean - of_film[i]
        of_user = np.bincount(u, left, 2000) / (count(u, 2000) + damping)

    u, i, r = (x[held_out] for x in (world.user, world.item, world.rating))
    biases = rmse(mean + of_user[u] + of_film[i], r)
    truth = rmse(world.preference(u, i, world.timestamp[held_out]), r)
    assert 0.86 < biases < 0.90
    assert 0.72 < truth < 0.76
