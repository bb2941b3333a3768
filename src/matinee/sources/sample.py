"""A sample of real films and simulated people, generated from a seed.

The films and the facts about them are real (`films.csv`). The people, what they like, what they
rate and how many stars they give are drawn at random. The truth behind the stars is kept, so that
a model can be held against it.

    s_ui(h) = mu + g_u + q_i + a_u(h) . b_i     true preference of person u for film i, in stars
    a_u(h)  = a_u + (h - 1/2) d_u               tastes drift; h goes from 0 to 1 over the period
    b_i                                         tastes of a film: its genres, era and people
    u rates the n_u films with the largest      v_i + beta (q_i + a_u . b_i) + Gumbel noise
    r_ui    = s_ui(h) + sigma N(0, 1)           to the nearest half star from 0.5 to 5

`mu` is the global level, `g_u` the generosity of a person, `q_i` the quality of a film, `v_i` the
log of its visibility, `n_u` long-tailed. The least visible films have a few ratings each,
some of them one or none. Tastes `a_u(h)` and `b_i` are non-negative, so NMF can
look for them, and genres name them. With beta > 0 people rate what they like: ratings are not
missing at random (Marlin & Zemel 2009). The n_u largest values after Gumbel noise are a sample
without replacement, with odds exp(v_i + ..) (Yellott 1977).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings
from matinee.data.scale import Scale
from matinee.errors import known_arguments
from matinee.sources.films import GENRES, Film, catalog_of, read_films

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

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
    "Musical": 0.2,
    "Science Fiction": 0.2,
    "War": 0.2,
    "Western": 0.2,
}

# What nearly everybody has seen.
HOUSEHOLD_NAMES = """
    airplane-1980 aladdin-1992 alien-1979 amelie-2001 avatar-2009 back-to-the-future-1985
    beauty-and-the-beast-1991 blade-runner-1982 braveheart-1995 casablanca-1942 die-hard-1988
    dirty-dancing-1987 django-unchained-2012 e-t-the-extra-terrestrial-1982 fight-club-1999
    finding-nemo-2003 forrest-gump-1994 frozen-2013 ghostbusters-1984 gladiator-2000
    goodfellas-1990 grease-1978 groundhog-day-1993 harry-potter-and-the-philosophers-stone-2001
    home-alone-1990 inception-2010 indiana-jones-and-the-last-crusade-1989 interstellar-2014
    its-a-wonderful-life-1946 jaws-1975 jurassic-park-1993 la-la-land-2016
    leon-the-professional-1994 love-actually-2003 mamma-mia-2008 mary-poppins-1964
    men-in-black-1997 monsters-inc-2001 notting-hill-1999 oppenheimer-2023 parasite-2019
    pretty-woman-1990 psycho-1960 pulp-fiction-1994 raiders-of-the-lost-ark-1981
    saving-private-ryan-1998 schindlers-list-1993 seven-1995 shrek-2001 singin-in-the-rain-1952
    some-like-it-hot-1959 spirited-away-2001 star-wars-1977 terminator-2-judgment-day-1991
    the-avengers-2012 the-dark-knight-2008 the-empire-strikes-back-1980 the-exorcist-1973
    the-godfather-1972 the-good-the-bad-and-the-ugly-1966 the-jungle-book-1967
    the-lion-king-1994 the-lord-of-the-rings-the-fellowship-of-the-ring-2001 the-matrix-1999
    the-princess-bride-1987 the-shawshank-redemption-1994 the-shining-1980
    the-silence-of-the-lambs-1991 the-sixth-sense-1999 the-sound-of-music-1965
    the-truman-show-1998 the-usual-suspects-1995 the-wizard-of-oz-1939 titanic-1997
    toy-story-1995 up-2009 wall-e-2008 when-harry-met-sally-1989
