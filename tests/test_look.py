"""The look of the terminal: colour as on the page, bars that fit, and plain text elsewhere."""

import io
import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import matinee
from matinee.charts import stylesheet
from matinee.cli import console, run
from matinee.cli.taste_cards import cards
from matinee.display.notebook import Grid
from matinee.display.palette import DARK, LIGHT, custom_properties
from matinee.display.styled import plain
from matinee.display.text import percent, wrap
from matinee.explain.explanation import Explanation
from matinee.explain.term import Term
from matinee.explain.term_table import Terms

OWN_PERCENT = re.compile(r"\{[^{}\n]*(\.\w+%\}|f\} %)")  # {x:.0%}, {100 * x:.0f} %
CODES = re.compile(r"\x1b\[[0-9;]*m")
BLUE, ORANGE, DIM, BOLD = "\x1b[38;5;32m", "\x1b[38;5;166m", "\x1b[2m", "\x1b[1m"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    return Terminal()


def explanation():
    terms = (
        Term("average of all ratings", 3.5, "base"),
        Term("how this is rated", 0.6, "item"),
        Term("Westerns of the sixties and of long ago", -0.9, "taste"),
        Term("Alien (1979)", 0.4, "rating", detail="you gave 5"),
    )
    score = sum(term.value for term in terms)
    return Explanation("7", "1", "Heat (1995)", "factor", score, score, "personal", Terms.of(terms))


def test_terms_for_are_blue_and_terms_against_orange(terminal):
    lines = console.lines_of(explanation(), terminal)
    names = ("  how this", "  Westerns", "  Alien")
    by_name = {name: line for line in lines for name in names if name in line}
    assert BLUE in by_name["  how this"]
    assert ORANGE in by_name["  Westerns"]
    assert f"{DIM}you gave 5" in by_name["  Alien"]
    assert f"{BOLD}Heat (1995)" in lines[0]


