"""The mixer and the dial: the list follows, and nothing outdated is shown."""

import re

import httpx
import pytest

from browser import size


def test_the_dial_from_safe_to_adventurous_moves_the_list_and_sums_still_add_up(page, served):
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


def test_the_mixer_moves_the_one_list_and_the_address_remembers_it(page, served):
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


def test_on_a_phone_the_list_is_seen_while_a_slider_moves(page):
    size(page.driver, 390, 844)
    page.open("list?user=42").click("#mixer > summary")
    tops = """const of = (selector) => document.querySelector(selector).getBoundingClientRect();
      return [of("#mixer").bottom, of("ol.films li:nth-child(2)").top]"""
    page.until(lambda: page.driver.execute_script(tops)[0] < 844 * 0.45)
    panel, second = page.driver.execute_script(tops)
    assert 0 < panel < second < 844
