"""Words for factors: what is over-represented among the items that weigh most in them.

Words are what the catalogue says of items: genres, decades, tags, people. An item counts in a
factor by its weight there, times the share of all its weight that it has there:

    x_if = w_if |w_if| / sum_g |w_ig|,   w >= 0, one end of a factor at a time

Two questions decide. Is a word's mean rank by x higher than chance would have it, among items as
well known? Ranks are Savage's scores, which look at the top; chance is that items change places
within tenths by popularity, whose mean and variance are sums; a gamma distribution has both, and
over all words and ends together the false discovery rate is 5 % (Benjamini & Hochberg 1995). And
does it say much? Of the words that pass, those that hold an eighth of the end's x, and half as much
again as chance would, are ordered by share x log(share / expected). A word that fewer than half of
the items on the card bear would be contradicted by what stands there, and is none.

Where no word passes, one may still describe the card: half of it bears it, and half as much again
as of all items. It is no label, but tells what films a name is of.
"""

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from matinee.data.catalog import Catalog
from matinee.data.features import TEXTS, Feature, features_of

if TYPE_CHECKING:
    from scipy.sparse import csr_array

UNLABELLED = "unlabelled"
FEWEST_ITEMS = 50  # with enough ratings; below this the items that weigh most are most of them
FEWEST_CARRIERS = 5  # items that must have a word
POPULARITY_BINS = 10
FALSE_DISCOVERY_RATE = 0.05
LEAST_SHARE = 1 / 8  # of an end's x that the items with a word must hold
ON_CARD = 10  # items that weigh most
FEWEST_ON_CARD = 5  # of these, that must bear a word
LEAST_LIFT = 1.5  # that share over the one expected
MOST_WORDS = 3
PERIOD = re.compile(r"\d{4}s((,| to| &) \d{4}s)*")
NEXT_WORD = 0.5  # worth of a further word, as a part of the one before it


class Label(NamedTuple):
    """The words of one end of a factor; without any it is unlabelled."""

    words: tuple[Feature, ...] = ()
    further: tuple[Feature, ...] = ()  # that pass the test too, the worthiest first
    of_card: tuple[Feature, ...] = ()  # where none passes, one that describes the card

    @property
    def text(self) -> str:
        """``1980s Horror & Sci-Fi``."""
        decades = sorted(word for kind, word in self.words if kind == "decade")
        others = [word for kind, word in self.words if kind != "decade"]
        return " ".join(filter(None, [period(decades), listed(others)])) or UNLABELLED

    @property
    def is_period(self) -> bool:
        """Whether the words are decades alone, or there are none."""
        return all(kind == "decade" for kind, _ in self.words)

    @property
    def genres(self) -> tuple[str, ...]:
        """The genres among the words."""
        return tuple(word for kind, word in self.words if kind == "genre")

    def fits(self, bears: Set[Feature]) -> bool:
        """Whether an item that bears some words bears these: people and tags, and one genre.

        Decades count where the label says no more; see ``is_of_time``.
        """
        words = self.words or self.of_card
        decades = [word for word in words if word[0] == "decade"]
        if len(decades) == len(words):
            return not decades or not bears.isdisjoint(decades)
        genres = [word for word in words if word[0] == "genre"]
        others = set(words).difference(decades, genres)
        return others <= bears and (not genres or not bears.isdisjoint(genres))

    def is_of_time(self, bears: Set[Feature]) -> bool:
        """Whether an item that bears some words is of one of the decades, where there are any."""
        decades = {word for word in self.words or self.of_card if word[0] == "decade"}
        return not decades or not bears.isdisjoint(decades)

    def brief(self) -> "Label":
        """The label with at most two words, the worthiest, or with the one that describes it."""
        return self._replace(words=self.words[: MOST_WORDS - 1] or self.of_card)

    def of_popular(self) -> "Label":
        """The label of an end that is called popular, which needs no word of its card."""
        return self._replace(of_card=())

    def with_word(self, word: Feature) -> "Label":
        """The brief label with one word more."""
        return self._replace(words=(*self.brief().words, word))


NO_LABEL = Label()


def supported(item_counts: np.ndarray) -> np.ndarray:
    """Rows of the items that enough people rated to say what a taste is, the most rated first.

    Enough are 20 ratings, or half of the median where that is less.
    """
    rated = item_counts[item_counts > 0]
    enough = min(20.0, float(np.median(rated)) / 2) if len(rated) else np.inf
    order = np.argsort(-item_counts, kind="stable")
    return order[item_counts[order] >= enough]


