"""Any film for any person, its receipt, and the page of a film."""

import html
import re
from base64 import b64encode

import httpx
import pytest

from browser import Page, size


def test_any_film_is_asked_about_with_the_keyboard_alone(page, served):
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


HELD = """
const real = window.fetch;
window.fetch = (where, options) => (/standings/.test(where)
  ? new Promise((resolve) => { window.go = resolve; }).then(() => real(where, options))
  : real(where, options));"""


def test_a_receipt_that_is_on_its_way_says_so(page):
    page.open("list?user=42").click("ol.films button.plain")
    page.some(".why .standing strong")
    page.driver.execute_script(HELD)
    page.click(".receipt > summary")
    page.some(".receipt [aria-busy]")
    page.until(lambda: page.driver.execute_script("return window.go?.() ?? Boolean(window.go)"))
    page.some(".receipt img")
    assert not page.all(".receipt [aria-busy]")


def test_a_receipt_is_read_on_a_phone(page):
    size(page.driver, 320)
    an_open_receipt(page)
    image = page.all(".receipt img")[0]
    shrunk = "return arguments[0].clientWidth / arguments[0].naturalWidth"
    assert page.driver.execute_script(shrunk, image) > 0.95


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
