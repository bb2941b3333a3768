"""A small world of real films and simulated people, made afresh from a seed.

The films and the facts about them are real (`films.csv`). The people, their tastes, what they rate and how many
stars they give are drawn at random, and the truth behind the stars is kept, so that a model can be held against it.

    s_ui(h) = mu + g_u + q_i + a_u(h) . b_i          true preference of person u for film i at time h, in stars
    a_u(h)  = a_u + (h - 1/2) d_u                    tastes drift; h runs from 0 to 1 over the period
    b_i                                              tastes of a film: genres, era, the people who made it
    n_u                                              how many films u rates: long-tailed
    u rates i among the n_u largest of  v_i + beta (q_i + a_u . b_i) + Gumbel noise
    r_ui    = s_ui(h) + sigma N(0, 1), rounded to a half star and clipped to 0.5 .. 5

`mu` is the global level, `g_u` the generosity of a person, `q_i` the quality of a film, `v_i` the log of its
visibility. Tastes `a_u(h)` and `b_i` are non-negative: they can be looked for by NMF and named by genres. Because
beta > 0, people rate what they like: ratings are not missing at random (Marlin & Zemel 2009). Taking the n_u
largest Gumbel-perturbed values is sampling without replacement (Yellott 1977).
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GENRES = (
    "Action",
    "Adventure",
    "Animation",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Family",
    "Fantasy",
    "History",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Science Fiction",
    "Thriller",
    "War",
    "Western",
)

# How strongly a genre speaks of a taste.
TASTES: Mapping[str, Mapping[str, float]] = {
    "Action & Science Fiction": {
        "Action": 0.8,
        "Science Fiction": 1.0,
        "Adventure": 0.6,
        "Fantasy": 0.3,
    },
    "Animation & Family": {"Animation": 1.0, "Family": 1.0, "Fantasy": 0.4},
    "Crime & Thriller": {"Crime": 1.0, "Thriller": 0.8, "Mystery": 0.7},
    "Drama & Documentary": {"Drama": 0.5, "Documentary": 1.0, "History": 0.3},
    "Horror": {"Horror": 1.8},
    "Musical": {"Musical": 1.6},
    "Romance & Comedy": {"Romance": 0.9, "Comedy": 0.8},
    "War & Western": {"War": 1.2, "Western": 1.6, "History": 0.5},
}

# Log-change of a taste per 40 years after 1985: some tastes are for classics.
ERA_TILT: Mapping[str, float] = {
    "Action & Science Fiction": 0.3,
    "Crime & Thriller": -0.1,
    "Musical": -0.2,
    "Romance & Comedy": -0.1,
    "War & Western": -0.4,
}

# Log-change of a film's visibility by genre.
DRAW: Mapping[str, float] = {
    "Action": 0.25,
    "Adventure": 0.3,
    "Animation": 0.2,
    "Documentary": -0.9,
    "Musical": -0.2,
    "Science Fiction": 0.3,
    "War": -0.1,
    "Western": -0.3,
}

# Films
PEOPLE_PULL = 0.25  # share of a film's tastes taken from the other films of its director and leads
FAINT_TASTE = 0.12  # tastes weaker than this are dropped
TASTE_NOISE = 0.25  # standard deviation of the log of a film's tastes
QUALITY_SPREAD = 0.42  # standard deviation of q_i, in stars
QUALITY_FAME = 0.55  # correlation of quality with the log of visibility
FAME_NOISE = 0.6  # standard deviation of visibility not told by the facts
TAIL_EXPONENT = 0.95  # visibility falls as (rank + TAIL_HEAD) ** -TAIL_EXPONENT
TAIL_HEAD = 12.0

# People
GLOBAL_LEVEL = 2.35  # mu, stars, before tastes add theirs
GENEROSITY_SPREAD = 0.38  # standard deviation of g_u, in stars
TASTE_STARS = 3.0  # stars that the tastes of one person have to give: the sum of a_u
TASTE_FOCUS = 0.35  # Dirichlet parameter of a_u: small means few, strong tastes
TASTE_DRIFT = 0.35  # share of a person's tastes that is renewed over the period
RATING_NOISE = 0.74  # sigma, stars

# Who rates what
PREFERENCE_PULL = 0.75  # beta, per star
FEWEST, MOST = 10, 250  # ratings of one person
EXTRA_RATINGS = 25.0  # median of n_u - FEWEST
ACTIVITY_SPREAD = 1.0  # standard deviation of the log of n_u - FEWEST

# When
PERIOD_START = 1_609_459_200  # 2021-01-01 00:00 UTC, unix seconds
PERIOD_END = 1_767_225_600  # 2026-01-01 00:00 UTC, unix seconds
LATEST_ARRIVAL = 0.9  # of the period
RATINGS_PER_SITTING = 12.0
SITTING_SECONDS = 2_400.0  # mean time of a rating after the sitting began


@dataclass(frozen=True)
class Film:
    """One film of the catalogue; `item_id` is its title and year as a slug."""

    item_id: str
    title: str
    year: int
    genres: tuple[str, ...]
    directors: tuple[str, ...]
    cast: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Simulation:
    """Ratings as row numbers, sorted by user and time, and the truth they were drawn from."""

    films: tuple[Film, ...]
    user: NDArray[np.int32]
    item: NDArray[np.int32]
    rating: NDArray[np.float32]
    timestamp: NDArray[np.int64]  # unix seconds
    user_tastes: Floats  # (n_users, n_tastes), a_u: in the middle of the period
    user_drift: Floats  # (n_users, n_tastes), d_u: change over the whole period
    item_tastes: Floats  # (n_films, n_tastes), b_i
    taste_names: tuple[str, ...]
    global_level: float
    user_generosity: Floats
    film_quality: Floats

    def preference(
        self, user: NDArray[Any], item: NDArray[Any], timestamp: NDArray[np.int64]
    ) -> Floats:
        """True preference s_ui(h) in stars, neither rounded nor clipped, of each (user, item, timestamp)."""
        own = match(
            tastes_at(timestamp, self.user_tastes[user], self.user_drift[user]),
            self.item_tastes[item],
        )
        return self.global_level + self.user_generosity[user] + self.film_quality[item] + own


def read_films() -> tuple[Film, ...]:
    """The films of the catalogue, sorted by `item_id`."""
    with (resources.files(__package__) / "films.csv").open(encoding="utf-8", newline="") as lines:
        return tuple(
            Film(
                item_id=row["item_id"],
                title=row["title"],
                year=int(row["year"]),
                genres=tuple(row["genres"].split("|")),
                directors=tuple(row["director"].split("|")),
                cast=tuple(row["cast"].split("|")),
            )
            for row in csv.DictReader(lines)
        )


def simulate(seed: int = 0, n_users: int = 2000) -> Simulation:
    """Draw people and their ratings of the catalogue; the same seed gives the same world."""
    rng = np.random.default_rng(seed)
    films = read_films()
    B = film_tastes(films, rng)
    v, q = visibility_and_quality(films, rng)
    g, A, d = people(n_users, rng)
    habits = viewing_habits(n_users, rng)
    user, item = who_rates_what(v, q + A @ B.T, not_yet_out(films, habits), habits, rng)
    timestamp = when(user, habits, rng)
    order = np.lexsort((item, timestamp, user))
    user, item, timestamp = user[order], item[order], timestamp[order]
    own = match(tastes_at(timestamp, A[user], d[user]), B[item])
    s = GLOBAL_LEVEL + g[user] + q[item] + own
    return Simulation(
        films=films,
        user=user.astype(np.int32),
        item=item.astype(np.int32),
        rating=half_stars(s + RATING_NOISE * rng.standard_normal(s.size)),
        timestamp=timestamp,
        user_tastes=A,
        user_drift=d,
        item_tastes=B,
        taste_names=tuple(TASTES),
        global_level=GLOBAL_LEVEL,
        user_generosity=g,
        film_quality=q,
    )


def film_tastes(films: Sequence[Film], rng: np.random.Generator) -> Floats:
    """b_i, each of length 1: what the genres say, tilted by era, pulled toward films of the same people."""
    speaks = np.array([[taste.get(genre, 0.0) for taste in TASTES.values()] for genre in GENRES])
    tilt = np.array([ERA_TILT.get(name, 0.0) for name in TASTES])
    B = has_genre(films) @ speaks * np.exp(np.outer((years(films) - 1985) / 40, tilt))
    B = unit_length(B)
    B = (1 - PEOPLE_PULL) * B + PEOPLE_PULL * tastes_of_people(films, B)
    B *= np.exp(TASTE_NOISE * rng.standard_normal(B.shape))
    return unit_length(np.where(B > FAINT_TASTE, B, 0.0))


def visibility_and_quality(films: Sequence[Film], rng: np.random.Generator) -> tuple[Floats, Floats]:
    """v_i, log-visibility with a long tail, and q_i, which goes with it: much-seen films are better liked."""
    film, person = credits(films)
    known = np.log(np.bincount(person))[person]  # of people with many films here, one has heard
    draw = has_genre(films) @ np.array([DRAW.get(genre, 0.0) for genre in GENRES])
    fame = mean_by(film, known, len(films)) + draw - ((years(films) - 2000) / 45) ** 2
    fame += FAME_NOISE * rng.standard_normal(len(films))
    rank = np.argsort(np.argsort(-fame))
    v = -TAIL_EXPONENT * np.log(rank + TAIL_HEAD)
    z = (v - v.mean()) / v.std()
    chance = rng.standard_normal(len(films))
    q = QUALITY_SPREAD * (QUALITY_FAME * z + np.sqrt(1 - QUALITY_FAME**2) * chance)
    return v, q


def people(n_users: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Generosity g_u, tastes a_u and their drift d_u; a_u + d_u h stays non-negative for |h| <= 1/2."""
    g = GENEROSITY_SPREAD * rng.standard_normal(n_users)
    focus = np.full(len(TASTES), TASTE_FOCUS)
    first, fresh = TASTE_STARS * rng.dirichlet(focus, size=(2, n_users))
    last = (1 - TASTE_DRIFT) * first + TASTE_DRIFT * fresh
    return g, (first + last) / 2, last - first


