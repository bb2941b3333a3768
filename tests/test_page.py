"""The page in a real browser, on a real server: every section, by mouse and by keyboard."""

import html
import json
import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

import matinee
from browser import asked_for, chromium, complaints, size, violations
from matinee.data.catalog import Catalog, Item
from matinee.evaluation.model_quality import measure_quality
from matinee.feedback.store import Store
from matinee.server import lifecycle
from matinee.server.evaluation_record import EvaluationRecord
from matinee.server.lifecycle import ServerState
from matinee.server.middleware.security import AccessPolicy
from matinee.server.page_files import PAGE
from matinee.sources import read_ratings
from matinee.sources.synthetic import checkerboard
from serving import TOKEN, answering

SECTIONS = ["find", "list?user=42", "film?item=fight-club-1999", "tastes", "map", "data", "quality"]
MOST_BYTES = 200_000
PATIENCE = 20  # seconds
SETTLED = "return document.body && document.body.dataset.ready"
UNLABELLED = """
return [...document.querySelectorAll('input, select, button, a')].filter((one) =>
  !(one.labels && one.labels.length) && !one.getAttribute('aria-label') && !one.textContent.trim()
).map((one) => one.outerHTML)"""


class Page:
    """The page as a person meets it."""

    def __init__(self, driver: Any, url: str) -> None:
        self.driver = driver
        self.url = url

    def open(self, address: str) -> "Page":
        """Go to a section from somewhere else, so that everything is loaded anew."""
        self.driver.get("about:blank")
        self.driver.get(f"{self.url}/#{address}")
        self.until(lambda: self.driver.execute_script(SETTLED))
        return self

    def until(self, holds: Any) -> Any:
        """Wait for something to hold, and return it."""
        from selenium.common.exceptions import StaleElementReferenceException
        from selenium.webdriver.support.ui import WebDriverWait

        wait = WebDriverWait(
            self.driver, PATIENCE, 0.03, ignored_exceptions=[StaleElementReferenceException]
        )
        return wait.until(lambda _: holds())

    def all(self, selector: str) -> list[Any]:
        """The elements that a CSS selector finds now."""
        return self.driver.find_elements("css selector", selector)

    def some(self, selector: str) -> list[Any]:
        """The same, once there are any."""
        return self.until(lambda: self.all(selector))

    def click(self, selector: str, place: int = 0) -> None:
        """Click on one of the elements."""
        one = self.some(selector)[place]
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", one)
        one.click()

    def says(self, words: str, selector: str = "body") -> Any:
        """Wait until some words stand in an element."""
        return self.until(lambda: any(words in one.text for one in self.all(selector)))

    def titles(self) -> list[str]:
        """The titles of the list."""
        return [one.text for one in self.all(".title bdi")]

    @property
    def address(self) -> str:
        return self.driver.execute_script("return location.hash")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models, and a record of a comparison."""
    place = tmp_path_factory.mktemp("page")
    sample = matinee.sample()
    nmf = matinee.NMF(n_factors=6, n_epochs=10).fit(sample)
    measure_quality(nmf, sample).saved_with(nmf).save(place / "nmf")
    matinee.MF(n_factors=4, n_epochs=3).fit(sample).save(place / "mf")
    record = place / "runs.jsonl"
    matinee.compare([], sample, metrics=["rmse", "ndcg", "coverage"], record=record)
    return place


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[str]:
    store = Store.at(folder / "feedback.sqlite")
    state = ServerState(
        folder / "nmf", store, folder / "mf", EvaluationRecord.read(folder / "runs.jsonl", None)
    )
    with answering(state) as client:
        yield str(client.base_url)
    store.close()


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    with chromium() as one:
        yield one


@pytest.fixture
def page(driver: Any, served: str) -> Iterator[Page]:
    """The page; afterwards nothing was complained of, and nothing asked of anybody else."""
    size(driver, 1200)
    yield Page(driver, served)
    assert complaints(driver) == []
    assert strangers(driver, served) == []


def strangers(driver: Any, served: str) -> list[str]:
    """What was asked of anybody but the server."""
    return [one for one in asked_for(driver) if not one.startswith(served)]


# Find a person.


def test_a_sample_leads_to_their_list(page):
    page.open("find").click("main .chips a")
    assert len(page.some("ol.films > li")) == 10
    assert page.address.startswith("#list?user=")


def test_a_person_is_found_by_their_id_with_the_keyboard_alone(page):
    from selenium.webdriver.common.keys import Keys

    field = page.open("find").some("input[name=q]")[0]
    field.send_keys("42")
    assert all("42" in one.text for one in page.some("#people-found a"))
    field.send_keys(Keys.ENTER)
    page.says("For person 42", "h1")


def test_a_newcomers_list_follows_each_rating_and_back_loses_nothing(page):
    page.open("find").some("main .cards article")
    assert "would have guessed" not in page.all("main")[0].text
    assert "1.5" in page.all(".cards .choice")[0].text, "the scale of the sample has halves"
    for place in range(5):
        page.click(".cards article:not(.done) label", 8 if place % 2 else 2)
        page.until(lambda place=place: page.address.count("%3A") == place + 1)
        page.until(lambda place=place: len(page.all(".chips[aria-label] button")) == place + 1)
        page.until(lambda place=place: page.all("main")[0].text.count("would have") == place + 1)
    assert re.search(r"This moved (\d+ films?|nothing)", page.all("main")[0].text)
    page.until(lambda: len(page.all(".cards article:not(.done)")) == 4)
    address, titles = page.address, page.titles()
    page.click("main a.button.main")
    page.says("From 5 ratings of yours")
    assert page.titles() == titles, "the list is the one beside the cards"
    page.driver.back()
    page.says("Have you seen these?")
    assert page.address == address
    page.until(lambda: page.titles() == titles)
    page.click(".chips[aria-label] button")
    page.until(lambda: page.address.count("%3A") == 4)


def test_a_film_not_seen_gives_way_to_another_and_any_film_can_be_added(page):
    titles = [one.text for one in page.open("find").some(".cards h3")]
    page.click(".cards article > button")
    page.until(
        lambda: (
            len(page.all(".cards h3")) == len(titles) and page.all(".cards h3")[0].text == titles[1]
        )
    )
    assert titles[0] not in [one.text for one in page.all(".cards h3")]
    page.all("input[name=add]")[0].send_keys("fight club")
    page.click(".add [role=option]")
    page.until(lambda: page.all(".cards h3")[0].text == "Fight Club (1999)")


def test_points_for_tastes_make_a_list(page, folder):
    page.open("find?way=points").some("input[type=number]")[0].send_keys("7")
    page.says("3 points left")
    page.click("main button.main", -1)
    if not hasattr(matinee.load(folder / "nmf"), "fold_in_tastes"):
        page.says("take no points for tastes")
        page.driver.get_log("browser")  # the browser notes the 422
        return
    assert len(page.some("ol.films > li")) == 10


LETTERBOXD = """\
Date,Name,Year,Letterboxd URI,Rating
2024-01-01,Fight Club,1999,https://boxd.it/1,4.5
2024-01-02,"The Good, the Bad and the Ugly",1966,https://boxd.it/2,5
2024-01-03,Amélie,2001,https://boxd.it/3,4
2024-01-04,A film that nobody has heard of,1901,https://boxd.it/4,1
"""
IMDB = """\
Const,Your Rating,Date Rated,Title,URL,Title Type,IMDb Rating,Runtime (mins),Year,Genres
tt0137523,9,2024-01-01,Fight Club,https://www.imdb.com/,Movie,8.8,139,1999,Drama
tt0060196,10,2024-01-01,"The Good, the Bad and the Ugly",https://www.imdb.com/,Movie,8.8,161,1966,Western
"""


@pytest.mark.parametrize("text, read, known", [(LETTERBOXD, 4, 2), (IMDB, 2, 2)])
def test_an_export_is_read_in_the_browser_and_becomes_a_list(page, tmp_path, text, read, known):
    file = tmp_path / "ratings.csv"
    file.write_text(text, encoding="utf-8")
    page.open("find?way=bring").some("input[type=file]")[0].send_keys(str(file))
    page.says(f"of {read} films are known here")
    found = int(re.search(r"(\d+) of \d+ films are known", page.all("main")[0].text)[1])
    assert found >= known
    page.click("main button.main", -1)
    page.says(f"From {found} ratings of yours")


def test_another_file_is_refused_in_words(page, tmp_path):
    file = tmp_path / "ratings.csv"
    file.write_text("a,b\n1,2\n")
    page.open("find?way=bring").some("input[type=file]")[0].send_keys(str(file))
    page.says("This is not a ratings.csv of Letterboxd, IMDb or Matinee")


# Recommendations and why.


def test_a_click_shows_terms_that_add_up_and_the_address_remembers_it(page):
    page.open("list?user=42").click("ol.films button")
    assert page.some(".why svg")[0].get_attribute("role") == "img"
    page.click(".why details summary")
    rows = page.some(".why figure tbody tr")
    values = {row.text.rsplit(" ", 1)[0]: float(row.text.rsplit(" ", 1)[1]) for row in rows}
    terms = list(values.values())[: list(values).index("list score")]
    assert sum(terms) == pytest.approx(values["list score"], abs=0.0051)
    page.says("stars predicted", ".why figcaption")
    assert "item=" in page.address
    page.open(page.address[1:]).some(".why svg")


def test_the_dial_from_safe_to_adventurous_moves_the_list_and_sums_still_add_up(page, served):
    import httpx
    from selenium.webdriver.common.keys import Keys

    before = page.open("list?user=42").some(".title") and page.titles()
    page.some("input[name=caution]")[0].send_keys(Keys.END)
    page.says("6 bolder", ".dial output")
    page.until(lambda: page.titles() and page.titles() != before)
    assert "caution=-" in page.address
    caution = float(re.search(r"caution=(-[\d.]+)", page.address)[1])
    asked = {"caution": caution, "n": 10}
    items = httpx.get(f"{served}/v1/users/42/recommendations", params=asked).json()["items"]
    assert page.titles() == [f"{one['title']} ({one['year']})" for one in items]
    page.click("ol.films button")
    page.click(".why details summary")
    rows = [row.text.rsplit(" ", 1) for row in page.some(".why figure tbody tr")]
    *terms, (name, total) = [(name, float(value)) for name, value in rows]
    assert name == "list score"
    assert total == pytest.approx(items[0]["score"], abs=0.0051)
    assert sum(value for _, value in terms) == pytest.approx(total, abs=0.0051)
    page.says("for uncertainty", ".why figcaption")
    after = page.titles()
    page.open(page.address[1:]).some("ol.films > li")
    assert page.titles() == after, "the address is the whole state"
    page.some("input[name=caution]")[0].send_keys(Keys.HOME)
    page.says("6 safer", ".dial output")
    page.until(lambda: page.titles() and page.titles() != after)


def test_stars_stand_beside_the_rank(page):
    page.open("list?user=42").some("ol.films > li")
    assert all(re.fullmatch(r"[1-5]\.\d ★", one.text) for one in page.all(".film .stars"))


def test_reasons_by_ratings_and_by_people(page):
    page.open("list?user=42").click("ol.films button")
    for view, words in (("history", "by your ratings"), ("people", "by people like you")):
        page.click(f"input[value={view}] + *, label:has(input[value={view}])")
        page.until(lambda view=view: f"by={view}" in page.address)
        page.says(words, ".why")


def test_filters_narrow_the_list(page, served):
    import httpx

    page.open("list?user=42&genre=Horror&from=1980&to=1999").some("ol.films > li")
    asked = {"genre": "Horror", "year_from": 1980, "year_to": 1999, "n": 10}
    items = httpx.get(f"{served}/v1/users/42/recommendations", params=asked).json()["items"]
    assert page.titles() == [f"{one['title']} ({one['year']})" for one in items]
    link = page.all("#as-json")[0].get_attribute("href")
    assert httpx.get(link).json()["items"][0]["item_id"] == items[0]["item_id"]


def test_two_models_stand_side_by_side(page):
    page.open("list?user=42&beside=1").some(".beside ol.films")
    assert [one.text for one in page.all(".beside h2")] == ["nmf", "mf"]
    assert len(page.all("ol.films > li")) == 20
    assert page.all(".moved-up, .moved-down, .beside section + section .soft")


def test_the_mixer_moves_the_one_list_and_the_address_remembers_it(page, served):
    import httpx
    from selenium.webdriver.common.keys import Keys

    before = page.open("list?user=42&genre=Drama").some(".title") and page.titles()
    page.some(".sliders input")[0].send_keys(Keys.HOME)
    page.until(lambda: page.titles() and page.titles() != before)
    assert page.all(".sliders output")[0].text == "off"
    assert page.all("ol.films .moved-up, ol.films .moved-down")
    page.click("#mixer details summary")
    page.click("#mixer .rated input")
    page.until(lambda: "without=" in page.address)
    turn, without = (re.search(rf"{name}=([^&]+)", page.address)[1] for name in ("turn", "without"))
    body = {
        "user": "42",
        "turn": {turn.split("%3A")[0]: 0},
        "without": [without],
        "genre": ["Drama"],
    }
    items = httpx.post(f"{served}/v1/recommendations", json=body).json()["items"]
    expected = [f"{one['title']} ({one['year']})" for one in items]
    page.until(lambda: page.titles() == expected)
    page.click("ol.films button")
    page.click(".why details summary")
    rows = [row.text.rsplit(" ", 1) for row in page.some(".why figure tbody tr")]
    *terms, total = [float(value) for _, value in rows]
    assert sum(terms) == pytest.approx(total, abs=0.0051)
    assert total == pytest.approx(items[0]["score"], abs=0.0051), "the sum of the mixed list"
    page.open(page.address[1:]).some("ol.films > li")
    assert page.titles() == expected, "the address is the whole state"
    page.click("#mixer > button")
    page.until(lambda: page.titles() == before)


HELD = """
const real = window.fetch;
window.held = [];
window.fetch = (where, options) => {
  const body = JSON.parse(options.body || "null");
  if (!body?.turn || !Object.values(body.turn).includes(0.75)) return real(where, options);
  window.held.push([where, options.signal]);
  const late = new Promise((resolve) => setTimeout(resolve, 1500));
  return late.then(() => real(where, { ...options, signal: null }));
};
"""  # what asks of a taste at × 0.75 is answered late, whether it is aborted or not


def test_what_a_newer_move_overtakes_is_aborted_and_never_shown(page, served):
    from selenium.webdriver.common.keys import Keys

    page.open("list?user=42").click("ol.films button")
    page.some(".why .standing strong")
    page.driver.execute_script(HELD)
    slider = page.all(".sliders input")[0]
    taste = slider.get_attribute("data-taste")
    slider.send_keys(Keys.ARROW_LEFT)
    page.until(lambda: page.driver.execute_script("return held.length"))
    slider.send_keys(Keys.HOME)
    body = {"user": "42", "turn": {taste: 0}, "why": "true"}
    items = httpx.post(f"{served}/v1/recommendations", json=body).json()["items"]
    expected = [f"{one['title']} ({one['year']})" for one in items]
    page.until(lambda: page.titles() == expected)
    aborted = page.driver.execute_script("return held.map(([, signal]) => signal.aborted)")
    assert aborted
    assert all(aborted)
    late = "const done = arguments[0]; setTimeout(done, 2000)"
    page.driver.execute_async_script(late)
    assert page.titles() == expected
    stands = httpx.post(
        f"{served}/v1/standings",
        json={
            "user": "42",
            "turn": {taste: 0},
            "item": re.search(r"item=([^&]+)", page.address)[1],
        },
    ).json()
    page.says(stands["sentence"], ".standing")


WATCHED = """
window.bare = 0;
const rows = document.querySelector("ol.films");
document.querySelector(".why svg").dataset.old = "1";
new MutationObserver(() => {
  const why = document.querySelector("ol.films .why:not([hidden])");
  if (!why?.querySelector("svg") || !why.querySelector(".standing strong")) window.bare += 1;
}).observe(rows, { childList: true, subtree: true });
"""


def test_an_open_row_keeps_its_bars_until_the_new_ones_have_come(page, served):
    from selenium.webdriver.common.keys import Keys

    page.open("list?user=42").click("ol.films > li:nth-child(2) button")
    page.some(".why .standing strong")
    page.click(".why details.figures > summary")
    page.some(".why figure tbody tr")
    page.driver.execute_script(WATCHED)
    page.some("input[name=caution]")[0].send_keys(Keys.ARROW_LEFT)
    page.until(lambda: page.all(".why svg") and not page.all(".why svg[data-old]"))
    assert page.driver.execute_script("return window.bare") == 0
    item, caution = (re.search(rf"{of}=([^&]+)", page.address)[1] for of in ("item", "caution"))
    question = {"user": "42", "item": item, "caution": float(caution)}
    score = httpx.post(f"{served}/v1/explanations", json=question).json()["score"]
    total = page.until(lambda: page.all(".why details.figures[open] tbody tr:last-child td"))[0]
    assert float(total.text) == pytest.approx(score, abs=0.0051)


def test_every_rule_applies_to_the_mixed_list_and_lies_in_the_address(page, served):
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import Select

    page.open("list?user=42&genre=Drama&from=1980&to=2005&varied=1").some("ol.films > li")
    Select(page.all("select[name=min_ratings]")[0]).select_by_value("50")
    page.until(lambda: "known=50" in page.address)
    slider = page.all(".sliders input")[0]
    taste = slider.get_attribute("data-taste")
    slider.send_keys(Keys.HOME)
    rules = {"genre": ["Drama"], "year_from": 1980, "year_to": 2005, "diversity": 0.5}
    body = {"user": "42", "turn": {taste: 0}, "min_ratings": 50, **rules}
    items = httpx.post(f"{served}/v1/recommendations", json=body).json()["items"]
    expected = [f"{one['title']} ({one['year']})" for one in items]
    page.until(lambda: page.titles() == expected)
    page.open(page.address[1:]).some("ol.films > li")
    assert page.titles() == expected, "the address is the whole state"
    assert (
        Select(page.all("select[name=min_ratings]")[0]).first_selected_option.text
        == "50 ratings or more"
    )


def test_where_a_film_stands_follows_the_length_of_the_list(page, served):
    page.open("list?user=42&n=20").click("ol.films > li:nth-child(15) button.plain")
    item = page.until(lambda: re.search(r"item=([^&]+)", page.address))[1]
    question = {"user": "42", "item": item, "n": 20}
    stands = httpx.post(f"{served}/v1/standings", json=question).json()
    page.says(stands["sentence"], ".standing")
    page.says("Against number 20", ".standing")


def test_on_a_phone_the_list_is_seen_while_a_slider_moves(page):
    size(page.driver, 390, 844)
    page.open("list?user=42").click("#mixer > summary")
    page.driver.execute_script("document.querySelector('ol.films').scrollIntoView()")
    tops = "const of = (s) => document.querySelector(s).getBoundingClientRect();"
    tops += (
        "return [of('#mixer').bottom, of('.sliders input').top, of('ol.films li:nth-child(2)').top]"
    )
    panel, _, second = page.until(lambda: page.driver.execute_script(tops))
    assert 0 < panel < 844 * 0.45
    assert second < 844


def test_a_rating_counts_at_once_and_can_be_undone(page, served):
    import httpx
    from selenium.webdriver.support.ui import Select

    before = page.open("list?user=77").some(".title") and page.titles()
    Select(page.all(".acts select")[0]).select_by_value("1")
    page.says("The list knows", ".undo")
    page.until(lambda: before[0] not in page.titles())
    ratings = httpx.get(f"{served}/v1/users/77").json()["ratings"]
    assert [one["rating"] for one in ratings if one["source"] == "feedback"] == [1]
    page.click(".undo button")
    page.until(lambda: page.titles() == before)


@pytest.mark.parametrize("kind", ["Seen it", "Hide", "Not for me"])
def test_a_film_seen_hidden_or_disliked_leaves_the_list_and_comes_back(page, kind):
    before = page.open("list?user=43").some(".title") and page.titles()
    names = [one.text.split("\n")[0] for one in page.all("ol.films > li:first-child .acts button")]
    page.click("ol.films > li:first-child .acts button", names.index(kind))
    page.until(lambda: before[0] not in page.titles() and len(page.titles()) == 10)
    page.says(before[0], ".undo bdi")
    page.driver.refresh()
    page.says(before[0], ".undo bdi")
    assert before[0] not in page.titles()
    page.click(".undo button")
    page.until(lambda: page.titles() == before)
    page.open("list?user=43").some(".title")
    assert page.titles() == before


def test_the_address_of_a_newcomer_remembers_what_they_hid(page):
    address = "list?ratings=fight-club-1999:5,alien-1979:4"
    before = page.open(address).some(".title") and page.titles()
    page.click("ol.films > li:first-child .acts button", 1)
    page.until(lambda: before[0] not in page.titles() and len(page.titles()) == 10)
    page.open(page.address[1:]).some(".title")
    assert before[0] not in page.titles()


def test_ten_more_follow_the_first_ten(page):
    before = page.open("list?user=42").some(".title") and page.titles()
    page.click(".mixed > button")
    page.until(lambda: len(page.titles()) == 20)
    assert page.titles()[:10] == before


def test_on_a_wide_screen_the_reasons_stand_beside_the_list_one_at_a_time(page):
    size(page.driver, 2560, 1300)
    page.open("list?user=42").says("why it is in the list stands here", ".why-place")
    rows = "ol.films > li:nth-child({}) button.plain"
    page.click(rows.format(1))
    page.some(".why .standing strong")
    boxes = """
      const box = (selector) => document.querySelector(selector).getBoundingClientRect();
      const [list, why, head] = ["ol.films .film", ".why:not([hidden])", "#ask"].map(box);
      return [list.right <= why.left, head.right <= why.left, why.right <= innerWidth,
        why.left - list.left > 600, scrollX + document.documentElement.scrollWidth <= innerWidth]"""
    assert page.driver.execute_script(boxes) == [True] * 5
    assert not page.all(".why-place")[0].is_displayed()
    before = page.all("ol.films > li")[1].location["y"]
    page.click(rows.format(2))
    page.until(lambda: len(page.all("ol.films > li > [aria-expanded=true]")) == 1)
    assert page.all("ol.films > li")[1].location["y"] == before, "the list stays as it is"
    assert [one.is_displayed() for one in page.all("ol.films .why")[:2]] == [False, True]
    page.some("ol.films > li:nth-child(2) .why .standing strong")
    assert violations(page.driver) == []


def test_on_a_phone_the_list_of_a_newcomer_is_seen_while_they_rate(page):
    size(page.driver, 390, 844)
    page.open("find").some("main .cards article")
    page.click(".cards article:nth-child(1) label", 8)
    page.until(lambda: page.address.count("%3A") == 1)
    page.click(".cards article:not(.done) label", 2)
    page.until(lambda: re.search(r"This moved (\d+ films?|nothing)", page.all(".drawer p")[0].text))
    boxes = """
      const box = (selector) => document.querySelector(selector).getBoundingClientRect();
      const rows = [...document.querySelectorAll(".beside-cards ol.films > li")];
      const card = box(".cards article:nth-child(2)"); // the one just rated
      return { foot: box(".beside-cards").bottom, top: box(".beside-cards").top, card: card.top,
        seen: rows.filter((row) => row.getBoundingClientRect().top < 810).length }"""
    seen = page.driver.execute_script(boxes)
    assert seen["foot"] == 844, "it sticks to the foot of the screen"
    assert seen["top"] > 844 * 0.6
    assert 0 <= seen["card"] < seen["top"], "the card that was rated is seen above it"
    assert seen["seen"] >= 3
    assert violations(page.driver) == []
    page.click(".drawer button")
    assert page.all(".drawer button")[0].get_attribute("aria-expanded") == "true"
    page.until(lambda: page.all(".beside-cards .because")[0].is_displayed())
    unfolded = page.driver.execute_script(boxes)
    assert unfolded["top"] < seen["top"] - 200
    page.click(".beside-cards ol.films button.plain")
    page.some(".beside-cards .why svg")
    assert page.driver.execute_script("return document.documentElement.scrollWidth") <= 390


IN_VIEW = """
return [...document.querySelectorAll("ol.films > li > button")].filter((one) => {
  const { top, bottom, height } = one.getBoundingClientRect();
  return Math.min(bottom, innerHeight) - Math.max(top, 0) >= height / 2;
}).length"""
GLANCE = """
const done = arguments[0];
scrollTo(0, document.body.scrollHeight);
setTimeout(() => { scrollTo(0, 0); setTimeout(done, 1500); }, 300);
"""


@pytest.fixture
def counting(driver, folder, tmp_path, monkeypatch) -> Iterator[tuple[Page, httpx.Client]]:
    """The page of a server that nobody has told anything, and a client of it."""
    monkeypatch.setattr(lifecycle, "OUTCOME_SECONDS", 0.0)
    store = Store.at(tmp_path / "feedback.sqlite")
    with answering(ServerState(folder / "nmf", store)) as client:
        size(driver, 1200)
        asked_for(driver)
        yield Page(driver, str(client.base_url)), client
    store.close()
    assert complaints(driver) == []


def outcome(client: httpx.Client) -> dict[str, Any]:
    """The online figures of the one model; empty where nothing was shown."""
    arms = client.get("/v1/online").raise_for_status().json()["arms"]
    return arms[0] if arms else {}


def test_what_somebody_sees_of_their_own_list_is_counted_once(counting):
    from selenium.webdriver.support.ui import Select

    page, client = counting
    page.open("list?user=42&me=1").some("ol.films > li")
    seen = page.driver.execute_script(IN_VIEW)
    assert 0 < seen < 10
    page.driver.execute_async_script(GLANCE)
    shown = outcome(client)
    assert (shown["impressions"], shown["users"], shown["lists"]) == (seen, 1, 1)
    assert shown["clicks"] == 0
    page.click("ol.films button.plain")
    page.until(lambda: outcome(client)["clicks"] == 1)
    assert outcome(client)["click_through"] == pytest.approx(1 / seen, abs=1e-4)
    page.click("ol.films button.plain")
    size(page.driver, 1200, 4000)
    page.until(lambda: outcome(client)["impressions"] == 10)
    page.click(".mixed > button")
    page.until(lambda: outcome(client)["impressions"] == 20)
    assert outcome(client)["lists"] == 2, "the first ten are not shown again by the next"
    Select(page.all(".acts select")[0]).select_by_value("4")
    page.until(lambda: outcome(client)["conversions"] == 1)
    assert outcome(client)["clicks"] == 1, "what is opened again, or rated, is no further click"
    assert page.address.startswith("#list?user=42&me=1")


def test_nothing_is_sent_of_what_others_look_at(counting):
    page, client = counting
    page.open("list?user=42").click("ol.films button.plain")
    page.says("If not, nothing is sent", ".me")
    page.some(".why svg")
    page.driver.execute_async_script(GLANCE)
    assert [one for one in asked_for(page.driver) if "feedback" in one] == []
    page.click("input[name=me]")
    assert "me=1" in page.address
    page.until(lambda: outcome(client).get("impressions"))
    page.open(page.address[1:]).click("input[name=me]")
    assert "me=" not in page.address
    asked_for(page.driver)
    page.driver.execute_async_script(GLANCE)
    assert [one for one in asked_for(page.driver) if "feedback" in one] == []


# Ask.


def test_any_film_is_asked_about_with_the_keyboard_alone(page, served):
    import httpx
    from selenium.webdriver.common.keys import Keys

    page.open("list?user=42").some("ol.films > li")
    field = page.all("input[name=ask-film]")[0]
    field.send_keys("alien")
    page.some("#ask [role=option]")
    field.send_keys(Keys.ARROW_DOWN, Keys.ENTER)
    assert "Alien" in field.get_attribute("value")
    field.send_keys(Keys.ENTER)
    page.some(".asked svg")
    item = re.search(r"item=([^&]+)", page.address)[1]
    stands = httpx.post(f"{served}/v1/standings", json={"user": "42", "item": item}).json()
    page.says(f"of {stands['n_ranked']:,}", ".standing")
    for words in (stands["sentence"], stands["last"]["sentence"], stands["change"]["sentence"]):
        page.says(words, ".standing")
    page.open(page.address[1:]).some(".asked svg")
    page.click(".receipt > summary")
    image = page.some(".receipt img")[0]
    page.until(lambda: page.driver.execute_script("return arguments[0].naturalWidth", image) > 0)
    source = page.driver.execute_script("return decodeURIComponent(arguments[0].src)", image)
    model = httpx.get(f"{served}/v1/model").json()["model"]
    for words in (model["version"], model["data_fingerprint"], stands["title"]):
        assert words in source


def an_open_receipt(page: Page) -> str:
    """The first receipt of a list, unfolded: its SVG."""
    page.open("list?user=42").click("ol.films button.plain")
    page.click(".receipt > summary")
    image = page.some(".receipt img")[0]
    page.until(lambda: page.driver.execute_script("return arguments[0].naturalWidth", image) > 0)
    source = page.driver.execute_script("return decodeURIComponent(arguments[0].src)", image)
    return source.partition(",")[2]


DECODED = """
const [png, done] = arguments;
const image = new Image();
image.onload = () => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width, image.height];
  const pen = canvas.getContext("2d");
  pen.drawImage(image, 0, 0);
  const pixels = new Uint32Array(pen.getImageData(0, 0, image.width, image.height).data.buffer);
  done({ size: [image.width, image.height], colours: new Set(pixels).size });
};
image.src = `data:image/png;base64,${png}`;
"""


def test_a_receipt_is_saved_as_svg_and_as_png(page, tmp_path):
    behavior = {"behavior": "allow", "downloadPath": str(tmp_path)}
    page.driver.execute_cdp_cmd("Browser.setDownloadBehavior", behavior)
    svg = an_open_receipt(page)
    item = re.search(r"item=([^&]+)", page.address)[1]
    drawing, picture = (tmp_path / f"receipt-{item}.{kind}" for kind in ("svg", "png"))
    page.click(".receipt button", 0)
    page.until(drawing.is_file)
    assert drawing.read_text(encoding="utf-8") == svg
    page.click(".receipt button", 1)
    page.until(picture.is_file)
    width, height = map(int, re.search(r'viewBox="0 0 (\d+) (\d+)"', svg).groups())
    image = page.driver.execute_async_script(
        DECODED, b64encode(picture.read_bytes()).decode("ascii")
    )
    assert image["size"] == [2 * width, 2 * height], "sharp on paper and on dense screens"
    assert image["colours"] > 10, "not blank"


PRINTED = """
window.print = () => {
  window.printed = [...document.body.children]
    .filter((one) => getComputedStyle(one).display !== "none").map((one) => one.className);
};"""


def test_a_receipt_is_printed_alone_and_leaves_the_page_as_it_was(page):
    an_open_receipt(page)
    page.driver.execute_script(PRINTED)
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        page.click(".receipt button", 2)
        assert page.driver.execute_script("return window.printed") == ["sheet"]
    finally:
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert not page.all(".sheet")
    assert page.all(".receipt img")[0].is_displayed()


COPIED = """
document.addEventListener("copy", () => { window.copied = String(document.activeElement.value); });
Object.defineProperty(navigator, "clipboard", { value: arguments[0] && { writeText: (text) => {
  window.copied = text;
  return Promise.resolve();
} } });"""


@pytest.mark.parametrize("is_secure", [True, False], ids=["secure", "without a clipboard"])
def test_a_link_and_a_reason_are_copied(page, served, is_secure):
    page.open("list?user=42").click("ol.films button.plain")
    sentence = page.some(".why .reason")[0].text
    page.driver.execute_script(COPIED, is_secure or None)
    for words, copied in (("Copy link", page.driver.current_url), ("Copy reason", sentence)):
        names = [one.text for one in page.all(".why .row button")]
        page.click(".why .row button", names.index(words))
        page.until(lambda copied=copied: page.driver.execute_script("return copied") == copied)
        page.says("Copied", ".why .row button")


def test_a_film_outside_the_list_has_reasons_against_it_alone(page, served):
    import httpx

    last = httpx.get(f"{served}/v1/users/42/recommendations", params={"n": 100}).json()["items"][-1]
    question = {"user": "42", "item": last["item_id"]}
    said_for = httpx.post(f"{served}/v1/explanations", json=question).json()["sentence"]
    against = httpx.post(f"{served}/v1/standings", json=question).json()["last"]["sentence"]
    page.open(f"list?user=42&item={last['item_id']}").says(against, ".asked .standing")
    page.says("ratings of yours and", ".asked .why")
    answer = page.all(".asked")[0].text
    for words in (said_for, "It is more popular", "It is more personal", "their", "they would"):
        assert words not in answer
    page.click(".asked .receipt > summary")
    receipt = page.some(".asked .receipt img")[0].get_attribute("src")
    drawn = page.driver.execute_script("return decodeURIComponent(arguments[0])", receipt)
    assert html.escape(against) in drawn
    assert html.escape(said_for) not in drawn


def test_a_film_has_a_page(page):
    page.open("film?item=fight-club-1999").says("Fight Club (1999)", "h1")
    page.says("Who rated it highest")
    page.says("Much like it")
    page.click("ul.like a")
    page.until(lambda: "Fight Club" not in page.all("h1")[0].text)


def test_a_failed_answer_is_tried_again(page):
    page.open("list?user=42").some("ol.films > li")
    blocked = {"urls": ["*/v1/explanations*"]}
    page.driver.execute_cdp_cmd("Network.enable", {})
    page.driver.execute_cdp_cmd("Network.setBlockedURLs", blocked)
    page.click("ol.films button")
    page.says("The server does not answer", ".why")
    page.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    page.click(".why .again")
    page.some(".why svg")
    page.driver.get_log("browser")  # the browser notes what was blocked


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("list?user=42&n=500", "it must be at most 100"),
        ("list?user=42&item=nope", "no item 'nope'"),
        ("film?item=nope", "no item 'nope'"),
    ],
)
def test_what_fails_again_is_not_to_be_tried_again(page, address, words):
    page.open(address).says(words, ".problem")
    page.says("Correct the address", ".problem")
    assert not page.all(".again")
    page.driver.get_log("browser")  # the browser notes the 404 and the 422


def test_nobody_is_found_in_words(page):
    """And nothing of the average person is said to be theirs."""
    page.open("list?user=nobody-of-this-name")
    page.says("Nothing is known of them yet")
    assert len(page.some("ol.films > li")) == 10
    said = page.all("main")[0].text
    assert not re.search("[Rr]ates? .* than most|personal|[Ss]trongest tastes", said)
    page.driver.get_log("browser")  # the browser notes the 404 of who they are


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("heat-1995:5", "From 1 rating of yours."),
        ("heat-1995:5,alien-1979:4", "From 2 ratings of yours."),
        ("heat-1995:5,no-film:4", "1 of them is of a film not known here and was left out."),
        ("heat-1995:5,no-film:4,none:1", "2 of them are of films not known here and were left out"),
    ],
)
def test_one_is_told_from_many_and_what_is_left_out_is_counted(page, given, words):
    page.open(f"list?ratings={given}").says(words)


def test_one_rating_is_one_that_a_score_rests_on(page):
    page.open("list?ratings=heat-1995:5").click("ol.films button")
    page.says("Rests on 1 rating of yours and", ".why")


def test_a_way_that_there_is_not_is_the_first(page):
    page.open("find?way=magic").some("main .chips a")
    assert page.address == "#find"


def test_it_says_how_much_a_score_rests_on(page):
    page.open("list?user=42").click("ol.films button")
    page.says("ratings of yours and", ".why")
    page.says("times out of 10", ".why")


# Tastes, map, data, quality.


def test_every_taste_has_a_card(page):
    page.open("tastes")
    assert len(page.some("article.card svg")) == 6
    assert "people" in page.all("article.card")[0].text


def test_a_taste_is_renamed_by_whoever_has_the_token(page, folder):
    page.open("tastes").click("article.card > details summary")
    fields = page.some("article.card > details input")
    fields[0].clear()
    fields[0].send_keys("Long coats")
    fields[1].send_keys("not-the-token-at-all")
    page.click("article.card > details button")
    page.says("token", "article.card form p")
    page.driver.execute_script("sessionStorage.clear()")
    page.open("tastes").click("article.card > details summary")
    fields = page.some("article.card > details input")
    fields[0].clear()
    fields[0].send_keys("Long coats")
    fields[1].send_keys(TOKEN)
    if hasattr(matinee.load(folder / "nmf"), "rename_taste"):
        page.click("article.card > details button")
        page.says("Saved", "article.card form p")
        assert page.all("article.card h2")[0].text == "Long coats"
    page.driver.execute_script("sessionStorage.clear()")
    page.driver.get_log("browser")  # the browser notes the 401


def test_the_map_is_searched_and_a_point_says_what_it_is(page):
    canvas = page.open("map").some(".map canvas")[0]
    field = page.all("main input[name=q]")[0]
    field.send_keys("fight club")
    page.until(lambda: canvas.get_attribute("data-marked") == "1")
    page.says("Fight Club (1999)", ".point h2")
    page.says("Much like", ".point")
    assert float(canvas.get_attribute("data-scale")) > 1, "it is brought near"
    field.clear()
    field.send_keys("no such film")
    page.says("None on this map", "#status")
    page.click("main details summary")
    assert len(page.some("tbody tr")) == 1000


def test_one_of_several_hits_on_the_map_is_chosen(page):
    canvas = page.open("map").some(".map canvas")[0]
    page.all("main input[name=q]")[0].send_keys("night")
    hits = page.some(".hits button")
    page.until(lambda: int(canvas.get_attribute("data-marked")) >= len(hits) > 2)
    assert all("night" in one.text.lower() for one in hits)
    title = hits[2].text
    page.click(".hits button", 2)
    page.says(title, ".point h2")
    assert float(canvas.get_attribute("data-scale")) > 1, "it is brought near"
    assert violations(page.driver) == []
    page.all("main input[name=q]")[0].send_keys(" no such film")
    page.until(lambda: not page.all(".hits button"))


PIXELS = """
const { paintSquares, pixelOf } = await import("/js/pixels.js");
const canvas = document.createElement("canvas");
Object.assign(canvas, { width: 60, height: 40 });
const pen = canvas.getContext("2d");
const shades = ["#0072b2", "rgb(213 94 0)"].map((one) => pixelOf(pen, one, 0.8));
const grid = { places: [[10, 10], [20, 10], [29.5, 19.5], [500, 500]] };
const view = { scale: 2, x: 5, y: 5 };
const shadeOf = (place) => shades[place % 2];
paintSquares(pen, { places: [0, 1, 2, 3], grid, view, side: 4, shadeOf });
const pixel = ([x, y]) => [...pen.getImageData(x, y, 1, 1).data];
return [[10, 10], [30, 10], [8, 8], [12, 12], [49, 29], [0, 39]].map(pixel);
"""


def test_very_many_points_are_painted_where_they_lie_in_their_colours(page):
    size(page.driver, 1200)
    script = f"const done = arguments[0]; (async () => {{{PIXELS}}})().then(done)"
    found = page.open("find").driver.execute_async_script(script)
    blue, orange, clear = [0, 114, 178, 204], [213, 94, 0, 204], [0, 0, 0, 0]
    for pixel, expected in zip(found, [blue, orange, blue, clear, blue, clear], strict=True):
        assert pixel == pytest.approx(expected, abs=1), "a canvas keeps colours times their alpha"


def test_the_map_is_zoomed_by_wheel_buttons_and_keys_and_dragged(page):
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin

    canvas = page.open("map").some(".map canvas")[0]
    page.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    scale = lambda: float(canvas.get_attribute("data-scale") or 1)  # noqa: E731
    ActionChains(page.driver).scroll_from_origin(
        ScrollOrigin.from_element(canvas), 0, -200
    ).perform()
    wheeled = page.until(lambda: scale() > 1 and scale())
    page.click("button[aria-label='zoom in']")
    assert scale() > wheeled
    before = scale()
    canvas.send_keys("-")
    assert scale() < before
    ActionChains(page.driver).drag_and_drop_by_offset(canvas, 60, 30).perform()
    assert not page.all(".point h2"), "a drag is no click"


def test_a_line_around_points_of_the_map_lists_them(page):
    from selenium.webdriver import ActionChains

    canvas = page.open("map?user=42").some(".map canvas")[0]
    page.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    page.click("button.lasso")
    around = ActionChains(page.driver).move_to_element_with_offset(canvas, -150, -120)
    around = around.click_and_hold()
    for dx, dy in [(300, 0), (0, 240), (-300, 0), (0, -235)]:
        around = around.move_by_offset(dx, dy)
    around.release().perform()
    page.says("films inside", ".point h2")
    inside = lambda: int(page.all(".point h2")[0].text.split()[0].replace(",", ""))  # noqa: E731
    around = inside()
    assert 0 < around == int(canvas.get_attribute("data-marked"))
    page.says("The best of them for person 42", ".point")
    page.click("button.in-view")
    page.until(lambda: inside() > around)


GRID = """
const { Grid } = await import("/js/grid.js");
let seed = 1;
const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
const places = Array.from({ length: 100000 }, () => [900 * random(), 500 * random()]);
const grid = new Grid(places, 900, 500);
const distance = ([a, b], [x, y]) => (a - x) ** 2 + (b - y) ** 2;
const slow = (at) => places.reduce((best, one, place) =>
  distance(one, at) < distance(places[best], at) ? place : best, 0);
