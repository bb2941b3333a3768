"""Terms that add up, also when rounded, in words that never turn a reason against into one for."""

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.charts import waterfall
from matinee.display.palette import AGAINST, BASE, FOR
from matinee.explain.contrast import contrast
from matinee.explain.explanation import Explanation, round_to_sum
from matinee.explain.term import Term
from matinee.explain.term_table import Terms


def explanation(*terms, predicted=None, by="factor"):
    score = sum(term.value for term in terms)
    return Explanation(
        user="42",
        item_id="heat-1995",
        title="Heat (1995)",
        by=by,
        score=score,
        predicted=score if predicted is None else predicted,
        strategy="personal",
        terms=Terms.of(terms),
    )


AVERAGE = Term("average of all ratings", 3.5, "base")


def test_a_list_score_is_parted_into_predicted_stars_and_choice():
    chosen = Term("chosen by many", 7.559, "popularity")
    why = replace(explanation(AVERAGE, chosen, predicted=4.936), of="list")
    heading, *lines = str(why).split("\n")
    parts = "list score 11.06: 4.94 stars predicted, +6.12 for choice"
    assert heading == f"Why Heat (1995) for 42: {parts}"
    assert [line.split()[:3] for line in lines if "list score" in line] == [
        ["list", "score", "11.06"]
    ]
    assert "<th>list score</th>" in why._repr_html_()
    assert "list score" not in str(replace(why, of="stars"))


@given(
    stars=st.lists(st.floats(-1, 1), min_size=1, max_size=6),
    choice=st.lists(st.floats(0, 9), min_size=1, max_size=6),
    certainty=st.floats(-0.5, -0.006),
    beyond=st.sampled_from([0.0, 0.237]),
)
def test_the_heading_of_a_list_score_adds_up_and_says_what_its_rows_say(
    stars, choice, certainty, beyond
):
    terms = [Term(f"taste {n}", value, "taste") for n, value in enumerate(stars)]
    terms += [Term(f"you choose {n}", value, "choice") for n, value in enumerate(choice)]
    few = Term("uncertainty", certainty, "certainty")
    predicted = 3.5 + sum(stars) - beyond
    why = replace(
        explanation(AVERAGE, *terms, few, predicted=predicted), of="list", beyond_scale=beyond
    )
    total, *parts = map(float, re.findall(r"[-+]?\d+\.\d+", why.total))
    assert sum(parts) == pytest.approx(total, abs=1e-9)
    shown = [f"{value:+.2f}" for name, value, _, _ in why.rows() if name == "uncertainty"]
    assert re.findall(r"(\S+) for uncertainty", why.total) == shown, "none where it rounds to 0"


@given(
    choice=st.floats(6, 60),
    certainty=st.floats(-0.5, -0.006),
    cuts=st.lists(st.lists(st.floats(0, 1), min_size=1, max_size=6), min_size=2, max_size=2),
)
def test_every_view_of_a_list_score_is_headed_by_the_same_parts_and_none_that_is_not_there(
    choice, certainty, cuts
):
    few = Term("uncertainty", certainty, "certainty")
    headings = []
    for shares in cuts:
        parts = np.diff([0, *sorted(shares), 1]).tolist()
        films = [Term(f"film {n}", choice * part, "rating") for n, part in enumerate(parts)]
        why = explanation(AVERAGE, *films, few, predicted=3.5)
        headings.append(replace(why, of="list", score=3.5 + choice + certainty).total)
    assert headings[0] == headings[1]
    assert re.findall(r"for \w+|beyond", headings[0]) == ["for choice", "for uncertainty"]


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=30))
def test_rounded_values_sum_to_the_rounded_total_and_stay_near(values):
    total = sum(values)
    rounded = round_to_sum(values, total)
    assert round(100 * sum(rounded)) == round(100 * total)
    assert all(abs(a - b) <= 0.0101 for a, b in zip(rounded, values, strict=True))


def test_a_score_of_nothing_can_be_printed_and_drawn():
    nothing = explanation()
    assert nothing.to_dict()["terms"] == []
    for face in (str(nothing), nothing._repr_html_(), str(waterfall(nothing).inline(400))):
        assert "nothing we know of" in face