class Habits(NamedTuple):
    """How much and between which times (unix seconds) each person rates."""

    n_ratings: Ints
    arrival: Ints
    departure: Ints


def viewing_habits(n_users: int, rng: np.random.Generator) -> Habits:
    """A long tail of activity; people arrive through the period and stay for some of what is left of it."""
    extra = EXTRA_RATINGS * np.exp(ACTIVITY_SPREAD * rng.standard_normal(n_users))
    n_ratings = np.minimum(FEWEST + extra, MOST).astype(np.int64)
    length = PERIOD_END - PERIOD_START
    arrival = PERIOD_START + LATEST_ARRIVAL * length * rng.random(n_users)
    departure = arrival + (PERIOD_END - arrival) * rng.random(n_users)
    return Habits(n_ratings, arrival.astype(np.int64), departure.astype(np.int64))


def not_yet_out(films: Sequence[Film], habits: Habits) -> NDArray[np.bool_]:
    """(n_users, n_films): films of the year in which a person arrived, or of later years."""
    arrival = habits.arrival.astype("datetime64[s]").astype("datetime64[Y]").astype(int) + 1970
    return years(films)[None, :] >= arrival[:, None]


def who_rates_what(
    v: Floats,
    liking: Floats,
    unseen: NDArray[np.bool_],
    habits: Habits,
    rng: np.random.Generator,
) -> tuple[Ints, Ints]:
    """(user, item) of every rating: the n_u largest of v_i + beta liking_ui + Gumbel noise, for each person."""
    pull = v + PREFERENCE_PULL * liking + rng.gumbel(size=liking.shape)
    pull[unseen] = -np.inf
    n_films = pull.shape[1]
    n_seen = np.minimum(habits.n_ratings, n_films - unseen.sum(axis=1))
    threshold = np.take_along_axis(np.sort(pull, axis=1), (n_films - n_seen)[:, None], axis=1)
    user, item = np.nonzero(pull >= threshold)
    return user, item


