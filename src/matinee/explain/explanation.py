"""An explanation: named terms that sum to a score, also after rounding.

It is data first and picture second: ``terms`` is everything; printing shows the largest terms and
sums the small ones of each kind in a line of their own, so what is on the screen adds up as well.
"""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import chain, cycle, islice, tee
from math import floor

import numpy as np

from matinee.display.bar_rows import BarRow, Layout
from matinee.display.notebook import Printable
from matinee.display.plain_data import JsonObject
from matinee.display.styled import Line, Styled
from matinee.display.text import counted, ended
from matinee.explain.reasons import (
    NAMING,
    NOTHING_WORN_OUT,
    OF_YOU,
    PUBLIC,
    WHO,
    Arguments,
    Reason,
    WornOut,
    reasons_of,
    says_again,
    stated_tastes,
)
from matinee.explain.rests import Shown, shown_of
from matinee.explain.term import Term, own_deed
from matinee.explain.term_table import Terms, TermTable
from matinee.explain.waterfall import Step, beginning, html_of_steps, step_up_or_down
from matinee.tastes.names import is_of_popularity

SHOWN_TERMS = 8  # tastes or ratings shown one by one
LIMITS = "limits of the scale"  # the name of clipping
THOUGH = ", though you would probably rate it"
LIST, STARS = "list", "stars"  # which number is taken apart
CERTAINTY = "for uncertainty"  # what few ratings take off a list score
SUM_ERROR = 1e-4  # of a score in float32, against the sum of its terms

FEW_RATERS = 20  # fewer are counted in words
NOTHING_KNOWN = "nothing we know of"  # the only row of a score without terms
LEFT = "the best of what is left"  # of what is listed though nothing speaks for it
NONE_STANDS_OUT = "no single reason stands out"  # of terms that no sentence may name
USUAL = {STARS: "your average", LIST: "what is usual for you"}  # that a score is held against


