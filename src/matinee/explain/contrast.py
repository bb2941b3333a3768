"""Why one item stands above another: the terms of the one less the terms of the other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from matinee.display.bar_rows import BarRow, Layout
from matinee.display.notebook import Printable
from matinee.display.plain_data import JsonObject
from matinee.display.styled import Line, Styled
from matinee.display.text import ended, plural
from matinee.explain.explanation import SHOWN_TERMS, Explanation, round_to_sum
from matinee.explain.reasons import NAMED_REASONS
from matinee.explain.rests import rests_of
from matinee.explain.term import Term
from matinee.explain.term_table import Terms
from matinee.explain.waterfall import Step, html_of_steps, step_up_or_down
from matinee.tastes.names import avoided

PEOPLE = "people like you"  # those asked about one item are not those asked about another

# What sets an item above another in stars, or in points, and what below, by the kind of term.
DIFFERENCES = {
    "rating": ("{} more for it", "{} more for it", "{} less for it"),
    "feature": ("of what it is: {}", "of what it is: {}", "of what it is: {}"),
    "person": (
        "people like you rate it higher",
        "more people like you chose it",
        "people like you rate it lower",
    ),
    "item": (
        "those who rated it rate it higher",
        "more people know it",
        "those who rated it rate it lower",
    ),
    "alike": (
        "such items are rated higher",
        "more people know such items",
        "such items are rated lower",
    ),
    "model": ("more comes from {}", "more comes from {}", "less comes from {}"),
    "popularity": ("more people choose it", "more people choose it", "fewer people choose it"),
    "certainty": ("more people rated it", "more people rated it", "fewer people rated it"),
}
# What an item has more of than another, or less: what draws the person, and what does not.
PREFERENCES = {
    "taste": ("what you like", "what you do not like"),
    "choice": ("what you tend to choose", "what you seldom choose"),
}


@dataclass(frozen=True, repr=False)
class Contrast(Printable):
    """Which terms put one item above another for a user.

    ``sum(term.value) == difference``, the score of ``item`` less that of ``versus``.
    """

    item: Explanation
    versus: Explanation
    terms: tuple[Term, ...]  # those of the item less those of the other, the largest first

    @property
    def difference(self) -> float:
        """How far the item stands above the other; below 0 where it stands below."""
        return self.item.score - self.versus.score

    def shown(self, most: int = SHOWN_TERMS) -> tuple[Term, ...]:
        """The ``most`` largest terms, and the sums of the rest by kind."""
        terms, n_others = Terms.of(self.terms), max(len(self.terms) - most, 0)
        columns = np.arange(len(self.terms) - n_others, len(self.terms))
        (rests,) = rests_of(terms.table, columns[None], np.array([n_others]))
        return (*self.terms[:most], *(rest.term(terms) for rest in rests))

    def rows(self) -> list[tuple[str, float, str]]:
        """What is shown: name, rounded value, detail; the values sum to ``rounded_difference``."""
        terms = self.shown()
        values = round_to_sum([term.value for term in terms], self.rounded_difference)
        return [(t.name, value, t.detail) for t, value in zip(terms, values, strict=True)]

    def steps(self) -> list[Step]:
        """The waterfall of the difference: each term up or down from 0, and their sum."""
        steps: list[Step] = []
        for name, value, detail in self.rows():
            start = steps[-1].end if steps else 0.0
            steps.append(step_up_or_down(name, value, start, detail))
        difference = self.rounded_difference
        return [*steps, Step("difference", difference, 0.0, difference, "total")]

    @property
    def rounded_difference(self) -> float:
        """The difference of the two scores as they are shown."""
        return round(round(self.item.score, 2) - round(self.versus.score, 2), 2)

    def sentence(self) -> str:
        """One sentence for people: the largest term that sets the two apart, and its like."""
        a, b, difference = self.item.title, self.versus.title, self.rounded_difference
        if not difference:
            return f"{a} and {b} score the same for you."
        sign = 1 if difference > 0 else -1
        apart = f"{a} stands {abs(difference):.2f} {self.item.counted_in} {_side(sign)} {b}"
        toward = [t for t in self.terms if sign * t.value > 0]
        reasons = [t for t in toward if t.kind in {*DIFFERENCES, *PREFERENCES}]
        if not reasons:
            return f"{apart}; no one thing we know of says why."
        much = "mostly" if reasons[0] is toward[0] else "partly"
        leading = [t for t in reasons if t.kind == reasons[0].kind][:NAMED_REASONS]
        return ended(f"{apart}, {much} because {self._cause(leading, sign)}")

    def _cause(self, terms: Sequence[Term], sign: int) -> str:
        """What terms of one kind say, of an item that stands above (sign 1) or below (-1)."""
        kind, in_stars = terms[0].kind, self.item.unit == "stars"
        if kind in PREFERENCES:
            return _preferences(terms, sign)
        stars, points, below = DIFFERENCES[kind]
        words = below if sign < 0 else stars if in_stars else points
        names = " and ".join([term.called for term in terms])
        if kind == "rating":
            what = plural(len(terms), "rating" if in_stars else "choice")
            names = f"your {what} of {names} {'speaks' if len(terms) == 1 else 'speak'}"
        return words.format(names)

    def to_dict(self) -> JsonObject:
        """Plain values, ready for JSON."""
        return {
            "user": self.item.user,
            "by": self.item.by,
            "item": _score_of(self.item),
            "versus": _score_of(self.versus),
            "difference": self.difference,
            "terms": [term.to_dict() for term in self.terms],
            "sentence": self.sentence(),
        }

    def lines(self, columns: int | None = None) -> list[Line]:
        """What is printed, as styled text; in lines of ``columns`` characters where given."""
        a, b, rows = self.item, self.versus, self.rows()
        names, details = (["difference", *(row[0] for row in rows)], [row[2] for row in rows])
        layout = Layout.of(names, columns, details)
        largest = max((abs(value) for _, value, _ in rows), default=0.0) or 1.0
        lines: list[Line] = [
            [
                Styled(a.title, "bold"),
                Styled(" against "),
                Styled(b.title, "bold"),
                Styled(f" for {a.user}: {a.score:.2f} and {b.score:.2f} {a.counted_in}"),
            ],
            [],
        ]
        for name, value, detail in rows:
            size = abs(value) / largest
            lines += layout.lines(BarRow(name, f"{value:+.2f}", 0.0, size, value >= 0, detail))
        difference = layout.total("difference", f"{self.rounded_difference:+.2f}")
        return [*lines, layout.rule, difference, [], [Styled(self.sentence())]]

    def _repr_html_(self) -> str:
        steps = self.steps()
        return html_of_steps(self.sentence(), steps, low=min(0.0, *(one.end for one in steps)))


def contrast(item: Explanation, versus: Explanation) -> Contrast:
    """The terms of one explanation less those of another of the same view, joined by name."""
    joined: dict[tuple[str, str], Term] = {}
    for explanation, sign in ((item, 1), (versus, -1)):
        labels = explanation.terms.table.labels
        for column, term in zip(explanation.terms.columns, explanation, strict=True):
            name = PEOPLE if term.kind == "person" else labels[column].name
            before = joined.get((name, term.kind))
            detail = "" if name == PEOPLE else term.detail
            value = sign * term.value + (before.value if before else 0.0)
            joined[name, term.kind] = term._replace(name=name, value=value, detail=detail)
    least = 1e-9 * max(1.0, abs(item.score), abs(versus.score))
    terms = [term for term in joined.values() if abs(term.value) > least]
    terms.sort(key=lambda term: -abs(term.value))
    return Contrast(item, versus, tuple(terms))


def _preferences(terms: Sequence[Term], sign: int) -> str:
    """What the item has more of, or less, than the other.

    ``it has less of what you like (Crime; Drama) and more of what you do not like (Horror)``
    """
    draws, repels = PREFERENCES[terms[0].kind]
    names = {
        draws: [term.called for term in terms if avoided(term.called) is None],
        repels: [name for term in terms if (name := avoided(term.called)) is not None],
    }
    amounts = ("more", "less") if sign > 0 else ("less", "more")
    parts = [
        f"{amount} of {what} ({'; '.join(called)})"
        for amount, (what, called) in zip(amounts, names.items(), strict=True)
        if called
    ]
    return f"it has {' and '.join(parts)}"


def _side(sign: int) -> str:
    return "above" if sign > 0 else "below"


def _score_of(explanation: Explanation) -> JsonObject:
    return {
        "item_id": explanation.item_id,
        "title": explanation.title,
        "score": explanation.score,
        "predicted": explanation.predicted,
    }