const asked = Array.from({ length: 20 }, () => [900 * random(), 500 * random()]);
const same = asked.every((at) => grid.nearest(...at, 14) === slow(at));
const started = performance.now();
for (let n = 0; n < 1000; n += 1) grid.nearest(900 * random(), 500 * random(), 14);
const each = (performance.now() - started) / 1000;
const box = [[100, 100], [300, 100], [300, 200], [100, 200]];
const within = places.filter(([x, y]) => x > 100 && x < 300 && y > 100 && y < 200).length;
return { same, each, none: grid.nearest(-500, -500, 14), inside: grid.inside(box).length, within };
"""


def test_the_nearest_of_100_000_points_is_found_at_once(page):
    script = f"const done = arguments[0]; (async () => {{{GRID}}})().then(done)"
    found = page.open("find").driver.execute_async_script(script)
    assert found["same"]
    assert found["none"] is None
    assert found["inside"] == found["within"]
    assert found["each"] < 2, "milliseconds; a look at all takes longer than a frame"


@pytest.mark.parametrize("color", ["genre", "decade", "taste"])
def test_the_regions_of_the_map_have_names_whatever_its_colours(page, color):
    canvas = page.open(f"map?color={color}").some(".map canvas")[0]
    named = lambda: int(canvas.get_attribute("data-regions") or 0)  # noqa: E731
    page.until(lambda: named() >= 2)
    page.all("main input[name=q]")[0].send_keys("alien")
    page.until(lambda: canvas.get_attribute("data-marked"))
    page.until(named)


def test_a_newcomer_is_on_the_map_of_films_and_a_user_on_that_of_people(page):
    places = {
        "map?ratings=heat-1995:5,alien-1979:4": "you are here",
        "map?of=users&user=42": "person 42 is here",
    }
    for address, words in places.items():
        canvas = page.open(address).some(".map canvas")[0]
        page.until(lambda canvas=canvas, words=words: canvas.get_attribute("data-here") == words)
    assert page.open("map").some(".map canvas")[0].get_attribute("data-here") is None


def test_the_map_of_people_leads_to_them(page):
    canvas = page.open("map?of=users").some(".map canvas")[0]
    page.all("main input[name=q]")[0].send_keys("1999")
    page.until(lambda: canvas.get_attribute("data-marked") == "1")
    page.says("what to watch, and why", ".point")


def test_the_map_shows_where_somebody_is_and_where_their_list_leads(page):
    canvas = page.open("map?user=42").some(".map canvas")[0]
    page.until(lambda: canvas.get_attribute("data-here") == "person 42 is here")
    page.says("The circle is where person 42 is: in the middle of the 25 films rated highest.")
    page.click(".mine")
    page.says("10 of the 10 best for person 42 are on the map", ".point")
    assert int(canvas.get_attribute("data-marked")) >= 10
    page.all("main input[name=q]")[0].send_keys("alien")
    page.until(lambda: 1 < int(canvas.get_attribute("data-marked")) < 10)
    assert page.all(".point")[0].text == "Choose a point to see what it is."


def test_data_and_quality_have_charts_with_their_figures(page):
    for section, fewest in (("data", 3), ("quality", 1)):
        page.open(section)
        assert len(page.some("figure svg")) >= fewest
        n_figures = len(page.all("figure details summary"))
        for place in range(n_figures):
            page.click("figure details summary", place)
        page.until(
            lambda n=n_figures: len(page.all("figure .table")) == n
        )  # each comes a bit later
        assert page.some("figure tbody tr")
        named = [one.get_attribute("aria-label") for one in page.all("figure .table")]
        assert named == [one.text for one in page.all("figure h2, figure h3")], (
            "each table says of what it is"
        )


def test_quality_is_that_of_the_model_beside_popularity(page):
    page.open("quality")
    page.says("than those of popularity", ".verdict")
    assert len(page.some(".pairs .two ol")) == 6, "three people, each with both lists"
    page.says("Algorithms compared on its ratings", "h2")
    assert {one.text for one in page.all("figure h3")} >= {
        "RMSE by how many ratings a user gave",
        "RMSE by how many ratings an item has",
    }


def test_a_record_of_other_data_is_not_shown_as_its_own(driver, tmp_path):
    model = matinee.Bias().fit(checkerboard(30)).save(tmp_path / "bias")
    others = checkerboard(40)
    matinee.compare([], others, metrics=["rmse"], record=tmp_path / "runs.jsonl")
    curve = matinee.k_curve(matinee.NMF(n_epochs=2), others, factors=[2, 3], folds=2)
    (tmp_path / "curve.json").write_text(json.dumps(curve.to_dict()))
    record = EvaluationRecord.read(tmp_path / "runs.jsonl", tmp_path / "curve.json")
    with answering(ServerState(model, Store.at(tmp_path / "f.sqlite"), None, record)) as client:
        page = Page(driver, str(client.base_url)).open("quality")
        assert "Algorithms compared on other ratings" in [one.text for one in page.some("h2")]
        warnings = [one.text for one in page.all(".verdict.worse")]
        assert len(warnings) == 2, "the comparison and the curve"
        assert all(f"(data {others.fingerprint})" in words for words in warnings)
        page.says("matinee measure MODEL", "pre")
        assert complaints(driver) == []
        assert strangers(driver, page.url) == []


def test_quality_without_a_record_fits_a_small_screen(driver, folder, tmp_path):
    size(driver, 320)
    with answering(ServerState(folder / "mf", Store.at(tmp_path / "f.sqlite"))) as client:
        page = Page(driver, str(client.base_url)).open("quality")
        assert len(page.some("pre")) == 3, "to measure it, to send events, to compare"
        assert driver.execute_script("return document.documentElement.scrollWidth") <= 320
        assert complaints(driver) == []
        assert strangers(driver, page.url) == []


# What became of lists.


@pytest.fixture
def arms(folder: Path, tmp_path: Path) -> Iterator[httpx.Client]:
    """A server of two models, `main` and `mf`."""
    store = Store.at(tmp_path / "feedback.sqlite")
    state = ServerState(folder / "nmf", store, arm_paths={"mf": folder / "mf"})
    with answering(state) as client:
        yield client
    store.close()


def test_online_figures_are_those_of_events_that_were_posted(driver, arms, monkeypatch):
    monkeypatch.setattr(lifecycle, "OUTCOME_SECONDS", 0.0)
    size(driver, 1200)
    page = Page(driver, str(arms.base_url)).open("quality")
    page.says("Nobody has reported yet which lists were shown", ".online p")
    assert not page.all(".online table")
    (link,) = page.all(".online a")
    anchor = link.get_attribute("href").split("#")[1]
    assert f'id="{anchor}"' in arms.get("/docs").text

    events = [row for number in range(120) for row in a_visit(arms, f"visitor {number}")]
    arms.post("/v1/feedback", json={"events": events}).raise_for_status()
    page.open("quality").says("mf has more clicks than main: +25.00 points", ".verdict.better")
    page.says("Too early to tell whether mf or main has more conversions: 0.00 points", ".tied")
    assert [one.text for one in page.all(".online thead th")] == ["by model", "main", "mf"]
    shown = [row.text for row in page.all(".online tbody tr")]
    main, mf = arms.get("/v1/online").json()["arms"]
    assert shown[:2] == [
        f"people {main['users']} {mf['users']}",
        f"lists shown {main['lists']} {mf['lists']}",
    ]
    assert shown[3] == "click-through 50.0 % 75.0 %"
    assert re.match(r"click-through by person \(95 %\) 50\.0 % \(.+\) 75\.0 % \(", shown[4])
    slowest = [f"{one['latency']['p99_ms']:g} ms" for one in (main, mf)]
    assert shown[-1] == f"99 % of the lists within {slowest[0]} {slowest[1]}"
    assert violations_in_every_look(page) == {}
    size(driver, 320)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= 320
    assert complaints(driver) == []
    assert strangers(driver, page.url) == []


def a_visit(client: httpx.Client, user: str) -> Iterator[dict[str, str]]:
    """The events of a list of four items: three are clicked of the model `mf`, two of the other."""
    body = client.get(f"/v1/users/{user}/recommendations", params={"n": 4}).json()
    for place, item in enumerate(body["items"]):
        is_clicked = place < (3 if body["arm"] == "mf" else 2)
        for kind in ["impression"] + ["click"] * is_clicked:
            of = {"user_id": user, "item_id": item["item_id"]}
            yield {"kind": kind, "recommendation_id": body["recommendation_id"], **of}


# For everybody.


LOOKS = [(1200, False), (1200, True), (360, False), (360, True)]  # width, dark


def violations_in_every_look(page):
    """What axe finds wrong with an open section: wide and narrow, in light and dark."""
    wrong = {}
    for width, dark in LOOKS:
        size(page.driver, width, dark=dark)
        if one := violations(page.driver):
            wrong[width, dark] = one
    return wrong


@pytest.mark.parametrize("section", [*SECTIONS, "list?user=42&item=fight-club-1999"])
def test_axe_finds_no_violation(page, section):
    page.open(section).some("main h1")
    assert violations_in_every_look(page) == {}


def test_axe_finds_no_violation_in_the_reference_of_the_api(page):
    page.driver.get(f"{page.url}/docs")
    page.some("main h1")
    assert violations_in_every_look(page) == {}


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("dark", [False, True])
def test_a_section_fits_a_small_screen_in_the_light_and_in_the_dark(page, section, dark):
    size(page.driver, 320, dark=dark)
    page.open(section).some("main h1")
    assert page.driver.execute_script("return document.documentElement.scrollWidth") <= 320
    shade = page.driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", shade)[:3])) < 200) == dark


@pytest.mark.parametrize("section", SECTIONS)
def test_everything_that_can_be_used_has_a_name(page, section):
    page.open(section).some("main h1")
    assert page.driver.execute_script(UNLABELLED) == []
    assert len(page.all("h1")) == 1
    marked = [one.get_attribute("data-section") for one in page.all("nav [aria-current=page]")]
    assert marked == [section.split("?")[0]] or section.startswith("film")


def test_a_section_is_reached_by_the_keyboard_and_takes_the_focus(page):
    page.open("find").all("nav a")[2].send_keys("\ue007")
    page.says("The tastes that the model found", "h1")
    assert page.driver.execute_script("return document.activeElement.id") == "main"


def test_the_page_is_light():
    sizes = {one: one.stat().st_size for one in PAGE.rglob("*") if one.is_file()}
    assert sum(sizes.values()) < MOST_BYTES


REQUESTS = """
return performance.getEntries().filter((one) => one.responseEnd).map((one) =>
  ({ url: one.name, start: one.requestStart, end: one.responseEnd, bytes: one.transferSize }))"""


def rounds(requests: list[dict[str, Any]]) -> dict[str, int]:
    """For each address, how many requests had to end one after the other before its own did."""
    depths: dict[str, int] = {}
    ends: list[tuple[float, int]] = []
    for one in sorted(requests, key=lambda one: one["start"]):
        depths[one["url"]] = 1 + max((n for end, n in ends if end <= one["start"]), default=0)
        ends.append((one["end"], depths[one["url"]]))
    return depths


def test_the_first_list_takes_two_rounds_and_a_second_visit_no_script(page, served):
    driver = page.driver
    slow = {"offline": False, "downloadThroughput": -1, "uploadThroughput": -1}
    driver.execute_cdp_cmd("Network.clearBrowserCache", {})
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", {**slow, "latency": 300})
    try:
        visits = []
        for _ in range(2):
            page.open("list?user=42").some("ol.films li")
            visits.append(driver.execute_script(REQUESTS))
    finally:
        driver.execute_cdp_cmd("Network.emulateNetworkConditions", {**slow, "latency": 0})
    needed = rounds([one for one in visits[0] if not one["url"].endswith("icon.svg")])
    assert len(needed) == 6, "document, script, styles, model, person, list"
    assert max(needed.values()) == 2
    sent = [one["url"].removeprefix(served) for one in visits[1] if one["bytes"]]
    assert [one for one in sent if one.endswith((".js", ".css"))] == []
    assert "/v1/model" in sent


def test_the_page_takes_no_markup_from_anywhere():
    for file in PAGE.rglob("*.js"):
        text = file.read_text(encoding="utf-8")
        for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert way not in text, file


# Other models, other rules.


@pytest.mark.parametrize(
    "algorithm",
    [matinee.Popularity(), matinee.ItemKNN(), matinee.ImplicitALS(n_factors=4, n_epochs=3)],
    ids=lambda one: one.name,
)
def test_every_kind_of_model_has_a_page(driver, algorithm, tmp_path):
    sample = matinee.sample().with_catalog(Catalog({}))
    algorithm.fit(sample).save(tmp_path / "model")
    store = Store.at(tmp_path / "feedback.sqlite")
    with answering(ServerState(tmp_path / "model", store)) as client:
        page = Page(driver, str(client.base_url))
        for section in SECTIONS:
            page.open(section).some("main h1")
            assert not page.all(".problem"), section
        page.open("list?user=42").click("ol.films button")
        page.some(".why svg")
        page.some("#mixer p, #mixer input")
        assert strangers(driver, page.url) == []
    store.close()
    assert complaints(driver) == []


def test_a_server_for_others_asks_for_its_token_first(driver, folder, tmp_path):
    store = Store.at(tmp_path / "feedback.sqlite")
    with answering(ServerState(folder / "nmf", store), AccessPolicy(TOKEN, public=True)) as client:
        page = Page(driver, str(client.base_url)).open("tastes")
        page.some("input[name=token]")[0].send_keys(TOKEN)
        page.click("main button")
        page.some("article.card svg")
        page.driver.execute_script("sessionStorage.clear()")
        page.open(f"token={TOKEN}").some("main .chips a")
        assert page.address == "#find", "the token does not stay in the address"
        page.driver.execute_script("sessionStorage.clear()")
        assert strangers(driver, page.url) == []
    store.close()
    driver.get_log("browser")  # the browser notes the 401


# Titles that would like to be more than titles.

NASTY = (
    "<img src=x onerror=\"document.title='owned'\"></script><script>document.title='owned'</script>"
)


@pytest.fixture(scope="module")
def nasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose titles, genres and ids are markup."""
    place = tmp_path_factory.mktemp("nasty")
    rng = np.random.default_rng(0)
    users, items = np.divmod(rng.permutation(60 * 40)[:1200], 40)
    user_ids, item_ids = ([f"{NASTY}{n}" for n in of] for of in (users, items))
    entries = {f"{NASTY}{n}": Item(f"{NASTY} {n}", 1990, (NASTY, "*")) for n in range(40)}
    ratings = read_ratings((user_ids, item_ids, rng.integers(1, 6, 1200)), catalog=Catalog(entries))
    matinee.NMF(n_factors=3).fit(ratings).save(place / "model")
    store = Store.at(place / "feedback.sqlite")
    with answering(ServerState(place / "model", store)) as client:
        yield str(client.base_url)
    store.close()