@dataclass(frozen=True, repr=False)
class Explanation(Printable):
    """Why an item scores what it does for a user; ``sum(term.value) == score`` within 1e-4.

    People see the score clipped to the scale: ``score + clipping == predicted``.
    """

    user: str
    item_id: str
    title: str
    by: str  # "factor", "history", "people", ...: a view of the model
    score: float
    predicted: float  # the score clipped to the rating scale
    strategy: str
    terms: Terms
    unit: str = "stars"
    usual: float | None = None  # the mean score of this person; the average rating where not given
    n_raters: int | None = None  # training ratings of the item, where known
    of: str = STARS  # the number that the terms sum to: "stars", or the "list" score
    beyond_scale: float = 0.0  # by how much the stars in a list score exceed the scale
    seems_low: bool = False  # whether the predicted stars are low, on the scale and for the person
    own_mean: float | None = None  # of the stars they gave, where those predicted are clearly below
    own_rating: float | None = None  # what the person gave the item, where they rated it
    is_listed: bool = False  # whether it has a place in the person's list, for which reasons speak
    tastes: tuple[str, ...] = ()  # that the person stated, in place of ratings
    worn_out: WornOut = NOTHING_WORN_OUT  # keys of its reasons that a list has given elsewhere

    def __iter__(self) -> Iterator[Term]:
        return iter(self.terms)

    @property
    def clipping(self) -> float:
        """What the limits of the scale add to stars: 0 within them, and for other scores."""
        return self.predicted - self.score if self.of == STARS else 0.0

    @property
    def limits(self) -> Term | None:
        """The clipping as a term to show, which leads from the rounded score to the prediction."""
        if self.of != STARS:
            return None
        value = round(round(self.predicted, 2) - round(self.score, 2), 2)
        return Term(LIMITS, value, "clipping") if value else None

    @property
    def score_name(self) -> str:
        """What the sum of the terms is called: a list score in stars leaves their scale."""
        return "list score" if self._goes_beyond_stars else "score"

    @property
    def counted_in(self) -> str:
        """What the score is a number of: a list score is no number of stars, even if it has some.

        A point of a list score is worth one predicted star.
        """
        return "points" if self._goes_beyond_stars else self.unit

    @property
    def total(self) -> str:
        """The score in words; a list score is parted into stars, choice and certainty."""
        if not self._goes_beyond_stars:
            return f"{round(self.score, 2):.2f} {self.unit}"
        words = [f"{value:+.2f} {name}" for name, value in self._beyond_stars.items() if value]
        predicted = f"{round(self.predicted, 2):.2f} stars predicted"
        return f"list score {self.score:.2f}: {', '.join([predicted, *words])}"

    @property
    def _beyond_stars(self) -> dict[str, float]:
        """What a list score adds to the predicted stars, so rounded that both sums are as shown.

        It is the same in every view, and names nothing that is not there: not even a rounding.
        """
        certainty = self.terms.total("certainty")
        parts = {
            "for choice": self.score - self.predicted - self.beyond_scale - certainty,
            CERTAINTY: certainty,
            "beyond the scale": self.beyond_scale,
        }
        there = {name: value for name, value in parts.items() if abs(value) > SUM_ERROR}
        total = round(self.score, 2) - round(self.predicted, 2)
        return dict(zip(there, round_to_sum(list(there.values()), total), strict=True))

    @property
    def _goes_beyond_stars(self) -> bool:
        """Whether more than stars is in a score of stars."""
        return self.of == LIST and self.unit == "stars"

    def shown(self, most: int = SHOWN_TERMS) -> tuple[Term, ...]:
        """The terms to show: base, user and item, the ``most`` largest others, and their rests."""
        summaries, place = self._summary
        return summaries.shown(most)[place].terms(self.terms)

    def _rounded(self) -> list[tuple[Term, float]]:
        """The terms to show, each with its value so rounded that all sum to the rounded score."""
        terms, certainty = self.shown(), self._beyond_stars.get(CERTAINTY, 0.0)
        others = [term.value for term in terms if term.kind != "certainty"]
        values = iter(round_to_sum(others, round(self.score, 2) - certainty))
        return [(term, certainty if term.kind == "certainty" else next(values)) for term in terms]

    def sentence(self) -> str:
        """One sentence for people: the most telling reason that is not worn out.

        It gives reasons for a score above what is usual or in the person's list, and reasons
        against another. After a reason that is the same for everybody comes one of the person's
        own, where there is one. What is listed may still be rated low, or lower than the person
        usually rates; then it says so. Of what the person rated already it says only that.
        """
        if not self._spoken:
            return f"{self.title}: {self._no_reason}"
        between = " " if self._sign < 0 else ", "
        return f"{self.title}{between}{self._reason(self._though)}"

    def reason(self) -> str:
        """The sentence without the title, for where the title and the stars stand beside it."""
        if not self._spoken:
            return self._no_reason
        below = self.own_mean is not None and self._though.startswith(THOUGH)
        return self._reason(
            f", though below your average of {self.own_mean:.1f}" if below else self._though
        )

    @property
    def _no_reason(self) -> str:
        if self.own_rating is None:
            if self.is_listed:
                return f"{LEFT}{self._though}."
            knows = any(term.kind != "base" for term in self)
            return f"{NONE_STANDS_OUT}." if knows else f"{NOTHING_KNOWN} speaks for it."
        return f"{own_deed(self.own_rating, self.unit)} already."

    def _reason(self, though: str) -> str:
        """Why it scores so, and then what is to be said all the same."""
        column = 2 if self._sign < 0 else 0 if self.unit == "stars" else 1
        whose = WHO.get(self.strategy, OF_YOU)
        people = {"raters": self._raters, "few": self._few, **whose}
        first, *others = [reason.words(column, **people) for reason in self._spoken]
        also = [f", and {'because ' * words.startswith('of ')}{words}" for words in others]
        average = "the average" if self.usual is None else USUAL[self.of]
        scores = f"scores below {average}, " if self._sign < 0 else ""
        return ended(f"{scores}because {''.join([first, *also, though])}")

    @property
    def _though(self) -> str:
        """What a sentence adds of stars that will be few."""
        if self._sign < 0 or not (self.is_listed or self.of == LIST):
            return ""
        if self.seems_low:
            return f"{THOUGH} low"
        if self.own_mean is None:
            return ""
        return f"{THOUGH} {self.predicted:.1f}, below your average of {self.own_mean:.1f}"

    @property
    def _raters(self) -> str:
        """Who rated the item; few are counted, so that nobody takes them for many."""
        n = self.n_raters
        if not n or n >= FEW_RATERS:
            return "those who rated it rate"
        return "the one who rated it rates" if n == 1 else f"the {n} who rated it rate"

    @property
    def _few(self) -> str:
        """How few rated the item."""
        n = self.n_raters
        if n == 0:
            return "nobody"
        return "few" if n is None or n >= FEW_RATERS else f"only {counted(n, 'person')}"

    @property
    def _sign(self) -> int:
        """-1 where reasons against are asked for."""
        is_low = self.unit == "stars" and self.score < self._usual
        return -1 if is_low and not self.is_listed else 1

    @property
    def _usual(self) -> float:
        """The person's mean score, or the average rating where that is not known."""
        if self.usual is not None:
            return self.usual
        return self.terms.total("base")

    def reasons(self) -> list[Term]:
        """The terms that the sentence gives as reasons, the leading ones first; none is possible.

        Terms that are only large enough together are one.
        """
        return [term for reason in self._spoken for term in reason.terms]

    @property
    def reason_keys(self) -> tuple[str, ...]:
        """What makes the reasons of the sentence the same as others."""
        return tuple([reason.key for reason in self._spoken])

    @property
    def said_keys(self) -> tuple[str, ...]:
        """The keys of all names that the sentence gives."""
        return tuple([key for reason in self._spoken for key in reason.said])

    @property
    def possible_keys(self) -> tuple[str, ...]:
        """The keys of all reasons that the sentence could give, the most telling first."""
        return tuple([reason.key for reason in copy(self._reasons)])

    @property
    def is_fresh(self) -> bool:
        """Whether it has a reason that is not worn out."""
        return next(self._fresh_reasons(), None) is not None

    def _fresh_reasons(self) -> Iterator[Reason]:
        """The reasons that are worth naming, without names that are worn out."""
        return filter(None, (reason.without(self.worn_out) for reason in copy(self._reasons)))

    def without(self, worn_out: WornOut) -> "Explanation":
        """The explanation that avoids worn out reasons."""
        if worn_out == self.worn_out:
            return self
        version = copy(self)
        vars(version).pop("_spoken", None)
        vars(version).update(worn_out=worn_out, _reasons=self._reasons)
        return version

    @cached_property
    def _reasons(self) -> Iterator[Reason]:
        """The reasons that are worth naming, the most telling first; see ``reasons_of``.

        What the person rated already needs none; a taste that they stated comes first. Most are
        never asked for, so they are found when they are: by copies of this iterator.
        """
        lead = self.score - self._usual
        lead = max(lead, 0.0) if self.is_listed else abs(lead)
        summaries, place = self._summary
        rated = self.own_rating is not None
        found = () if rated else reasons_of(self.terms, summaries.arguments, place, lead)
        if self.tastes and not rated and self._sign > 0:
            found = chain(stated_tastes(self.terms, self.tastes), found)
        (reasons,) = tee(found, 1)
        return reasons

    @cached_property
    def _summary(self) -> tuple["Summaries", int]:
        """What is found of its terms together with others, and its place among them."""
        return Summaries.of([self]), 0

    @property
    def _unsaid(self) -> list[int]:
        """Columns of the terms that a sentence does not give as a reason.

        What the person rated under the same name, as catalogues have some films twice; for a score,
        what they rated low; and people like somebody of whom nothing is known.
        """
        table = self.terms.table
        namesakes = table.ratings_by_name.get(self.title, ())
        low = table.rated_low if self._sign > 0 and self.unit == "stars" else ()
        people = table.columns_of.get("person", ()) if self.strategy == "popular" else ()
        return [*namesakes, *low, *people]

    @cached_property
    def _spoken(self) -> list[Reason]:
        """The reasons of the sentence: one, and one of the person's own after a public one.

        After one that is many small terms comes the largest term, if it is of another kind. That
        many choose it is said once, and so is a taste that the person stated.
        """
        fresh = self._fresh_reasons()
        lead = next(fresh, None) or next(copy(self._reasons), None)
        if lead is None:
            return []
        single = (one for one in fresh if one.kind not in NAMING or not one.n_together)
        if lead.is_stated:
            said = partial(says_again, said=lead.named)
            further = (reason.leaving_out(said) for reason in single)
            return [lead, *islice(filter(None, further), 1)]
        if self._sign > 0 and lead.kind in PUBLIC:
            own: Iterator[Reason] = (reason for reason in fresh if reason.kind not in PUBLIC)
            if self._tells_popularity(lead):
                own = filter(None, (reason.leaving_out(is_of_popularity) for reason in own))
            return [lead, *islice(own, 1)]
        if not lead.n_together:
            return [lead]
        others = (one for one in single if one.kind != lead.kind)
        other = max(others, key=lambda one: abs(one.largest), default=lead)
        if abs(other.largest) <= abs(lead.largest):
            return [lead]
        first = lead.leaving_out(is_of_popularity) if self._tells_popularity(other) else lead
        return [first, other] if first else [other]

    def _tells_popularity(self, reason: Reason) -> bool:
        """Whether a reason says that many choose the item, or know it."""
        known = self.unit != "stars" and reason.kind in ("item", "alike")
        return reason.kind == "popularity" or known

    def to_dict(self) -> JsonObject:
        return {
            "user": self.user,
            "item_id": self.item_id,
            "title": self.title,
            "by": self.by,
            "of": self.of,
            "strategy": self.strategy,
            "score": self.score,
            "predicted": self.predicted,
            "clipping": self.clipping,
            "terms": [term.to_dict() for term in self.terms],
            "sentence": self.sentence(),
        }

    def rows(self) -> list[tuple[str, float, str, tuple[float, float]]]:
        """What is shown: name, rounded value, detail, and where its bar starts and ends.

        The rounded values add up to the rounded score; bars follow one another like a waterfall.
        """
        rows: list[tuple[str, float, str, tuple[float, float]]] = []
        at = 0.0
        for term, value in self._rounded():
            if value or not rows:
                rows.append((term.name, value, term.detail, (at, at + value)))
            at += value
        return rows or [(NOTHING_KNOWN, round(self.score, 2), "", (0.0, round(self.score, 2)))]

    def lines(self, columns: int | None = None) -> list[Line]:
        """What is printed, as styled text; in lines of ``columns`` characters where given."""
        rows = self.rows()
        total = round(self.score, 2)
        low = min(min(span) for *_, span in rows[1:] or rows)
        high = max(max(span) for *_, span in rows)
        margin = (high - low) * 0.15 or 1.0
        left = max(0.0, low - margin) if low >= 0 else low - margin
        scale = 1 / (high - left or 1.0)
        names = [row[0] for row in rows] + [LIMITS if self.limits else self.score_name]
        layout = Layout.of(names, columns, [row[2] for row in rows])
        lines: list[Line] = [
            [Styled("Why "), Styled(self.title, "bold"), Styled(f" for {self.user}: {self.total}")],
            [],
        ]
        for place, (name, value, detail, span) in enumerate(rows):
            a, b = ((max(end, left) - left) * scale for end in sorted(span))
            figure = f"{value:.2f}" if place == 0 else f"{value:+.2f}"
            lines += layout.lines(BarRow(name, figure, a, b, value >= 0, detail))
        bar = "█" * round((total - left) * scale * layout.bar)
        lines += [layout.rule, layout.total(self.score_name, f"{total:.2f}", bar)]
        if left > 0:
            lines.append([Styled(f"  bars begin at {left:.2f}", "dim")])
        if self.limits:
            lines += [
                layout.total(self.limits.name, f"{self.limits.value:+.2f}"),
                layout.total("predicted rating", f"{self.predicted:.2f}"),
            ]
        return [*lines, [], [Styled(self.sentence())]]

    def steps(self) -> list[Step]:
        """The waterfall: the base where there is one, each term up or down, and the score.

        Where the limits of the scale clip it, they are the last step before the predicted rating.
        """
        score = round(self.score, 2)
        steps = [
            step_up_or_down(name, value, start, detail)
            for name, value, detail, (start, _) in self.rows()
        ]
        kinds = self.terms.table.columns_of
        if "base" in kinds or not kinds:
            steps[0] = steps[0]._replace(style="base")
        steps.append(Step(self.score_name, score, 0.0, score, "total"))
        if self.limits:
            rating = round(self.predicted, 2)
            steps.append(step_up_or_down(self.limits.name, self.limits.value, score))
            steps.append(Step("predicted rating", rating, 0.0, rating, "total"))
        return steps

    def _repr_html_(self) -> str:
        steps = self.steps()
        return html_of_steps(self.sentence(), steps, beginning(steps))