def label_ends(W: np.ndarray, items: Sequence[str], catalog: Catalog) -> list[list[Label]]:
    """Labels of the high and the low end of each factor; low ends of weights >= 0 have none.

    ``W`` (n_items, n_factors) are weights in comparable units, ``items`` their ids, the most
    rated first. Returns a list of labels for high ends, and one for low ends.
    """
    signed = bool((W < 0).any())
    ends = np.column_stack([W, -W]) if signed else W
    nothing = [[NO_LABEL] * W.shape[1] for _ in range(2)]
    if len(items) < FEWEST_ITEMS or not W.size:
        return nothing
    words, has = words_of(items, catalog)
    if not words:
        return nothing
    whole = np.abs(W).sum(axis=1, keepdims=True)
    x = np.maximum(ends, 0.0) ** 2 / np.where(whole > 0, whole, 1.0)
    p = chance(has, savage_scores(x))
    share, expected, _ = held(has, x / np.maximum(x.sum(axis=0, dtype=np.float64), 1e-300))
    lift = share / np.maximum(expected, 1e-300)
    passes = (p <= benjamini_hochberg(p, FALSE_DISCOVERY_RATE)) & (x.sum(axis=0) > 0)
    passes &= (share >= LEAST_SHARE) & (lift >= LEAST_LIFT)
    passes &= has @ on_card(ends) >= FEWEST_ON_CARD
    worth = np.where(passes, share * np.log(np.maximum(lift, 1.0)), 0.0)
    shown = worth_of_card(has, ends)
    labels = [label_of(words, *columns) for columns in zip(worth.T, shown.T, strict=True)]
    labels += nothing[1]
    return [labels[: W.shape[1]], labels[W.shape[1] :][: W.shape[1]]]


def worth_of_card(has: "csr_array", ends: np.ndarray) -> np.ndarray:
    """How well each word describes the card of each end: (n_words, n_ends), 0 where it does not.

    share x log(share / share of all items), of the words that half of the card bears.
    """
    share = has @ on_card(ends) / min(ON_CARD, len(ends))
    lift = share / (np.asarray(has.sum(axis=1)) / len(ends))[:, None]
    describes = (share * ON_CARD >= FEWEST_ON_CARD) & (lift >= LEAST_LIFT)
    worth: np.ndarray = np.where(describes, share * np.log(np.maximum(lift, 1.0)), 0.0)
    return worth


def on_card(ends: np.ndarray) -> np.ndarray:
    """1 for the ON_CARD items that weigh most at each end, else 0, as ``ends``."""
    mask = np.zeros(ends.shape)
    np.put_along_axis(mask, np.argsort(-ends, axis=0, kind="stable")[:ON_CARD], 1.0, axis=0)
    return mask


def label_of(words: Sequence[Feature], worth: np.ndarray, of_card: np.ndarray) -> Label:
    """The words that are worth most, as a label: ``1980s Horror & Sci-Fi``.

    Decades stand alone only where no other word passes: they say little of a taste. Where none
    does, the word is kept that is worth most ``of_card`` (n_words,), as ``worth``.
    """
    label_words = timeless_before_decades(words, worth)
    if not label_words:
        return Label(of_card=tuple(words[at] for at in timeless_before_decades(words, of_card)[:1]))
    order = [at for at in np.argsort(-worth, kind="stable").tolist() if worth[at] > 0]
    further = tuple(words[at] for at in order if at not in label_words)
    return Label(tuple(words[at] for at in label_words), further)


def timeless_before_decades(words: Sequence[Feature], worth: np.ndarray) -> list[int]:
    """The worthiest words, decades alone only where no other is worth something."""
    timeless = np.array([kind != "decade" for kind, _ in words])
    best = worthiest(worth)
    if timeless[best].any():
        return best
    return worthiest(np.where(timeless, worth, 0.0)) or best


def worthiest(worth: np.ndarray) -> list[int]:
    """The words of a label: few, and each worth about as much as the one before it."""
    best: list[int] = []
    for at in np.argsort(-worth, kind="stable")[:MOST_WORDS].tolist():
        if worth[at] <= 0 or (best and worth[at] < NEXT_WORD * worth[best[-1]]):
            break
        best.append(at)
    return best


