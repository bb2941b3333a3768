"""Synthetic ratings whose answer is known: uniform noise, planted factors, a checkerboard.

Users and items are numbered from ``"0"``, and all of them are there, rated or not.
"""

import numpy as np

from matinee.data.catalog import Catalog, Item
from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings
from matinee.data.scale import Scale
from matinee.display.text import counted
from matinee.errors import BadSetting, known_arguments

PARITIES = ("Even", "Odd")


@known_arguments
def uniform(n_users: int, n_items: int, ratings_per_user: int, seed: int = 0) -> Ratings:
    """Ratings of 1..5 by chance alone, drawn as the classic NMF tutorial does.

    For each user in turn: ``choice`` of items without replacement, then ``randint(1, 6)`` for
    their ratings, all from one ``numpy.random.RandomState(seed)``. Raises BadSetting unless each
    user can rate so many different items.
    """
    check_size(n_users, n_items)
    if not 1 <= ratings_per_user <= n_items:
        raise BadSetting(f"ratings_per_user={ratings_per_user} must be 1..{n_items}, the items")
    state = np.random.RandomState(seed)
    item = np.empty((n_users, ratings_per_user), dtype=np.int32)
    rating = np.empty((n_users, ratings_per_user), dtype=np.float32)
    for user in range(n_users):
        item[user] = state.choice(n_items, ratings_per_user, replace=False)
        rating[user] = state.randint(1, 6, ratings_per_user)
    users = np.repeat(np.arange(n_users), ratings_per_user)
    return numbered(n_users, n_items, users, item.ravel(), rating.ravel(), Scale(1, 5))


@known_arguments
def planted(
    n_users: int,
    n_items: int,
    n_factors: int,
    density: float = 0.1,
    noise: float = 0.1,
    seed: int = 0,
) -> Ratings:
    """Ratings of exactly ``n_factors`` non-negative factors, plus noise.

        r_ui = 12 / n_factors  p_u . q_i  +  noise e_ui

    with p (n_users, n_factors) and q (n_items, n_factors) uniform on 0..1 and e standard
    normal. The mean is 3 and nothing is clipped. Each user rates the same number of items,
    ``density`` of all and at least one, chosen by chance. Raises BadSetting for no factors, a
    negative noise, or a density outside 0..1.
    """
    check_size(n_users, n_items)
    if n_factors < 1:
        raise BadSetting(f"n_factors={n_factors} must be at least 1")
    check_density(density)
    if not 0 <= noise < np.inf:
        raise BadSetting(f"noise={noise} must be 0 or more")
    rng = np.random.default_rng(seed)
    p = rng.random((n_users, n_factors))
    q = rng.random((n_items, n_factors))
    each = max(1, round(density * n_items))
    item = np.concatenate([rng.choice(n_items, each, replace=False) for _ in range(n_users)])
    user = np.repeat(np.arange(n_users), each)
    rating = 12 / n_factors * np.einsum("nf,nf->n", p[user], q[item])
    rating += noise * rng.standard_normal(len(rating))
    return numbered(n_users, n_items, user, item, rating, None)


@known_arguments
def checkerboard(n: int, density: float = 0.5, seed: int = 0) -> Ratings:
    """``n`` users and ``n`` items: even users love even items, odd users odd ones.

    Love is a 5, the rest a 1. Each cell is rated with probability ``density``, so every unrated
    item of a user's own parity should come before every other. No user is left without one. The
    catalogue has the parities as genres.
    """
    check_size(n, n)
    check_density(density)
    rng = np.random.default_rng(seed)
    rated = [np.flatnonzero(rng.random(n) < density) for _ in range(n)]
    rated = [items if len(items) else np.array([user]) for user, items in enumerate(rated)]
    user = np.repeat(np.arange(n), [len(items) for items in rated])
    item = np.concatenate(rated)
    rating = np.where(user % 2 == item % 2, 5.0, 1.0)
    catalog = {str(one): Item(f"Item {one}", genres=(PARITIES[one % 2],)) for one in range(n)}
    board = numbered(n, n, user, item, rating, Scale(1, 5))
    return board.with_catalog(Catalog(catalog))


def check_size(n_users: int, n_items: int) -> None:
    """Raise BadSetting for a table without users or items."""
    if n_users < 1 or n_items < 1:
        raise BadSetting(
            f"{counted(n_users, 'user')} and {counted(n_items, 'item')}: at least one of each is "
            "needed"
        )


def check_density(density: float) -> None:
    """Raise BadSetting for a share outside 0..1."""
    if not 0 < density <= 1:
        raise BadSetting(f"density={density} must be above 0 and at most 1")


def numbered(
    n_users: int,
    n_items: int,
    user: np.ndarray,
    item: np.ndarray,
    rating: np.ndarray,
    scale: Scale | None,
) -> Ratings:
    """Ratings (n_ratings,) whose ids are the row numbers in decimal, their natural order too."""
    users, items = IdMap.of(range(n_users), "user"), IdMap.of(range(n_items), "item")
    return Ratings.of(users, items, user, item, rating, scale=scale)