@dataclass(frozen=True, eq=False)
class Summaries:
    """What is shown of several explanations of one table, and what speaks for each, in one step."""

    table: TermTable  # a row for each
    arguments: Arguments

    @classmethod
    def of(cls, whys: Sequence[Explanation]) -> "Summaries":
        """Those of explanations whose terms are rows of one table."""
        table = whys[0].terms.table.take([why.terms.row for why in whys])
        signs, unsaid = np.array([why._sign for why in whys]), None
        columns = [why._unsaid for why in whys]
        if any(columns):
            unsaid = np.zeros(table.values.shape, bool)
            for row, own in enumerate(columns):
                unsaid[row, own] = True
        return cls(table, Arguments(table, signs, unsaid))

    def shown(self, most: int) -> list[Shown]:
        """What is shown of each, with ``most`` of the terms that are not always shown."""
        if most not in self._shown:
            self._shown[most] = shown_of(self.table, most)
        return self._shown[most]

    @cached_property
    def _shown(self) -> dict[int, list[Shown]]:
        """``shown`` by the numbers asked for so far."""
        return {}


def summarized(whys: list[Explanation]) -> list[Explanation]:
    """Explanations of one table, which are then shown and reasoned in one step."""
    if whys:
        summaries = Summaries.of(whys)
        for place, why in enumerate(whys):
            vars(why)["_summary"] = summaries, place
    return whys


def as_listed(whys: Sequence[Explanation]) -> list[Explanation]:
    """Explanations of one table, as those of items that have a place in the person's list."""
    return summarized([replace(why, is_listed=True) for why in whys])


def round_to_sum(values: Sequence[float], total: float, decimals: int = 2) -> list[float]:
    """Round values so that they still sum to the rounded total (largest remainder).

    Each is rounded down, and the steps that are missing go to the largest remainders.
    """
    step = 10**decimals
    floors = [floor(value * step) for value in values]
    missing = round(total * step) - sum(floors)
    order = sorted(range(len(values)), key=lambda j: floors[j] - values[j] * step)
    for place in islice(cycle(order), abs(missing)):
        floors[place] += 1 if missing > 0 else -1
    return [whole / step for whole in floors]