def test_largest_remainders_get_the_missing_steps():
    assert round_to_sum([1.006, 2.006, 3.008], 6.02) == [1.01, 2.00, 3.01]
    assert round_to_sum([0.004, 0.004, 0.002], 0.01) == [0.01, 0.0, 0.0]
    assert round_to_sum([], 0.01) == []


def test_small_terms_are_shown_together_and_nothing_is_lost():
    tastes = [Term(f"taste {j}", 0.01 * j, "taste") for j in range(1, 31)]
    reasons = explanation(AVERAGE, *tastes)
    shown = reasons.shown(most=5)
    assert [term.name for term in shown[1:6]] == [f"taste {j}" for j in range(30, 25, -1)]
    assert shown[-1].name == "25 more tastes"
    assert sum(term.value for term in shown) == pytest.approx(reasons.score)


def test_the_rest_is_told_apart_by_kind_and_what_is_alone_of_its_kind_keeps_its_name():
    terms = [Term(f"taste {j}", 0.3 - 0.01 * j, "taste") for j in range(12)]
    terms += [Term(f"Film {j}", 0.1, "rating", "you gave 4") for j in range(5)]
    terms += [Term(f"Series {j}", 0.02, "rating", "you chose it", chosen=True) for j in range(3)]
    terms += [Term(f"you choose {j}", 0.01, "choice") for j in range(4)]
    beyond = Term("learned beyond your ratings", 0.001, "remainder")
    reasons = explanation(AVERAGE, *terms, beyond)
    _, *large_and_rests = reasons.shown(most=8)
    assert [(term.name, round(term.value, 9)) for term in large_and_rests[8:]] == [
        ("4 more tastes", 0.82),
        ("5 more of your ratings", 0.5),
        ("3 more from your history", 0.06),
        ("4 more tastes in choosing", 0.04),
        ("learned beyond your ratings", 0.001),
    ]
    other = explanation(AVERAGE)
    assert [term.name for term in contrast(reasons, other).shown(most=8)][8:] == [
        term.name for term in large_and_rests[8:]
    ]


def test_bars_follow_one_another_from_nothing_to_the_score():
    reasons = explanation(
        AVERAGE, Term("how you rate", -0.25, "user"), Term("Horror", 0.4, "taste")
    )
    spans = [span for *_, span in reasons.rows()]
    assert spans[0][0] == 0
    assert all(a[1] == pytest.approx(b[0]) for a, b in pairwise(spans))
    assert spans[-1][1] == pytest.approx(reasons.score)


def test_the_table_reads_well():
    reasons = explanation(
        AVERAGE,
        Term("how this is rated", 0.3, "item"),
        Term("how you rate", -0.25, "user"),
        Term("Horror", 2.4, "taste"),
        predicted=5.0,
    )
    lines = str(reasons).splitlines()
    assert lines[0] == "Why Heat (1995) for 42: 5.95 stars"
    limits, predicted, _, _ = lines[-4:]
    assert limits.split() == ["limits", "of", "the", "scale", "-0.95"], "clipping is said"
    assert predicted.split() == ["predicted", "rating", "5.00"]
    numbers = [line.split()[-2] for line in lines if "█" in line or "░" in line]
    assert numbers == ["3.50", "+0.30", "-0.25", "+2.40", "5.95"]


@pytest.mark.parametrize(
    "terms, words",
    [
        (
            (Term("Horror", 0.4, "taste"), Term("Comedy", -0.1, "taste")),
            "suits your taste in Horror",
        ),
        ((Term("Alien (1979)", 0.4, "rating"),), "how you rated Alien (1979)"),
        (
            (Term("how this is rated", 0.9, "item"), Term("Horror", 0.1, "taste")),
            "those who rated it rate it high",
        ),
        (
            (Term("Alien", 0.4, "rating", "you gave 4.5"), Term("Up", 0.2, "rating", "you gave 2")),
            "because you gave 4.5 to Alien and 2 to Up.",
        ),
        ((Term("Alien", 0.4, "rating", "you chose it", chosen=True),), "because you chose Alien"),
        ((Term("how you rate", 0.9, "user"),), "you rate most things high"),
        ((Term("how you rate", 0.9, "user"), Term("Horror", 0.1, "taste")), "taste in Horror"),
        ((), "nothing we know of speaks for it"),
    ],
)
def test_sentences(terms, words):
    sentence = explanation(AVERAGE, *terms).sentence()
    assert words in sentence
    assert sentence.startswith("Heat (1995)")
    assert "Comedy" not in sentence


