"""What a person says of films, and what they see of their own list."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from browser import Page, asked_for, complaints, size
from matinee.feedback.store import Store
from matinee.server import lifecycle
from matinee.server.lifecycle import ServerState
from serving import answering


def test_a_rating_counts_at_once_and_can_be_undone(page, served):
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


IN_VIEW = """
const cover = arguments[0] && document.querySelector(arguments[0]);
const highest = cover ? cover.getBoundingClientRect().bottom : 0;
return [...document.querySelectorAll("ol.films > li > button")].filter((one) => {
  const { top, bottom, height } = one.getBoundingClientRect();
  return Math.min(bottom, innerHeight) - Math.max(top, highest) >= height / 2;
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
    page.click(".undo button")
    page.until(lambda: outcome(client)["conversions"] == 0)
    assert page.address.startswith("#list?user=42&me=1")


COVER = """
const row = document.querySelector("ol.films > li:nth-child(4)");
row.scrollIntoView(); // the mixer sticks from here on, and the row begins where it ends
const { bottom } = document.getElementById("mixer").getBoundingClientRect();
scrollBy(0, row.getBoundingClientRect().top - bottom);
document.querySelector("input[name=me]").click();
"""


def test_what_the_mixer_covers_is_not_seen_until_it_is_folded(counting):
    page, client = counting
    size(page.driver, 390, 844)
    page.open("list?user=42").click("#mixer > summary")
    page.driver.execute_script(COVER)
    in_view = page.driver.execute_script(IN_VIEW)
    seen = page.driver.execute_script(IN_VIEW, "#mixer")
    assert 0 < seen < in_view
    wait = "setTimeout(arguments[0], 2000)"
    page.driver.execute_async_script(wait)
    assert outcome(client)["impressions"] == seen
    page.driver.execute_script("document.getElementById('mixer').open = false")
    page.until(lambda: outcome(client)["impressions"] > seen)


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
