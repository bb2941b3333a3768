"""How well NMF finds the known tastes of the embedded sample, from random starts and from varimax.

python benchmarks/tastes.py
"""

import numpy as np

from matinee import NMF
from matinee.sources.sample import sample, simulate
from matinee.tastes.matching import match_factors

SEEDS = range(10)
FOUND = 0.5  # cosine below which a known taste has no partner


def main() -> None:
    """Print the mean and the least cosine with the known tastes of every start and seed."""
    world, ratings = simulate(), sample()
    truth = np.empty_like(world.item_tastes)
    truth[ratings.items.rows(film.item_id for film in world.films)] = world.item_tastes
    for init in ("random", "varimax"):
        means, lost = [], 0
        for seed in SEEDS:
            model = NMF(n_factors=truth.shape[1], init=init, seed=seed).fit(ratings)
            _, cosine = match_factors(truth, model.item_factors)
            means.append(cosine.mean())
            lost += bool(cosine.min() < FOUND)
        print(
            f"{init:8} mean cosine {min(means):.3f} to {max(means):.3f}; "
            f"{lost} of {len(SEEDS)} fits without one of the known tastes"
        )


if __name__ == "__main__":
    main()
