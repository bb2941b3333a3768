"""What each factor of a model stands for, in films, people and words.

A taste is a factor. Its share is the part of all |p_uf q_if| over users and items that it carries;
its label the genres that are over-represented among its top items, against the catalogue.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import hypergeom

from matinee.catalog import Catalog
from matinee.ids import IdMap

TOP_FOR_LABEL = 40  # items at a factor's end whose genres are counted
SMALLEST_CATALOG = 2 * TOP_FOR_LABEL  # below this the top items are most of the catalogue
MIN_SUPPORT = 14  # top items that must carry a genre before it can name a taste: a third
FALSE_DISCOVERY_RATE = 0.05
UNLABELLED = "unlabelled"


@dataclass(frozen=True)
class Taste:
    """One factor: its label, its top items with weights, how much and for whom it counts."""

    number: int
    label: str  # genres, or "unlabelled" when nothing stands out
    name: str  # what terms are called: the label, with the number where others share it
    top: tuple[tuple[str, str, float], ...]  # (item id, title, weight), largest first
    bottom: tuple[tuple[str, str, float], ...]  # the other end of a signed factor, lowest first
    share: float  # of all scores' personal parts, 0..1; the shares of a model sum to 1
    n_people: int  # users whose largest part this is

    def to_dict(self) -> dict[str, Any]:
        ends = {
            name: [{"item_id": i, "title": t, "weight": w} for i, t, w in end]
            for name, end in (("top", self.top), ("bottom", self.bottom))
            if end
        }
        return {
            "number": self.number,
            "label": self.label,
            "name": self.name,
            "share": self.share,
            "n_people": self.n_people,
            **ends,
        }


@dataclass(frozen=True)
class Tastes:
    """All tastes of a model, by factor number; prints as cards."""

    tastes: tuple[Taste, ...]

    def __iter__(self) -> Iterator[Taste]:
        return iter(self.tastes)

    def __len__(self) -> int:
        return len(self.tastes)

    def __getitem__(self, number: int) -> Taste:
        return self.tastes[number]

    def by_share(self) -> list[Taste]:
        """The tastes that matter most first."""
        return sorted(self.tastes, key=lambda taste: (-taste.share, taste.number))

    def to_dicts(self) -> list[dict[str, Any]]:
        return [taste.to_dict() for taste in self.by_share()]

    def __str__(self) -> str:
        cards = []
        for taste in self.by_share():
            head = f"{taste.number:>3}  {taste.label}"
            lines = [f"{head}  ({taste.share:.0%} of scores, {taste.n_people:,} people)"]
            lines.append("     " + " · ".join(title for _, title, _ in taste.top[:5]))
            if taste.bottom:
                lines.append("     not: " + " · ".join(title for _, title, _ in taste.bottom[:5]))
            cards.append("\n".join(lines))
        return "\n".join(cards)


def find_tastes(
    users: IdMap, items: IdMap, P: np.ndarray, Q: np.ndarray, catalog: Catalog, n_top: int = 10
) -> Tastes:
    """Describe the factors of P (n_users, n_factors) and Q (n_items, n_factors)."""
    size = np.abs(P).sum(axis=0, dtype=np.float64) * np.abs(Q).sum(axis=0, dtype=np.float64)
    share = size / (size.sum() or 1.0)
    strength = np.abs(P) * np.abs(Q).mean(axis=0)
    largest: np.ndarray | list[int] = (
        np.bincount(strength.argmax(axis=1), minlength=len(share)) if P.size else []
    )
    labels = label_factors(Q, *catalog.genre_matrix(items))
    tastes = []
    for f, (label, name) in enumerate(zip(labels, names_of(labels), strict=True)):
        order = np.argsort(-Q[:, f], kind="stable")
        signed = bool((Q[:, f] < 0).any())
        ends: list[Any] = [order[:n_top], order[::-1][:n_top] if signed else []]
        top, bottom = (
            tuple((items.ids[i], catalog.label(items.ids[i]), float(Q[i, f])) for i in end)
            for end in ends
        )
        tastes.append(Taste(f, label, name, top, bottom, float(share[f]), int(largest[f])))
    return Tastes(tuple(tastes))


def names_of(labels: Sequence[str]) -> list[str]:
    """A name for each factor that no other has: ``Horror``, ``Horror (7)``, ``taste 3``."""
    return [
        f"taste {f}" if label == UNLABELLED else f"{label} ({f})" if label in labels[:f] else label
        for f, label in enumerate(labels)
    ]


def label_factors(Q: np.ndarray, genres: Sequence[str], has: np.ndarray) -> list[str]:
    """A label for each factor: up to two genres over-represented among its top items.

    p = P(at least as many of the top items carry the genre | drawn from the catalogue), the
    hypergeometric tail; genres pass at a false discovery rate of 5 % over all (factor, genre)
    pairs (Benjamini & Hochberg 1995) carried by at least a third of them, and rank by
    lift x log(support).
    """
    n_items, n_factors = Q.shape
    if not genres or n_items < SMALLEST_CATALOG:
        return [UNLABELLED] * n_factors
    top = np.argsort(-Q, axis=0, kind="stable")[:TOP_FOR_LABEL]
    support = has[top].sum(axis=0)  # (n_factors, n_genres)
    carriers = has.sum(axis=0)
    p = hypergeom.sf(support - 1, n_items, carriers, TOP_FOR_LABEL)
    lift = (support / TOP_FOR_LABEL) / (carriers / n_items)
    passes = (p <= benjamini_hochberg(p, FALSE_DISCOVERY_RATE)) & (support >= MIN_SUPPORT)
    worth = np.where(passes, np.log(np.maximum(lift, 1e-9)) * np.log1p(support), -np.inf)
    labels = []
    for row in worth:
        best = [g for g in np.argsort(-row, kind="stable")[:2] if row[g] > 0]
        if len(best) == 2 and row[best[1]] < row[best[0]] / 2:
            best = best[:1]
        labels.append(" & ".join(genres[g] for g in best) or UNLABELLED)
    return labels


def benjamini_hochberg(p: np.ndarray, rate: float) -> float:
    """The largest p-value that passes at this false discovery rate; below 0 when none does."""
    ordered = np.sort(p, axis=None)
    passing = ordered <= rate * np.arange(1, ordered.size + 1) / ordered.size
    return float(ordered[passing][-1]) if passing.any() else -1.0