@pytest.mark.parametrize("columns", [40, 60, 100])
def test_what_is_painted_says_what_is_printed(terminal, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    painted = console.lines_of(explanation(), terminal)
    plain = console.lines_of(explanation(), io.StringIO())
    assert [CODES.sub("", line) for line in painted] == plain
    assert not any("\x1b" in line for line in plain)
    assert all(len(part) <= columns for line in plain for part in line.split("\n"))


def test_who_wants_no_colour_gets_none(terminal, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "")  # as good as not set, by no-color.org
    assert any("\x1b" in line for line in console.lines_of(explanation(), terminal))
    monkeypatch.setenv("NO_COLOR", "1")
    assert not any("\x1b" in line for line in console.lines_of(explanation(), terminal))


def test_bars_are_as_long_as_there_is_room():
    grid = Grid([["a", "1"], ["b", "2"]], has_heading=False, shares=[0.5, 1.0])
    longest = [
        max(len("".join(part.text for part in line)) for line in grid.lines(n))
        for n in (20, 40, 90)
    ]
    assert longest == [20, 40, 46], "40 characters of bar at most"


def test_the_heading_of_a_table_is_dim_and_titles_are_bold(terminal):
    rows = [{"rank": 1, "item_id": "9", "title": "Heat", "score": 4.2, "stars": 4.0}]
    heading, line = console.ranked_list(rows, "score", 80, stream=terminal)
    assert heading.startswith(DIM)
    assert f"{BOLD}Heat" in line
    assert [CODES.sub("", one) for one in (heading, line)] == console.ranked_list(rows, "score", 80)


def test_a_comparison_marks_the_best_with_a_star():
    compared = matinee.compare([], matinee.sample(), metrics=["ndcg"])
    assert "★" in str(compared)
    assert "*" not in str(compared)


def test_the_colours_stand_in_one_place():
    sources = Path(matinee.__file__).parent
    palette = {*LIGHT, *DARK}
    for file in sources.rglob("*"):
        if file.suffix in (".py", ".css", ".js") and file.name != "palette.py":
            assert palette.isdisjoint(re.findall(r"#[0-9a-f]{6}", file.read_text("utf-8"))), file


# From linear RGB as eyes without one kind of cones see it (Machado, Oliveira & Fernandes 2009).
EYES = {
    "any": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "no long": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "no medium": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "no short": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
# OKLab (Ottosson 2020): cone responses of linear RGB; lightness and two opponents of their roots.
CONES = [
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
]
OPPONENTS = [
    [0.2104542553, 0.7936177850, -0.0040720468],
    [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
]


def linear(color):
    """Linear RGB of ``#rrggbb``."""
    rgb = np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize(("colors", "ground"), [(LIGHT, "#ffffff"), (DARK, "#12161c")])
def test_colours_differ_to_any_eyes_and_stand_out_from_the_ground(eyes, colors, ground):
    seen = [np.clip(EYES[eyes] @ linear(color), 0, 1) for color in colors]
    lab = np.array([OPPONENTS @ np.cbrt(CONES @ rgb) for rgb in seen])
    assert min(np.linalg.norm(one - other) for one, other in combinations(lab, 2)) > 0.06
    for color in colors:
        low, high = sorted(linear(one) @ [0.2126, 0.7152, 0.0722] for one in (color, ground))
        assert (high + 0.05) / (low + 0.05) >= 3


def test_style_sheets_take_their_colours_from_the_palette():
    light, _, dark = stylesheet().partition("@media (prefers-color-scheme: dark)")
    for place in range(len(LIGHT)):
        assert f".chart .c{place} {{ fill: {LIGHT[place]}" in light
        assert f".c{place} {{ fill: {DARK[place]}" in dark
    assert custom_properties().count("--c") == 2 * len(LIGHT)


@pytest.mark.parametrize("columns", [40, 60, 80])
@pytest.mark.parametrize("of", ["list", "neighbors", "titles that are ids"])
def test_lists_fit_the_terminal_and_keep_their_figures(columns, of):
    scores = {"stars": 4.54, "score": 102.93} if of == "list" else {"similarity": 0.78}
    named = {} if of == "titles that are ids" else {"title": "Terminator 2: Judgment Day (1991)"}
    row = {"rank": 1, "item_id": "a-very-long-id-of-an-item-1991", **named, **scores}
    heading, line = console.ranked_list([row, row], list(scores)[-1], columns)[:2]
    assert max(map(len, (heading, line))) <= columns
    assert {f"{value:.2f}" for value in scores.values()} <= set(line.split())
    assert "Term" in line or "a-ve" in line


def test_titles_are_whole_before_ids_take_room():
    row = {"rank": 1, "item_id": "589", "title": "Fargo (1996)", "stars": 4.54, "score": 102.93}
    assert "589" in console.ranked_list([row], "score", 42)[1]
    row["title"] = "Terminator 2: Judgment Day (1991)"
    assert "589" in console.ranked_list([row], "score", 60)[1]
    assert "589" not in console.ranked_list([row], "score", 40)[1]


@pytest.mark.parametrize("columns", [30, 60])
def test_facts_that_are_long_hang_below_their_beginning(columns):
    facts = [["threads", "2 of 2 cores; a variable sets their number"], ["memory", "24 GiB"]]
    lines = str(plain(Grid(facts, has_heading=False, left=(0, 1)).lines(columns))).split("\n")
    assert max(map(len, lines)) <= columns
    assert [line[:9].strip() for line in lines if line[:9].strip()] == ["threads", "memory"]
    assert (
        " ".join(line[9:] for line in lines) == "2 of 2 cores; a variable sets their number 24 GiB"
    )


@pytest.mark.parametrize(
    "arguments",
    [["inspect", "a-file-that-is-nowhere-to-be-found.csv"], ["fit", "--no-such-option"]],
)
def test_errors_are_broken_on_a_terminal_alone(terminal, monkeypatch, capsys, arguments):
    monkeypatch.setenv("COLUMNS", "40")
    assert run(arguments) != 0
    (whole,) = [line for line in capsys.readouterr().err.split("\n") if "rror:" in line]
    monkeypatch.setattr("sys.stderr", terminal)
    assert run(arguments) != 0
    said = terminal.getvalue()
    broken = said[said.lower().index("error:") :].strip().split("\n")
    assert " ".join(broken) == whole
    assert all(len(line) <= 40 or " " not in line for line in broken)


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_cards_of_tastes_fit_the_terminal(columns):
    tastes = matinee.NMF(n_factors=12, n_epochs=5).fit(matinee.sample()).tastes()
    lines = cards(tastes, 5, columns, io.StringIO())
    assert max(map(len, lines)) <= columns
    facts = [place for place, line in enumerate(lines) if "of scores" in line]
    for taste, place in zip(tastes.by_share(), facts, strict=True):
        assert f"{taste.n_people:,} " in lines[place]
        below = lines[place].split()[1] == "%"
        number, name = lines[place - below].split(maxsplit=1)
        assert int(number) == taste.number
        assert name.startswith(taste.name[:27])


@pytest.mark.parametrize("columns", [80, 100])
def test_names_are_whole_where_there_is_room_for_them(columns):
    """Of tastes beside their facts or above them, and of terms beside their bars."""
    name = "films that people of a certain age watch late on rainy days"
    model = matinee.NMF(n_factors=3, n_epochs=5).fit(matinee.sample()).rename_taste(0, name)
    assert any(name in line for line in cards(model.tastes(), 5, columns, io.StringIO()))
    terms = [Term("average of all ratings", 3.5, "base"), Term(name[:45], 0.5, "taste")]
    why = Explanation("7", "1", "Heat", "factor", 4.0, 4.0, "personal", Terms.of(terms))
    row = str(plain(why.lines(columns))).split("\n")[3]
    assert (name[:45] in row) == (columns == 100)


def test_percentages_are_written_in_one_way_and_no_line_breaks_before_the_sign():
    assert (percent(0.95), percent(1 / 3, 2), percent(0)) == ("95 %", "33.33 %", "0 %")
    lines = wrap(f"the intervals hold {percent(0.95)} of all ratings", 22).split("\n")
    assert lines == ["the intervals hold", "95 % of all ratings"]
    source = Path(matinee.__file__).parent
    own = [path.name for path in source.rglob("*.py") if OWN_PERCENT.search(path.read_text())]
    assert own == [], "a share is formatted by display.text.percent"
