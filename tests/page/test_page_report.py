"""The report in a browser: on every screen, and on paper."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import matinee
from browser import Page, complaints, size, violations_in_every_look
from matinee.report import report_of

PAPER = 718  # pixels between the margins of A4
SMALLEST = 0.55  # of the size that a chart is drawn in: its letters are 12 pixels high


@pytest.fixture(scope="module")
def report(folder: Path, driver: Any) -> Iterator[Page]:
    """The report of a model whose quality was measured."""
    file = report_of(matinee.load(folder / "nmf")).save(folder / "report.html")
    driver.get(file.as_uri())
    yield Page(driver, file.as_uri())
    assert complaints(driver) == []


def test_axe_finds_no_violation_in_a_report(report):
    assert violations_in_every_look(report) == {}


@pytest.mark.parametrize("dark", [False, True])
def test_a_report_fits_a_small_screen(report, dark):
    size(report.driver, 320, dark=dark)
    assert report.driver.execute_script("return document.documentElement.scrollWidth") <= 320


@pytest.fixture
def printed(report: Page) -> Iterator[Page]:
    """The report as it is laid out for paper."""
    size(report.driver, PAPER)
    report.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    yield report
    report.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_charts_are_read_on_paper(printed):
    shares = """return [...document.querySelectorAll(".chart")].filter((one) => one.clientHeight)
      .map((one) => one.clientHeight / one.viewBox.baseVal.height)"""
    shown = printed.driver.execute_script(shares)
    assert len(shown) > 10
    assert min(shown) > SMALLEST


def test_no_heading_is_parted_from_what_it_heads(printed):
    after = """return [...document.querySelectorAll("main :is(h2, h3, figcaption)")]
      .map((one) => getComputedStyle(one).breakAfter)"""
    assert set(printed.driver.execute_script(after)) == {"avoid"}


def test_a_model_card_is_in_words(report):
    facts = [one.get_attribute("textContent") for one in report.all("#card dd")]
    assert not [one for one in facts if "{" in one or "[" in one]
    assert any(one.startswith("implicit-als, n_factors") for one in facts)
    names = [one.get_attribute("textContent") for one in report.all("#card dt")]
    assert len(set(names)) == len(names), "nothing is said twice"