"""

# Films
HOUSEHOLD_BONUS = 2.0  # in the log of visibility, as DRAW and FAME_NOISE
PEOPLE_PULL = 0.25  # share of a film's tastes taken from the other films of its director and leads
FAINT_TASTE = 0.12  # tastes weaker than this are dropped
TASTE_NOISE = 0.25  # standard deviation of the log of a film's tastes
QUALITY_SPREAD = 0.42  # standard deviation of q_i, in stars
QUALITY_FAME = 0.55  # correlation of quality with the log of visibility
FAME_NOISE = 0.6  # standard deviation of visibility not explained by the metadata
TAIL_EXPONENT = 1.1  # visibility falls as (1 + rank / TAIL_HEAD) ** -TAIL_EXPONENT ...
TAIL_HEAD = 14.0  # films
TAIL_FLOOR = 0.03  # ... down to this, as a share of the most visible film
RARE_SHARE = 0.3  # of the films, the least visible, are rarely seen ...
RARE_FALL = 2.2  # ... and the last of them less by this, in the log of visibility

# People
GLOBAL_LEVEL = 2.4  # mu, stars, before tastes add theirs
GENEROSITY_SPREAD = 0.38  # standard deviation of g_u, in stars
TASTE_STARS = 3.6  # stars that the tastes of one person have to give: the sum of a_u
TASTE_FOCUS = 0.35  # Dirichlet parameter of a_u: small means few, strong tastes
TASTE_DRIFT = 0.35  # share of a person's tastes that is renewed over the period
RATING_NOISE = 0.76  # sigma, stars

# Who rates what
PREFERENCE_PULL = 0.75  # beta, per star
FEWEST, MOST = 10, 250  # ratings of one person
EXTRA_RATINGS = 26.0  # median of n_u - FEWEST
ACTIVITY_SPREAD = 1.0  # standard deviation of the log of n_u - FEWEST

# When
PERIOD_START = 1_704_067_200  # 2024-01-01 00:00 UTC, unix seconds: after the last film
PERIOD_END = 1_782_864_000  # 2026-07-01 00:00 UTC, unix seconds
LATEST_ARRIVAL = 0.9  # of the period
RATINGS_PER_SITTING = 12.0
SITTING_SECONDS = 2_400.0  # mean time of a rating after the sitting began


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
        self, user: np.ndarray, item: np.ndarray, timestamp: NDArray[np.int64]
    ) -> Floats:
        """s_ui(h) in stars, neither rounded nor clipped, of each (user, item, timestamp)."""
        a = tastes_at(timestamp, self.user_tastes[user], self.user_drift[user])
        own = match(a, self.item_tastes[item])
        level: Floats = self.global_level + self.user_generosity[user] + self.film_quality[item]
        return level + own


def simulate(seed: int = 0, n_users: int = 2000) -> Simulation:
    """Draw people and their ratings of the catalogue; the same seed gives the same world."""
    rng = np.random.default_rng(seed)
    films = read_films()
    B = film_tastes(films, rng)
    v, q = visibility_and_quality(films, rng)
    g, A, d = people(n_users, rng)
    habits = viewing_habits(n_users, rng)
    user, item = who_rates_what(v, q + A @ B.T, habits.n_ratings, rng)
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
    """b_i, of length 1: from genres, tilted by era, pulled toward films of the same people."""
    speaks = np.array([[taste.get(genre, 0.0) for taste in TASTES.values()] for genre in GENRES])
    tilt = np.array([ERA_TILT.get(name, 0.0) for name in TASTES])
    B = has_genre(films) @ speaks * np.exp(np.outer((years(films) - 1985) / 40, tilt))
    B = unit_length(B)
    B = (1 - PEOPLE_PULL) * B + PEOPLE_PULL * tastes_of_people(films, B)
    B *= np.exp(TASTE_NOISE * rng.standard_normal(B.shape))
    return unit_length(np.where(B > FAINT_TASTE, B, 0.0))


def visibility_and_quality(
    films: Sequence[Film], rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """v_i with its long tail, and q_i, which goes with it: much-seen films are better liked."""
    film, person = made_by(films)
    known = np.log(np.bincount(person))[person]  # people with many films here are well known
    draw = has_genre(films) @ np.array([DRAW.get(genre, 0.0) for genre in GENRES])
    fame = mean_by(film, known, len(films)) + draw - ((years(films) - 2000) / 45) ** 2
    fame += HOUSEHOLD_BONUS * np.isin([f.item_id for f in films], HOUSEHOLD_NAMES.split())
    fame += FAME_NOISE * rng.standard_normal(len(films))
    rank = np.argsort(np.argsort(-fame))
    v = np.log((1 + rank / TAIL_HEAD) ** -TAIL_EXPONENT + TAIL_FLOOR)
    z = (v - v.mean()) / v.std()
    chance = rng.standard_normal(len(films))
    q = QUALITY_SPREAD * (QUALITY_FAME * z + np.sqrt(1 - QUALITY_FAME**2) * chance)
    rare = np.maximum(rank / len(films) - (1 - RARE_SHARE), 0) / RARE_SHARE
    return v - RARE_FALL * rare, q


def people(n_users: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """g_u, a_u and d_u: a_u(h) goes from one non-negative vector to another of the same sum."""
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
    """n_u with its long tail; people arrive at any time and stay for a part of what is left."""
    extra = EXTRA_RATINGS * np.exp(ACTIVITY_SPREAD * rng.standard_normal(n_users))
    n_ratings = np.minimum(FEWEST + extra, MOST).astype(np.int64)
    length = PERIOD_END - PERIOD_START
    arrival = PERIOD_START + LATEST_ARRIVAL * length * rng.random(n_users)
    departure = arrival + (PERIOD_END - arrival) * rng.random(n_users)
    return Habits(n_ratings, arrival.astype(np.int64), departure.astype(np.int64))


def who_rates_what(
    v: Floats, liking: Floats, n_ratings: Ints, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """(user, item) of every rating: the n_u largest v_i + beta liking_ui + noise of each user."""
    pull = v + PREFERENCE_PULL * liking + rng.gumbel(size=liking.shape)
    threshold = np.take_along_axis(np.sort(pull, axis=1), -n_ratings[:, None], axis=1)
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
    seconds: Ints = np.minimum(time, PERIOD_END - 1).astype(np.int64)
    return seconds


def tastes_at(timestamp: NDArray[np.int64], a: Floats, d: Floats) -> Floats:
    """a_u(h) = a_u + (h - 1/2) d_u, (n_times, n_tastes)."""
    h = (timestamp - PERIOD_START) / (PERIOD_END - PERIOD_START)
    return a + (h - 0.5)[:, None] * d


def match(a: Floats, b: Floats) -> Floats:
    """a . b, row by row."""
    product: Floats = np.einsum("nt,nt->n", a, b)
    return product


def half_stars(score: Floats) -> NDArray[np.float32]:
    """The nearest half stars, from 0.5 to 5, in the shape of the scores."""
    return np.clip(np.round(2 * score) / 2, 0.5, 5.0).astype(np.float32)


def years(films: Sequence[Film]) -> Ints:
    """The year of each film."""
    return np.array([film.year for film in films])


def has_genre(films: Sequence[Film]) -> Floats:
    """(n_films, n_genres), 1 where the film is of the genre."""
    return np.array([[float(genre in film.genres) for genre in GENRES] for film in films])


def made_by(films: Sequence[Film]) -> tuple[Ints, Ints]:
    """(film, person) rows of every director and lead."""
    pairs = [(f, name) for f, film in enumerate(films) for name in film.directors + film.cast]
    number = {name: p for p, name in enumerate(dict.fromkeys(name for _, name in pairs))}
    return np.array([f for f, _ in pairs]), np.array([number[name] for _, name in pairs])


def tastes_of_people(films: Sequence[Film], B: Floats) -> Floats:
    """(n_films, n_tastes): mean over the people of a film of the mean over their films."""
    film, person = made_by(films)
    by_person = np.column_stack([mean_by(person, b, person.max() + 1) for b in B[film].T])
    return np.column_stack([mean_by(film, b, len(films)) for b in by_person[person].T])


def mean_by(group: Ints, value: Floats, n_groups: int) -> Floats:
    """The mean value of each group 0..n_groups - 1."""
    total = np.bincount(group, weights=value, minlength=n_groups)
    return total / np.bincount(group, minlength=n_groups)


def unit_length(B: Floats) -> Floats:
    """The rows of B, each scaled to length 1."""
    length: Floats = np.linalg.norm(B, axis=1, keepdims=True)
    return B / length


@known_arguments
def sample(seed: int = 0) -> Ratings:
    """The embedded data set: real films, simulated people (``"1"``..), in half stars from 0.5 to 5.

    About 100,000 ratings by 2,000 people; the same for the same seed.
    """
    world = simulate(seed)
    users = IdMap.of(range(1, len(world.user_tastes) + 1), "user")
    films = IdMap.of((film.item_id for film in world.films), "item")
    row_of_film = films.rows(film.item_id for film in world.films)
    return Ratings.of(
        users,
        films,
        world.user,
        row_of_film[world.item],
        world.rating,
        world.timestamp,
        scale=Scale(0.5, 5.0),
        catalog=catalog_of(world.films),
    )