@pytest.mark.parametrize("section", ["find", "list", "tastes", "map", "data", "quality"])
def test_titles_stay_text(driver, nasty, section):
    from urllib.parse import quote

    size(driver, 1200)
    page = Page(driver, nasty)
    page.open(f"{section}?user={quote(NASTY + '3')}" if section == "list" else section)
    page.some("main h1")
    if section == "list":
        page.click("ol.films button")
        page.some(".why svg")
        page.some("#mixer input")
    if section == "map":
        page.some(".map canvas")
        page.all("main input[type=search]")[0].send_keys("img")
    assert "owned" not in driver.title
    assert not page.all("img")
    assert len(page.all("script")) == len(page.all("head script")) == 2
    assert complaints(driver) == []
    assert strangers(driver, nasty) == []


# Titles from right to left.


@pytest.fixture(scope="module")
def leftward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose titles and genres are Hebrew."""
    place = tmp_path_factory.mktemp("leftward")
    rng = np.random.default_rng(0)
    users, items = np.divmod(rng.permutation(60 * 40)[:1200], 40)
    ids = [[str(n) for n in of] for of in (users, items)]
    genres = ("דרמה", "קומדיה")
    entries = {str(n): Item(f"סרט מספר {n}", 1990, (genres[n % 2],)) for n in range(40)}
    ratings = read_ratings((*ids, rng.integers(1, 6, 1200)), catalog=Catalog(entries))
    matinee.NMF(n_factors=3).fit(ratings).save(place / "model")
    store = Store.at(place / "feedback.sqlite")
    with answering(ServerState(place / "model", store)) as client:
        yield str(client.base_url)
    store.close()


def test_titles_from_right_to_left_stand_apart_in_every_sentence(driver, leftward):
    size(driver, 1200)
    page = Page(driver, leftward).open("list?user=3&by=history")
    page.click("ol.films button.plain")
    page.some(".standing strong")
    loose = """
      const main = document.getElementById("main");
      const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
      const loose = [];
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const parent = node.parentElement;
        if (/[\\u0590-\\u05ff]/.test(node.data) && /[a-z]{3}/i.test(node.data)
            && !parent.closest("bdi, svg, option, .hidden, label, table")) loose.push(node.data);
      }
      return loose"""
    assert driver.execute_script(loose) == []
    assert len(page.all(".because bdi")) >= 5


@pytest.mark.parametrize("section", ["find", "list?user=3", "film?item=7", "tastes", "map", "data"])
def test_axe_finds_no_violation_where_titles_run_leftward(driver, leftward, section):
    size(driver, 1200)
    page = Page(driver, leftward).open(section)
    page.some("main h1")
    assert violations_in_every_look(page) == {}
    assert complaints(driver) == []
