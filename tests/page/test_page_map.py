"""The map: search, zoom, a line around points, and where somebody is."""

import pytest

from browser import size, violations


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


@pytest.fixture
def fingers(page):
    """What two fingers do on a phone, so many pixels to either side of a point."""
    size(page.driver, 390, 844)
    command = page.driver.execute_cdp_cmd
    command("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2})

    def touch(kind, x, y, apart=None):
        places = [] if apart is None else [x - apart, x + apart]
        points = [{"x": at, "y": y, "id": place} for place, at in enumerate(places)]
        command("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    yield touch
    command("Emulation.setTouchEmulationEnabled", {"enabled": False})


def test_the_map_is_pinched(page, fingers):
    canvas = page.open("map").some(".map canvas")[0]
    page.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    middle = """const { left, top, width, height } = arguments[0].getBoundingClientRect();
      return [left + width / 2, top + height / 2]"""
    at = page.driver.execute_script(middle, canvas)
    fingers("touchStart", *at, 30)
    for apart in (45, 60):
        fingers("touchMove", *at, apart)
    fingers("touchEnd", *at)
    page.until(lambda: canvas.get_attribute("data-scale"))
    assert float(canvas.get_attribute("data-scale")) == pytest.approx(2, abs=0.05)


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


CUT = """
window.cut = [];
const { fillText } = CanvasRenderingContext2D.prototype;
CanvasRenderingContext2D.prototype.fillText = function (words, x, y) {
  const { width } = this.measureText(words);
  const left = this.textAlign === "center" ? x - width / 2 : x;
  if (left < 0 || left + width > this.canvas.clientWidth) window.cut.push(words);
  fillText.call(this, words, x, y);
};"""


def test_no_words_on_the_map_are_cut_by_its_edge(page):
    from selenium.webdriver.common.keys import Keys

    size(page.driver, 320)
    canvas = page.open("map?user=42").some(".map canvas")[0]
    page.until(lambda: canvas.get_attribute("data-here"))
    page.driver.execute_script(CUT)
    for key in ["+", "+", *[Keys.ARROW_LEFT] * 9, *[Keys.ARROW_RIGHT] * 18, Keys.ARROW_DOWN]:
        canvas.send_keys(key)
        page.driver.execute_async_script("requestAnimationFrame(() => setTimeout(arguments[0]))")
    assert page.driver.execute_script("return window.cut") == []


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
