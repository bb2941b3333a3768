"""The page on growth shows what ``benchmarks/scaling.py`` measured, and its lines are right."""

import math

import pytest

from scripts import script_of


@pytest.fixture(scope="module")
def script():
    return script_of("benchmarks/scaling.py")


def test_the_tables_of_the_page_are_those_of_the_rows(script):
    page = script.PAGE.read_text(encoding="utf-8")
    assert script.filled(page) == page


def test_every_algorithm_is_measured_at_every_size(script):
    measured = script.by_algorithm(script.read_rows(script.ROWS))
    assert set(measured) == set(script.ALGORITHMS) - script.LEFT_OUT == set(script.INSTEAD)
    for name, rows in measured.items():
        sizes = [(row["side"], row["times"]) for row in rows]
        assert sizes == [(side, times) for side, times, _ in script.sizes(name)]


def test_one_side_grows_while_the_others_stay(script):
    sizes = list(script.sizes("mf"))
    assert len(sizes) == 1 + 3 * 4
    assert sizes[0] == ("", 1, script.Size())
    assert ("items", 8, script.replace(script.Size(), items=8 * script.Size().items)) in sizes
    assert {side for side, _, _ in script.sizes("ease")} == {"", "users", "items", "ratings"}


def test_exponents_and_limits_of_a_power_law(script):
    rows = [
        {"side": side, "users": n, "items": 7, "cpu_seconds": 3e-6 * n**2}
        for side, n in (("", 100), ("users", 200), ("users", 400), ("users", 800))
    ]
    growth = script.Growth.of(
        [*rows, {"side": "items", "users": 1, "cpu_seconds": 9}], "users", "cpu_seconds"
    )
    assert growth.exponent == pytest.approx(2)
    assert growth.reaches(3e-6 * 5000**2) == pytest.approx(5000)
    assert growth.reaches(1.0) == 800  # already at the largest that was measured
    assert math.isinf(growth.reaches(3e-6 * 80_001**2))  # beyond a hundred times that
    assert growth.reaches(3e-6 * 79_999**2) == pytest.approx(79_999)
    flat = script.Growth(growth.size, growth.figure[::-1])
    assert flat.exponent == pytest.approx(-2)
    assert math.isinf(flat.reaches(1e9))


def test_a_line_that_was_continued_shows_two_digits(script):
    assert script.rounded(15_499.0) == 15_000
    assert script.rounded(7.0) == 7