def test_what_was_rated_low_is_a_reason_against_and_none_for():
    """However the weights of the fit have it."""
    liked = Term("Heat", 0.3, "rating", "you gave 4")
    hated = Term("Saw", 0.4, "rating", "you gave 0.5", rated_low=True)
    for_it = explanation(AVERAGE, liked, hated)
    assert for_it.sentence().endswith("because you gave 4 to Heat.")
    alone = explanation(AVERAGE, hated)
    assert alone.sentence().endswith("no single reason stands out.")
    low = explanation(AVERAGE, hated._replace(value=-0.4))
    assert low.sentence().endswith("because you gave 0.5 to Saw.")


def test_a_list_says_of_what_will_be_chosen_that_it_may_not_be_liked():
    chosen = Term("Alien", 9.0, "rating", "you chose it", chosen=True)
    why = replace(explanation(AVERAGE, chosen, predicted=1.2), of="list", seems_low=True)
    assert why.sentence() == (
        "Heat (1995), because you chose Alien, though you would probably rate it low."
    )
    assert "though" not in replace(why, seems_low=False).sentence()
    assert "though" not in replace(why, of="stars").sentence()


def test_a_list_says_of_what_will_be_chosen_that_it_is_below_what_one_usually_gives():
    chosen = Term("Alien", 9.0, "rating", "you chose it", chosen=True)
    why = replace(explanation(AVERAGE, chosen, predicted=3.14), of="list", own_mean=3.6)
    assert why.sentence() == (
        "Heat (1995), because you chose Alien, though you would probably rate it 3.1, below your "
        "average of 3.6."
    )
    assert why.reason() == "because you chose Alien, though below your average of 3.6."
    for silent in ({"own_mean": None}, {"of": "stars"}):
        assert "though" not in replace(why, **silent).sentence()


def test_who_told_tastes_alone_is_not_said_to_have_chosen_anything():
    horror = Term("you choose Horror", 2.0, "choice", said="Horror")
    crime = horror._replace(name="you choose Crime", value=1.9, said="Crime")
    people = Term("50 people like you chose it", 9.0, "person", chosen=True)
    for terms, words in (
        ([horror], "people with your tastes tend to choose Horror"),
        ([horror, crime], "people with your tastes tend to choose Horror and Crime"),
        ([people], "people with your tastes chose it"),
    ):
        why = replace(explanation(AVERAGE, *terms), strategy="tastes")
        assert why.sentence() == f"Heat (1995), because {words}."


def test_a_stated_taste_is_named_first_where_it_speaks_for_the_film():
    liked = Term("Horror", 0.1, "taste")
    horror = Term("you choose Horror", 2.0, "choice", said="Horror")
    aliens = horror._replace(name="you choose Horror like Alien", said="Horror like Alien")
    crime = horror._replace(name="you choose Crime", value=1.0, said="Crime")
    they = "people with your tastes tend to choose"
    for terms, words in (
        ([liked, horror], "you like Horror"),
        ([liked, horror, crime], f"you like Horror, and {they} Crime"),
        ([liked, horror, aliens], "you like Horror"),
        ([horror, crime], f"{they} Horror and Crime"),
        ([liked._replace(fits=False), crime], f"{they} Crime"),
        ([liked._replace(value=-0.1), crime], f"{they} Crime"),
    ):
        why = replace(explanation(AVERAGE, *terms), strategy="tastes", tastes=("Horror", "War"))
        assert why.sentence() == f"Heat (1995), because {words}."


