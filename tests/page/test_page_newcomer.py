"""Finding a person, and being somebody new: ratings, points, and an export."""

import re

import pytest

import matinee
from browser import size, violations


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


def test_a_rating_taken_back_is_asked_for_again(page):
    page.open("find").some("main .cards article")
    for place in range(2):
        page.click(".cards article:not(.done) label", 8)
        page.until(lambda place=place: len(page.all(".chips[aria-label] button")) == place + 1)
    page.click(".chips[aria-label] button")
    page.until(lambda: len(page.all(".chips[aria-label] button")) == 1)
    assert len(page.all(".cards article.done")) == len(page.all(".cards input:checked")) == 1
    focused = "return document.activeElement.getAttribute('aria-label')"
    page.until(lambda: "Take back" in (page.driver.execute_script(focused) or ""))


def test_fields_for_points_stand_in_one_column_on_a_phone(page):
    size(page.driver, 320)
    fields = page.open("find?way=points").some(".points input")
    assert len({one.rect["x"] for one in fields}) == 1


def test_a_way_that_there_is_not_is_the_first(page):
    page.open("find?way=magic").some("main .chips a")
    assert page.address == "#find"
