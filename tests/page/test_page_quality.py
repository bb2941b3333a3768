"""Tastes, data, quality, and what became of lists."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import matinee
from browser import Page, complaints, size, strangers, violations_in_every_look
from matinee.feedback.store import Store
from matinee.server import lifecycle
from matinee.server.evaluation_record import EvaluationRecord
from matinee.server.lifecycle import ServerState
from matinee.sources.synthetic import checkerboard
from serving import TOKEN, answering


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


WIDTHS = """
return [...document.querySelectorAll(".columns")].map((grid) => [...grid.children].map((one) =>
  one.querySelector("svg").getBoundingClientRect().width / one.getBoundingClientRect().width))"""
LEFTS = """
const [grid] = document.querySelectorAll(".columns");
return [...grid.children].map((one) => one.getBoundingClientRect().left)"""


@pytest.mark.parametrize(("width", "columns"), [(320, 1), (768, 1), (1280, 1), (2560, 3)])
def test_charts_are_as_wide_as_their_column_and_fill_a_wide_screen(page, width, columns):
    size(page.driver, width)
    for section in ("data", "quality"):
        page.open(section).some(".columns svg")
        assert len(set(page.driver.execute_script(LEFTS))) == columns
        shares = [one for grid in page.driver.execute_script(WIDTHS) for one in grid]
        assert all(0.9 < one <= 1 for one in shares), shares


def test_the_settings_of_a_model_are_words_and_its_lists_are_not_squeezed(page):
    size(page.driver, 320)
    settings = [one.text for one in page.open("quality").some("dl.facts dd")]
    assert not [one for one in settings if re.search(r"[{}\[\]\"]", one)]
    assert any("implicit-als, n_factors" in one for one in settings), "what learns choices"
    assert all(one.rect["width"] > 130 for one in page.all(".pairs ol"))


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
