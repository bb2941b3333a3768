"""A card for each factor: what it is called, its items, how much and for whom it counts.

A taste is a factor. Its share is its part of the variance of all terms p_uf q_if over users and
items; a weight is what the taste adds to the score of an item for somebody typical, whose strength
is the root mean square over all people, so that weights of different tastes compare.
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from matinee.data.catalog import Catalog
from matinee.data.features import Feature, decade_of
from matinee.data.ids import IdMap
from matinee.display.markup import Markup, el
from matinee.display.notebook import Printable
from matinee.display.plain_data import JsonObject
from matinee.display.text import counted, percent
from matinee.errors import BadSetting, did_you_mean
from matinee.tastes.canonical import Moments, variances
from matinee.tastes.labels import (
    NO_LABEL,
    ON_CARD,
    UNLABELLED,
    Label,
    is_period,
    label_ends,
    mean_ranks,
    supported,
    words_about,
)
from matinee.tastes.names import (
    AND,
    LIKE,
    NamedEnd,
    films_in,
    labels_in,
    names_of,
    short_title,
    unlike,
)
from matinee.tastes.notes import NO_NOTES, TasteNotes

MOST_LISTED = 8  # tastes that a message names
PIECE = 1 << 16  # users looked at together
AS_POPULAR = 0.6  # rank correlation of weights and ratings, from which an end is popular
MOST_BUT = 2  # of the items on a card, that may be what the card is said to be anything but
UNSTABLE = 0.5  # stability below which a taste is as much a find of chance
WARNING = "unstable: fitted again, the model finds another taste in its place, or none like it"
End = tuple[tuple[str, str, float], ...]  # (item id, title, weight) of each item


class ItemWords(NamedTuple):
    """What the catalogue says of an item, as names of tastes do."""

    title: str
    words: Set[Feature]

    @classmethod
    def of(cls, catalog: Catalog, item_id: str) -> "ItemWords":
        """The title as names have it, and genres, decade, people and tags.

        A film at the turn of a decade is of both: its year is that of one release of several.
        """
        entry = catalog[item_id]
        years = () if entry.year is None else (entry.year - 1, entry.year + 1)
        return cls(
            short_title(entry.title), {*words_about(catalog, item_id), *map(decade_of, years)}
        )


@dataclass(frozen=True, repr=False)
class Taste(Printable):
    """One factor: its label, its top items with weights, how much and for whom it counts."""

    number: int
    label: str  # words that stand out at its high end, or "unlabelled"
    name: str  # as people gave it, else the label and what sets it apart from others
    top: End  # items of the high end, the largest weight first
    bottom: End  # the other end of a signed factor, the lowest weight first
    share: float  # of the variance of all tastes' terms, 0..1; the shares of a model sum to 1
    n_people: int  # users whose largest part this is
    low_label: str = UNLABELLED  # words that stand out at the low end
    low_name: str = ""  # what the low end is called; empty where there is none
    stability: float | None = None  # 0..1 over refits, where it was measured
    labels: tuple[Label, Label] = (NO_LABEL, NO_LABEL)  # what the names of both ends say
    is_renamed: bool = False  # whether people gave the name

    @property
    def unstable(self) -> bool:
        """Whether refits did not find it again."""
        return self.stability is not None and self.stability < UNSTABLE

    def named_for(self, strength: float) -> str:
        """What to call the end that somebody is at, whose factor is ``strength``."""
        return self.low_name if strength < 0 and self.low_name else self.name

    def films_for(self, strength: float) -> str:
        """That end by two of its films: ``films like Heat & Up``; the name where it has fewer."""
        end = self.bottom if strength < 0 else self.top
        titles = list(dict.fromkeys(short_title(title) for _, title, _ in end))[:2]
        return f"films{LIKE}{AND.join(titles)}" if len(titles) > 1 else self.named_for(strength)

    def is_named(self, name: object, strength: float) -> bool:
        """Whether the end that somebody is at is called so."""
        return same_name(self.named_for(strength), name)

    def said_for(self, strength: float) -> str:
        """What a sentence calls the end that somebody is at: ``Horror``, ``films of the 1980s``."""
        name = self.named_for(strength)
        if is_period(name):
            return f"films of the {name}"
        if is_period(self.name) and name == unlike(self.name):
            return unlike(f"films of the {self.name}")
        return name

    @property
    def genres(self) -> tuple[str, ...]:
        """The genres that the name of its high end says."""
        return self.labels[0].genres

    def fits(self, item: ItemWords, strength: float) -> bool:
        """Whether the name of the end that somebody is at means something for an item.

        A name by people does, one by words where the item is of one of its genres and of one of its
        decades, and one by films where it is none of these films itself.
        """
        (high, low), bears = self.labels, item.words
        if item.title in films_in(self.named_for(strength)):
            return False
        if strength < 0 and self.low_name == unlike(self.name):
            return self.is_renamed or not high.fits(bears)
        label = low if strength < 0 else high
        renamed = self.is_renamed and strength >= 0
        return renamed or (label.fits(bears) and label.is_of_time(bears))

    def to_dict(self) -> JsonObject:
        """Plain values, ready for JSON."""
        ends = {
            name: [{"item_id": i, "title": t, "weight": w} for i, t, w in end]
            for name, end in (("top", self.top), ("bottom", self.bottom))
            if end
        }
        low = {"low_label": self.low_label, "low_name": self.low_name} if self.low_name else {}
        stable = {} if self.stability is None else {"stability": self.stability}
        return {
            "number": self.number,
            "label": self.label,
            "name": self.name,
            **low,
            "share": self.share,
            "n_people": self.n_people,
            **stable,
            **ends,
        }

    def __str__(self) -> str:
        lines = [f"{self.number:>3}  {self.name}  ({', '.join(facts_of(self))})"]
        lines.append("     " + " · ".join(title for _, title, _ in self.top[:5]))
        if self.bottom:
            titles = " · ".join(title for _, title, _ in self.bottom[:5])
            lines.append(f"     {self.low_name}: {titles}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return card_html(self)


@dataclass(frozen=True, repr=False)
class Tastes(Printable):
    """All tastes of a model, by factor number; prints as cards."""

    tastes: tuple[Taste, ...]

    def __iter__(self) -> Iterator[Taste]:
        return iter(self.tastes)

    def __len__(self) -> int:
        return len(self.tastes)

    def __getitem__(self, number: int) -> Taste:
        return self.tastes[number]

    def find(self, taste: object, *, low_ends: bool = True) -> Taste:
        """The taste with a number, or a name in any case, that of its low end included.

        Without ``low_ends`` a name means the high end. Raises BadSetting, with near names.
        """
        last = len(self) - 1
        if str(taste).isdecimal():
            number = int(str(taste))
            if number <= last:
                return self[number]
            raise BadSetting(f"there is no taste {taste!r}; there are 0 to {last}")
        if (named := self.named(taste, low_ends=low_ends)) is not None:
            return named
        hint = did_you_mean(str(taste), self.names(low_ends)) or self._listed()
        raise BadSetting(f"there is no taste {taste!r}{hint}")

    def named(self, taste: object, *, low_ends: bool = True) -> Taste | None:
        """The taste of a name in any case; of a high end, if there is one, before a low end."""
        names = zip(self.names(low_ends), [*self.tastes, *self.tastes], strict=False)
        return next((one for name, one in names if name and same_name(name, taste)), None)

    def names(self, low_ends: bool = True) -> list[str]:
        """What high ends are called, in order, and then low ends."""
        low_names = [one.low_name for one in self] if low_ends else []
        return [one.name for one in self] + low_names

    def _listed(self) -> str:
        listed = ", ".join(f"{one.number} {one.name!r}" for one in self.tastes[:MOST_LISTED])
        more = f" and {len(self) - MOST_LISTED} more" if len(self) > MOST_LISTED else ""
        return f"; by number or name, there are {listed}{more}"

    def by_share(self) -> list[Taste]:
        """The tastes that matter most first."""
        return sorted(self.tastes, key=lambda taste: (-taste.share, taste.number))

    def to_dicts(self) -> list[JsonObject]:
        """One plain dict a taste, those that matter most first."""
        return [taste.to_dict() for taste in self.by_share()]

    def __str__(self) -> str:
        return "\n".join([*map(str, self.by_share()), *self.warnings()])

    def warnings(self) -> list[str]:
        """What has to be said of the tastes as a whole."""
        return [WARNING] if any(taste.unstable for taste in self) else []

    def _repr_html_(self) -> str:
        notes = (el("p", words) for words in self.warnings())
        return "".join([*map(card_html, self.by_share()), *notes])


def same_name(one: object, other: object) -> bool:
    """Whether two names of tastes differ in case and spaces around them alone."""
    return str(one).strip().casefold() == str(other).strip().casefold()


def facts_of(taste: Taste) -> list[str]:
    """What a card says of a taste beside its items."""
    facts = [f"{percent(taste.share)} of scores", f"{counted(taste.n_people, 'person')}"]
    if taste.is_renamed and taste.label != UNLABELLED:
        facts.append(f"labelled {taste.label}")
    return [*facts, *said_of_stability(taste)]


def said_of_stability(taste: Taste) -> list[str]:
    """How stable a taste is, in words; nothing where it was not measured."""
    if taste.stability is None:
        return []
    return [f"{'unstable' if taste.unstable else 'stability'} {taste.stability:.2f}"]


def card_html(taste: Taste) -> Markup:
    """One card, as HTML that needs no script."""
    ends = [(taste.name, taste.top)]
    if taste.bottom:
        ends.append((taste.low_name, taste.bottom))
    lists = (
        el(
            "div",
            el("b", name),
            el(
                "ol",
                (el("li", title, " ", el("small", f"{w:+.2f}")) for _, title, w in end[:5]),
                style="margin:0;padding-left:1.5em",
            ),
        )
        for name, end in ends
    )
    return el(
        "figure",
        el("figcaption", f"{taste.number}: {'; '.join(facts_of(taste))}"),
        el("div", lists, style="display:flex;gap:2em"),
        style="margin:0 0 1em",
    )


def find_tastes(
    items: IdMap,
    Q: np.ndarray,
    moments: tuple[Moments, Moments],
    people: np.ndarray,
    item_counts: np.ndarray,
    catalog: Catalog,
    notes: TasteNotes = NO_NOTES,
) -> Tastes:
    """Describe the factors Q (n_items, n_factors).

    ``moments`` are those of users and items, ``people`` how many users each factor is the strongest
    of. Items that few people rated show in no card: their place in a taste is chance.
    """
    spread = variances(*moments)
    share = spread / (spread.sum() or 1.0)
    typical = np.sqrt(np.diag(moments[0].second))
    weights = Q * typical.astype(np.float32)
    known = supported(item_counts)
    follows = rank_correlations(weights[known], item_counts[known])
    high, low = labels_of_ends(weights[known], items.ids[known].tolist(), catalog, follows)
    signed = bool((Q < 0).any())
    tops, bottoms = (
        [end_of(column, known, items, catalog) for column in end.T]
        for end in (weights, -weights if signed else weights[:, :0])
    )
    highs = named_ends(high, tops, catalog, follows >= AS_POPULAR)
    lows = low_ends(low, high, bottoms, catalog, -follows >= AS_POPULAR) if signed else None
    names, low_names = names_of(highs, lows, dict(notes.names))
    said, low_said = labels_in(highs, names), labels_in(lows, low_names) if lows else low
    return Tastes(
        tuple(
            Taste(
                number=f,
                label=high[f].text,
                name=names[f],
                top=tops[f],
                bottom=tuple((one, title, -weight) for one, title, weight in bottoms[f])
                if signed
                else (),
                share=float(share[f]),
                n_people=int(people[f]),
                low_label=low[f].text,
                low_name=low_names[f],
                stability=notes.stability[f] if notes.stability else None,
                labels=(said[f], low_said[f]),
                is_renamed=f in notes.names,
            )
            for f in range(Q.shape[1])
        )
    )


def labels_of_ends(
    W: np.ndarray, items: list[str], catalog: Catalog, follows: np.ndarray
) -> list[list[Label]]:
    """As ``label_ends``; what is called popular needs no word of its card.

    ``follows`` (n_factors,) says how much each factor follows the numbers of ratings.
    """
    popular = (follows >= AS_POPULAR, -follows >= AS_POPULAR)
    return [
        [label.of_popular() if one else label for label, one in zip(labels, ends, strict=True)]
        for labels, ends in zip(label_ends(W, items, catalog), popular, strict=True)
    ]


def named_ends(
    labels: list[Label], ends: list[End], catalog: Catalog, popular: np.ndarray
) -> list[NamedEnd]:
    """What names are made of: labels, films that bear them, and whether an end is popular."""
    noun = "films" if catalog else "items"
    return [
        NamedEnd(label, examples(label, end, catalog), bool(follows), noun)
        for label, end, follows in zip(labels, ends, popular, strict=True)
    ]


def low_ends(
    low: list[Label], high: list[Label], bottoms: list[End], catalog: Catalog, popular: np.ndarray
) -> list[NamedEnd]:
    """As ``named_ends``, of low ends; each knows whether its items bear the ``high`` label."""
    return [
        replace(end, resembles_other=n_bearing(label, bottom, catalog) > MOST_BUT)
        for end, label, bottom in zip(
            named_ends(low, bottoms, catalog, popular), high, bottoms, strict=True
        )
    ]


def n_bearing(label: Label, end: End, catalog: Catalog) -> int:
    """How many of the items of an end a label fits; a label without words fits none."""
    fitting = (label.fits(set(words_about(catalog, one))) for one, _, _ in end)
    return sum(fitting) if label.words else 0


def examples(label: Label, end: End, catalog: Catalog) -> list[str]:
    """Titles of the items that weigh something, those that bear a word of the label first."""
    ids = [one for one, _, weight in end if weight > 0]
    words = label.brief().words
    ids.sort(key=lambda one: words != () and words[0] not in words_about(catalog, one))
    return [catalog[one].title for one in ids]


def rank_correlations(weights: np.ndarray, item_counts: np.ndarray) -> np.ndarray:
    """Spearman's rank correlation (n_factors,) of each column with the items' ratings; 0 if flat.

    ``weights`` (n_items, n_factors), ``item_counts`` (n_items,).
    """
    ranks = mean_ranks(weights) - (len(weights) + 1) / 2
    counts = mean_ranks(item_counts[:, None])[:, 0] - (len(weights) + 1) / 2
    length = np.sqrt((ranks**2).sum(axis=0) * (counts**2).sum())
    correlations: np.ndarray = counts @ ranks / np.where(length > 0, length, 1.0)
    return correlations


def end_of(weights: np.ndarray, known: np.ndarray, items: IdMap, catalog: Catalog) -> End:
    """The known items that weigh most, as many as a card shows."""
    in_order = np.sort(known)
    rows = in_order[np.argsort(-weights[in_order], kind="stable")[:ON_CARD]]
    ids = items.ids[rows].tolist()
    return tuple(
        (one, catalog.label(one), float(weights[row])) for one, row in zip(ids, rows, strict=True)
    )


def n_strongest(P: np.ndarray, Q: np.ndarray) -> np.ndarray:
    """How many users each factor is the strongest of: |p_uf| times the mean |q_if|."""
    worth, counts = np.abs(Q).mean(axis=0), np.zeros(Q.shape[1], np.int64)
    for first in range(0, len(P) if len(worth) else 0, PIECE):  # a copy of all would be large
        strongest = (np.abs(P[first : first + PIECE]) * worth).argmax(axis=1)
        counts += np.bincount(strongest, minlength=len(counts))
    return counts
