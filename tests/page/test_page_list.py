"""The list of a person: its reasons, filters and length, and what fails."""

import re

import httpx
import pytest

from browser import size, violations


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
    for width in (1280, 2560):
        size(page.driver, width)
        left, right = page.all(".beside section")
        assert left.rect["y"] == right.rect["y"]


def test_what_is_said_of_a_film_stands_on_one_line_on_a_phone(page):
    size(page.driver, 320)
    page.open("list?user=42").some(".acts")
    tops = "return [...document.querySelector('.acts').children].map((one) => one.offsetTop)"
    assert len(set(page.driver.execute_script(tops))) == 1


def test_where_a_film_stands_follows_the_length_of_the_list(page, served):
    page.open("list?user=42&n=20").click("ol.films > li:nth-child(15) button.plain")
    item = page.until(lambda: re.search(r"item=([^&]+)", page.address))[1]
    question = {"user": "42", "item": item, "n": 20}
    stands = httpx.post(f"{served}/v1/standings", json=question).json()
    page.says(stands["sentence"], ".standing")
    page.says("Against number 20", ".standing")


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


def test_on_a_wide_screen_the_answer_of_a_film_outside_stands_beside_the_list(page, served):
    last = httpx.get(f"{served}/v1/users/42/recommendations", params={"n": 60}).json()["items"][-1]
    size(page.driver, 2560, 1300)
    page.open(f"list?user=42&item={last['item_id']}").some(".asked .standing strong")
    ends = """const box = (selector) => document.querySelector(selector).getBoundingClientRect();
      return [box("ol.films").right, box(".asked").left, box(".asked").right]"""
    list_end, start, end = page.driver.execute_script(ends)
    assert list_end <= start < end <= 2560
    assert not page.all(".why-place")[0].is_displayed()
    assert violations(page.driver) == []


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


def test_an_empty_list_leads_back_to_the_whole(page):
    page.open("list?user=42&me=1&genre=Horror&from=1900&to=1901").says("No film matches", ".empty")
    assert violations(page.driver) == []
    page.click(".empty a")
    assert len(page.some("ol.films > li")) == 10
    assert page.address == "#list?user=42&me=1"


HANGING = "window.fetch = () => new Promise(() => null); location.hash = 'quality'"


def test_what_loads_takes_the_place_of_what_was_there(page):
    page.open("list?user=42").some("ol.films > li")
    page.driver.execute_script(HANGING)
    page.some(".waiting")
    assert [one.text for one in page.all("h1")] == ["Quality"]
    assert not page.all("ol.films")
    assert violations(page.driver) == []
    page.driver.refresh()


def test_it_says_how_much_a_score_rests_on(page):
    page.open("list?user=42").click("ol.films button")
    page.says("ratings of yours and", ".why")
    page.says("times out of 10", ".why")
