"""For everybody: every section on every screen, by keyboard, for every model and title."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import matinee
from browser import SECTIONS, Page, complaints, size, strangers, violations_in_every_look
from matinee.data.catalog import Catalog, Item
from matinee.feedback.store import Store
from matinee.server.lifecycle import ServerState
from matinee.server.middleware.security import AccessPolicy
from matinee.server.page_files import PAGE
from matinee.sources import read_ratings
from serving import TOKEN, answering

MOST_BYTES = 200_000


UNLABELLED = """
return [...document.querySelectorAll('input, select, button, a')].filter((one) =>
  !(one.labels && one.labels.length) && !one.getAttribute('aria-label') && !one.textContent.trim()
).map((one) => one.outerHTML)"""


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


TALL = """
return [...document.querySelectorAll(arguments[0])]
  .filter((one) => one.offsetHeight > 1.6 * parseFloat(getComputedStyle(one).lineHeight))
  .map((one) => one.textContent)"""


@pytest.mark.parametrize(
    ("address", "selector"), [("data", "dl.facts dd"), ("list?user=42", ".mixer .dial span")]
)
def test_a_figure_and_an_end_of_the_dial_stand_on_one_line(page, address, selector):
    page.open(address).some(selector)
    for width in (1280, 320):
        size(page.driver, width)
        assert page.driver.execute_script(TALL, selector) == []


def test_a_person_is_looked_up_on_one_line_on_every_screen(page):
    page.open("find").some(".look-up button")
    middles = """return [...document.querySelectorAll(".look-up input, .look-up button")]
      .map((one) => one.getBoundingClientRect()).map(({ top, height }) => top + height / 2)"""
    for width in (320, 768, 1280, 2560):
        size(page.driver, width)
        field, button = page.driver.execute_script(middles)
        assert field == pytest.approx(button, abs=1)


SHOWN = """
return [...document.querySelectorAll("[hidden]")]
  .filter((one) => one.getClientRects().length).map((one) => one.outerHTML)"""


@pytest.mark.parametrize("section", [*SECTIONS, "list?user=42&n=100"])
def test_what_is_hidden_is_not_seen(page, section):
    page.open(section).some("main h1")
    assert page.driver.execute_script(SHOWN) == []


def test_the_tables_of_a_film_fit_a_small_screen(page):
    size(page.driver, 320)
    page.open("film?item=fight-club-1999").some(".parts .table")
    room = "return arguments[0].clientWidth - arguments[0].scrollWidth"
    assert [page.driver.execute_script(room, one) for one in page.all(".table")] == [0]


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
    page.until(lambda: "\u2068סרט" in page.all("#status")[0].get_property("textContent"))
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
    names = page.all(".sliders label > bdi")
    assert len({one.rect["x"] for one in names}) == 1, "each begins where its slider does"


DIRECTIONS = """
const { partsOf } = await import("/js/dom.js");
const places = (name) => {
  const node = partsOf(name);
  document.body.append(node);
  const range = document.createRange();
  const left = (title) => {
    const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const at = walker.currentNode.data.indexOf(title);
      if (at < 0) continue;
      range.setStart(walker.currentNode, at);
      range.setEnd(walker.currentNode, at + title.length);
      return range.getBoundingClientRect().left;
    }
  };
  const found = [left("אחד 1"), left("שתיים 2")];
  node.remove();
  return found;
};
return places("films like אחד 1 & שתיים 2");
"""


def test_titles_in_the_name_of_a_taste_stand_in_their_order(driver, leftward):
    """Left to right, as the words around them, though each is read from right to left."""
    Page(driver, leftward).open("find")
    script = f"const done = arguments[0]; (async () => {{{DIRECTIONS}}})().then(done)"
    first, second = driver.execute_async_script(script)
    assert first < second


@pytest.mark.parametrize("section", ["find", "list?user=3", "film?item=7", "tastes", "map", "data"])
def test_axe_finds_no_violation_where_titles_run_leftward(driver, leftward, section):
    size(driver, 1200)
    page = Page(driver, leftward).open(section)
    page.some("main h1")
    assert violations_in_every_look(page) == {}
    assert complaints(driver) == []
