"""For whom, and for what, a model errs: the metrics in groups of users and of items.

Users are grouped by how many training ratings they have, items by how many were given to them:
those without any, then the others in three groups of nearly equal size. Users with equally many
ratings stay together.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from matinee.display.plain_data import JsonObject

PARTS = 3  # groups of those that have training ratings


def group_by_count(counts: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """The group of each row by its number of training ratings, and what each group is called."""
    rated = np.sort(counts[counts > 0])
    cuts = rated[[len(rated) * part // PARTS for part in range(1, PARTS)]] if len(rated) else rated
    edges = np.unique(np.array([0, 1, *cuts]))
    group = np.searchsorted(edges, counts, side="right") - 1
    ends = [*(int(edge) - 1 for edge in edges[1:]), int(counts.max(initial=0))]
    names = [
        f"{low:,}" if low >= high else f"{low:,}..{high:,}"
        for low, high in zip(map(int, edges), ends, strict=True)
    ]
    return group, names


def means_by_group(
    by: str,
    group_of_row: np.ndarray,
    names: Sequence[str],
    values: Mapping[str, tuple[np.ndarray, np.ndarray]],
    roots: frozenset[str],
) -> tuple[JsonObject, ...]:
    """One plain row for each group that has values: its members, and the mean of each metric.

    ``values`` has for each metric the row that every value belongs to, and the values; None stands
    for a metric that has no value in a group.
    """
    n_groups = len(names)
    means: dict[str, list[float | None]] = {}
    for name, (row, value) in values.items():
        group = group_of_row[row]
        count = np.bincount(group, minlength=n_groups)
        mean = np.bincount(group, value, n_groups) / np.maximum(count, 1)
        mean = np.sqrt(mean) if name in roots else mean
        means[name] = [float(m) if c else None for m, c in zip(mean, count, strict=True)]
    tested = [row for row, _ in values.values()]
    members = np.unique(np.concatenate(tested)) if tested else np.empty(0, int)
    size = np.bincount(group_of_row[members], minlength=n_groups)
    return tuple(
        {
            "group": f"{by} with {names[g]} training ratings",
            "members": int(size[g]),
            **{name: of_group[g] for name, of_group in means.items()},
        }
        for g in range(n_groups)
        if size[g]
    )