@pytest.mark.parametrize(("unit", "did"), [("stars", "rated it 3"), ("points", "chose it")])
def test_what_the_person_rated_already_is_no_recommendation(unit, did):
    liked = Term("Alien", 1.0, "rating", "you gave 5")
    why = replace(explanation(AVERAGE, liked, predicted=1.2), unit=unit, own_rating=3.0)
    assert why.sentence() == f"Heat (1995): you {did} already."
    assert why.reason() == f"you {did} already."
    assert why.reasons() == []
    assert why.rows()[1][0] == "Alien", "how the score comes about is still shown"


def test_a_reason_is_the_sentence_without_the_title():
    for why in (
        explanation(AVERAGE, Term("Horror", 1.0, "taste")),
        explanation(AVERAGE, Term("Horror", -1.0, "taste")),
        explanation(AVERAGE),
    ):
        assert why.sentence().endswith(why.reason())
        assert why.title not in why.reason()


def test_a_title_that_ends_a_sentence_keeps_its_own_mark():
    for title, end in (("Mars Attacks!", "Mars Attacks!"), ("Alien", "Alien.")):
        chosen = Term(title, 9.0, "rating", "you chose it", chosen=True)
        assert explanation(AVERAGE, chosen).sentence().endswith(f"you chose {end}")


def test_people_like_you_are_said_to_have_chosen_what_they_chose():
    rated = Term("22 people like you gave 1.5", 0.1, "person")
    chose = Term("50 people like you chose it", 9.0, "person", chosen=True)
    why = explanation(AVERAGE, rated, chose)
    assert why.sentence().endswith("because people like you chose it.")
    assert "people like you rate it high" in explanation(AVERAGE, rated).sentence()
    unknown = replace(why, strategy="popular")
    assert "like you" not in unknown.sentence(), "nobody is like somebody unknown"


@pytest.mark.parametrize(
    ("terms", "style", "figure"),
    [
        ((AVERAGE, Term("Horror", 0.5, "taste")), "base", "3.50"),
        ((Term("Horror", 0.5, "taste"), Term("Drama", 0.2, "taste")), "up", "+0.50"),
        ((), "base", "0.00"),
    ],
)
def test_a_waterfall_begins_with_a_base_only_where_a_score_has_one(terms, style, figure):
    first = explanation(*terms).steps()[0]
    assert (first.style, first.figure, first.start) == (style, figure, 0.0)


@pytest.mark.parametrize(
    ("kind", "words"),
    [("taste", "it suits people's taste in Horror"), ("choice", "people tend to choose Horror")],
)
def test_tastes_of_which_nothing_is_known_are_said_to_be_those_of_people(kind, words):
    why = replace(explanation(AVERAGE, Term("Horror", 0.9, kind)), strategy="popular")
    assert why.sentence() == f"Heat (1995), because {words}."
    few = [Term(name, 0.05, kind) for name in ("Horror", "Drama", "Crime")]
    together = replace(explanation(AVERAGE, *few), strategy="popular").sentence()
    assert " you" not in together
    assert "people" in together


@pytest.mark.parametrize(
    "n_raters, who",
    [
        (None, "those who rated it rate"),
        (1, "the one who rated it rates"),
        (8, "the 8 who rated it rate"),
        (20, "those who rated it rate"),
    ],
)
def test_few_raters_are_counted(n_raters, who):
    why = replace(explanation(AVERAGE, Term("how this is rated", 0.9, "item")), n_raters=n_raters)
    assert why.sentence() == f"Heat (1995), because {who} it high."


def test_the_rounded_score_and_the_limits_add_up_to_the_rounded_prediction():
    reasons = explanation(AVERAGE, Term("Horror", 2.4549, "taste"), predicted=5.0)
    assert reasons.limits == Term("limits of the scale", -0.95, "clipping")
    assert reasons.score + reasons.clipping == reasons.predicted
    assert reasons.to_dict()["clipping"] == reasons.clipping
    assert "limits of the scale" in reasons._repr_html_()
    nearly = explanation(AVERAGE, Term("Horror", 1.504, "taste"), predicted=5.0)
    assert nearly.limits is None, "nothing to show where both are shown as 5.00"