def period(decades: Sequence[str]) -> str:
    """``1950s``, ``1940s to 1960s``, ``1940s & 1980s``."""
    years = [int(decade.removesuffix("s")) for decade in decades]
    if len(years) > 1 and years == list(range(years[0], years[-1] + 1, 10)):
        return f"{decades[0]} to {decades[-1]}"
    return " & ".join(decades)


def is_period(name: str) -> bool:
    """Whether a name tells of time alone, as those that ``period`` makes do."""
    return PERIOD.fullmatch(name) is not None


def listed(names: Sequence[str]) -> str:
    """``A``, ``A & B``, ``A, B & C``."""
    return " & ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def words_of(items: Sequence[str], catalog: Catalog) -> "tuple[list[Feature], csr_array]":
    """Words that enough items have, and which item has which: (n_words, n_items) of 0 and 1."""
    from scipy.sparse import csr_array

    rows_of: dict[Feature, list[int]] = {}
    for row, item_id in enumerate(items):
        for word in words_about(catalog, item_id):
            rows_of.setdefault(word, []).append(row)
    words = sorted(word for word, rows in rows_of.items() if len(rows) >= FEWEST_CARRIERS)
    ends = np.cumsum([0, *(len(rows_of[word]) for word in words)])
    rows = np.array([row for word in words for row in rows_of[word]], dtype=np.int64)
    has = csr_array((np.ones(len(rows)), rows, ends), shape=(len(words), len(items)))
    return words, has


def words_about(catalog: Catalog, item_id: str) -> Iterator[Feature]:
    """What the catalogue says of an item, once each, without the words of texts."""
    entry = catalog[item_id]
    described = {name: values for name, values in entry.features.items() if name not in TEXTS}
    yield from dict.fromkeys(features_of(replace(entry, features=described)))


def savage_scores(x: np.ndarray) -> np.ndarray:
    """-log(1 - (rank - 1/2) / n) of each column: mean 1, and long for the top (Savage 1956)."""
    scores: np.ndarray = -np.log(1 - (mean_ranks(x) - 0.5) / len(x))
    return scores


def mean_ranks(x: np.ndarray) -> np.ndarray:
    """Ranks from 1 within each column of ``x`` (n, n_columns); ties share their mean rank.

    As ``scipy.stats.rankdata``, whose import takes 37 MB and 0.4 seconds.
    """
    ranks = np.empty(x.shape)
    for column, out in zip(x.T, ranks.T, strict=True):
        ordered = np.sort(column)
        below, up_to = (np.searchsorted(ordered, column, side) for side in ("left", "right"))
        out[:] = (below + up_to + 1) / 2
    return ranks


def held(has: "csr_array", x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The sum of x (n_items, n_ends) over the items of each word, its mean and its variance.

    Mean and variance are over all ways in which items can change places within popularity bins,
    n of them, m with the word:  sum m mean(x),  sum m (n - m) / (n - 1) var(x).
    """
    total = np.asarray(has @ x)
    mean, variance = np.zeros_like(total), np.zeros_like(total)
    n_bins = max(1, min(POPULARITY_BINS, len(x) // (2 * FEWEST_CARRIERS)))
    for rows in np.array_split(np.arange(len(x)), n_bins):
        n, m = len(rows), np.asarray(has[:, rows].sum(axis=1)).ravel()
        mean += np.outer(m, x[rows].mean(axis=0))
        variance += np.outer(m * (n - m) / max(n - 1, 1), x[rows].var(axis=0))
    return total, mean, variance


def chance(has: "csr_array", scores: np.ndarray) -> np.ndarray:
    """How likely chance gives a word's items scores as high: (n_words, n_ends) p-values."""
    from scipy.special import gammaincc

    total, mean, variance = held(has, scores)
    scale = np.where(variance > 0, variance, 1.0) / np.maximum(mean, 1e-300)
    p = gammaincc(np.maximum(mean / scale, 1e-9), total / scale)
    return np.where(variance > 1e-12, p, 1.0)


def benjamini_hochberg(p: np.ndarray, rate: float) -> float:
    """The largest p-value that passes at this false discovery rate; below 0 when none does."""
    ordered = np.sort(p, axis=None)
    passing = ordered <= rate * np.arange(1, ordered.size + 1) / ordered.size
    return float(ordered[passing][-1]) if passing.any() else -1.0
