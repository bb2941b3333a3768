"""Item features as a sparse matrix: one row of TF-IDF weights for each item.

A feature has a kind and a value: genre Horror, the 1990s, director Agnès Varda, word ghost. Within
a kind a row is TF-IDF (Spärck Jones 1972; scikit-learn's smooth form), scaled to length 1:

    x_if = count_if idf_f,   idf_f = 1 + log((1 + n) / (1 + n_f)),   then  f_if = x_if / |x_i|

n counts the items that the features were learned from, n_f those of them that have feature f. The
first column is 1 for every item.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from matinee.data.catalog import Catalog, Item

if TYPE_CHECKING:
    from scipy.sparse import csr_array

TEXTS = {"overview", "plot", "description", "text", "synopsis", "summary"}  # taken word by word
FEWEST_ITEMS = 2  # that must share a feature: of one that a single item has, nothing carries over
EVERYTHING = ("any", "")  # the feature that all items have
WORD = re.compile(r"(?u)\b\w\w+\b")

Feature = tuple[str, str]  # kind and value


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The features that items are described by, a column each."""

    features: tuple[Feature, ...]
    idf: np.ndarray  # (n_features,) float32

    @classmethod
    def of(cls, catalog: Catalog, items: Iterable[str]) -> "Vocabulary":
        """The features that at least two of these items share, in order of kind and value."""
        shared: Counter[Feature] = Counter()
        n = 0
        for n, item_id in enumerate(items, start=1):  # noqa: B007
            shared.update(set(features_of(catalog[item_id])))
        features = sorted(one for one, count in shared.items() if count >= FEWEST_ITEMS)
        idf = [1.0, *(1 + np.log((1 + n) / (1 + shared[one])) for one in features)]
        weights = np.array(idf, np.float32)
        weights.flags.writeable = False
        return cls((EVERYTHING, *features), weights)

    def __len__(self) -> int:
        return len(self.features)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The name of each feature: ``genre Horror``, ``1990s``, ``word ghost``."""
        return tuple(map(name_of, self.features))

    @cached_property
    def column(self) -> dict[Feature, int]:
        """The column of each feature."""
        return {feature: place for place, feature in enumerate(self.features)}

    def encode(self, catalog: Catalog, items: Iterable[str]) -> "csr_array":
        """The features of items: (n_items, n_features) float32."""
        from scipy.sparse import csr_array

        values: list[float] = []
        columns: list[int] = []
        ends = [0]
        for item_id in items:
            row = dict(self._row(catalog[item_id]))
            columns += row.keys()
            values += row.values()
            ends.append(len(values))
        parts: Any = (np.array(values, np.float32), np.array(columns, np.int32), np.array(ends))
        return csr_array(parts, shape=(len(ends) - 1, len(self)))

    def _row(self, entry: Item) -> Iterator[tuple[int, float]]:
        """Column and value of each feature of an item, in order of column."""
        counts = Counter(self.column.get(one, -1) for one in features_of(entry))
        counts.pop(-1, None)
        x = {at: counts[at] * float(self.idf[at]) for at in sorted(counts)}
        squares: Counter[str] = Counter()
        for at, value in x.items():
            squares[self.features[at][0]] += value**2  # type: ignore[assignment]
        yield 0, 1.0
        for at, value in x.items():
            yield at, value / float(squares[self.features[at][0]]) ** 0.5


def features_of(entry: Item) -> Iterator[Feature]:
    """The features of an item in a catalogue, the words of a text one by one."""
    for genre in entry.genres:
        yield "genre", genre
    if entry.year is not None:
        yield decade_of(entry.year)
    for name, values in entry.features.items():
        if name in TEXTS:
            yield from (("word", word) for value in values for word in words(value))
        else:
            kind = name.removesuffix("s")
            yield from ((kind, value) for value in values)


def decade_of(year: int) -> Feature:
    """The decade of a year."""
    return "decade", f"{year // 10 * 10}s"


def words(text: str) -> Iterator[str]:
    """The words of a text in lower case, without stop words (scikit-learn's list)."""
    return (word for word in WORD.findall(text.casefold()) if word not in _stop_words())


@cache
def _stop_words() -> frozenset[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(ENGLISH_STOP_WORDS)


def name_of(feature: Feature) -> str:
    """The name of a feature."""
    kind, value = feature
    if feature == EVERYTHING:
        return "what is usual"
    return value if kind == "decade" else f"{kind} {value}"