def test_a_low_score_is_not_praised():
    liked, not_liked = Term("Horror", 0.2, "taste"), Term("Comedy", -0.9, "taste")
    sentence = explanation(AVERAGE, liked, not_liked).sentence()
    assert sentence == (
        "Heat (1995) scores below the average, because it does not suit your taste in Comedy."
    )


def test_in_a_list_a_sentence_says_why_the_item_is_there():
    """Whatever its score is held against; what is said of stars compares stars with stars."""
    liked, not_liked = Term("Horror", 0.2, "taste"), Term("Comedy", -0.9, "taste")
    below = ", though you would probably rate it 2.6, below your average of 3.1."
    for terms, words in (
        ((AVERAGE, liked, not_liked), ", because it suits your taste in Horror"),
        ((AVERAGE, not_liked), ": the best of what is left"),
    ):
        low = replace(explanation(*terms, predicted=2.6), is_listed=True)
        assert low.sentence() == f"Heat (1995){words}."
        for of in ("stars", "list"):
            told = replace(low, of=of, own_mean=3.1)
            assert told.sentence() == f"Heat (1995){words}{below}"


def test_a_list_score_is_held_against_list_scores_and_not_an_average_of_stars():
    why = replace(explanation(AVERAGE, Term("Comedy", -0.9, "taste")), of="list", usual=3.6)
    assert why.sentence() == (
        "Heat (1995) scores below what is usual for you, because it does not suit your taste in "
        "Comedy."
    )


def test_what_is_usual_for_someone_who_rates_low_is_not_held_against_a_film():
    terms = (Term("how you rate", -0.9, "user"), Term("Horror", 0.4, "taste"))
    low = explanation(AVERAGE, *terms)
    assert low.sentence().startswith("Heat (1995) scores below the average")
    assert replace(low, usual=2.6).sentence() == (
        "Heat (1995), because it suits your taste in Horror."
    )
    assert "below your average" in replace(low, usual=3.4).sentence()


@pytest.mark.parametrize("predicted", [None, 5.0])
def test_a_notebook_shows_the_waterfall_of_the_chart(predicted):
    """Each bar begins where the one before it ended, and sums where the first begins."""
    terms = (AVERAGE, Term("Horror", 2.0, "taste"), Term("Comedy", -0.3, "taste"))
    why = explanation(*terms, predicted=predicted)
    bars = re.findall(
        r"margin-left:([\d.]+)em;width:([\d.]+)em;background:([^\"]+)", why._repr_html_()
    )
    first, last = (
        [float(left) for left, *_ in bars],
        [float(left) + float(width) for left, width, _ in bars],
    )
    colors = [BASE, FOR, AGAINST, "currentColor", *([AGAINST, "currentColor"] if predicted else [])]
    assert [color for *_, color in bars] == colors
    assert first[1] == pytest.approx(last[0], abs=0.02)  # up from the base
    assert last[2] == pytest.approx(last[1], abs=0.02)  # down from there
    assert last[3] == pytest.approx(first[2], abs=0.02)  # to the score
    assert first[0] == first[3] == 0.0
    drawn = waterfall(why).picture
    low, steps = drawn.low, why.steps()
    assert [(row.start, row.end) for row in drawn.rows] == [(one.start, one.end) for one in steps]
    em = last[1] / (max(one.end for one in steps) - low)
    assert last == pytest.approx([em * (max(one.start, one.end) - low) for one in steps], abs=0.02)


def test_html_escapes_titles():
    reasons = explanation(AVERAGE, Term("<img onerror=alert(1)>", 0.5, "rating"), by="history")
    assert "<img" not in reasons._repr_html_()


def test_plain_data_has_everything():
    plain = explanation(AVERAGE, Term("Horror", 0.5, "taste")).to_dict()
    assert plain["score"] == pytest.approx(sum(term["value"] for term in plain["terms"]))
    assert plain["terms"][0] == {"name": "average of all ratings", "value": 3.5, "kind": "base"}