def when(user: Ints, habits: Habits, rng: np.random.Generator) -> Ints:
    """Unix seconds of every rating: people rate in sittings, the first of them on arrival."""
    n_sittings = 1 + rng.poisson(habits.n_ratings / RATINGS_PER_SITTING)
    first = np.cumsum(n_sittings) - n_sittings
    stay = np.repeat(habits.departure - habits.arrival, n_sittings)
    start = np.repeat(habits.arrival, n_sittings) + stay * rng.random(stay.size)
    start[first] = habits.arrival
    sitting = first[user] + rng.integers(n_sittings[user])
    time = start[sitting] + rng.exponential(SITTING_SECONDS, size=user.size)
    return np.minimum(time, PERIOD_END - 1).astype(np.int64)


def tastes_at(timestamp: NDArray[np.int64], a: Floats, d: Floats) -> Floats:
    """a_u(h) = a_u + (h - 1/2) d_u, one row per timestamp."""
    h = (timestamp - PERIOD_START) / (PERIOD_END - PERIOD_START)
    return a + (h - 0.5)[:, None] * d


def match(a: Floats, b: Floats) -> Floats:
    """a_u . b_i, row by row."""
    product: Floats = np.einsum("nt,nt->n", a, b)
    return product


def half_stars(score: Floats) -> NDArray[np.float32]:
    """The nearest half star, from 0.5 to 5."""
    return np.clip(np.round(2 * score) / 2, 0.5, 5.0).astype(np.float32)


def years(films: Sequence[Film]) -> Ints:
    return np.array([film.year for film in films])


def has_genre(films: Sequence[Film]) -> Floats:
    """(n_films, n_genres), 1 where the film is of the genre."""
    return np.array([[float(genre in film.genres) for genre in GENRES] for film in films])


def credits(films: Sequence[Film]) -> tuple[Ints, Ints]:
    """(film, person) rows of every director and lead."""
    pairs = [(f, name) for f, film in enumerate(films) for name in film.directors + film.cast]
    number = {name: p for p, name in enumerate(dict.fromkeys(name for _, name in pairs))}
    return np.array([f for f, _ in pairs]), np.array([number[name] for _, name in pairs])


def tastes_of_people(films: Sequence[Film], B: Floats) -> Floats:
    """(n_films, n_tastes): the mean tastes of the films of the people of a film, itself among them."""
    film, person = credits(films)
    by_person = np.column_stack([mean_by(person, b, person.max() + 1) for b in B[film].T])
    return np.column_stack([mean_by(film, b, len(films)) for b in by_person[person].T])


def mean_by(group: Ints, value: Floats, n_groups: int) -> Floats:
    total = np.bincount(group, weights=value, minlength=n_groups)
    return total / np.bincount(group, minlength=n_groups)


def unit_length(B: Floats) -> Floats:
    return B / np.linalg.norm(B, axis=1, keepdims=True)
