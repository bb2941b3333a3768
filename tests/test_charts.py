"""Charts: the table is the truth, the picture is well-formed, and both are the same every time."""

from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import matinee
from matinee import charts
from matinee.algorithms.from_model import algorithm_of
from matinee.charts.bars import Bars, Row
from matinee.charts.factor_map import principal
from matinee.charts.plot import round_numbers
from matinee.data.catalog import Catalog, Item
from matinee.display.markup import el, text
from matinee.evaluation.evaluate import fit_and_evaluate
from matinee.explain.term_table import Terms
from matinee.sources import read_ratings
from matinee.splitting import random

NASTY = "<img src=x onerror=alert(1)>\"'</script>&"


@pytest.fixture(scope="module")
def ratings():
    return matinee.sample()


@pytest.fixture(scope="module")
def model(ratings):
    return matinee.NMF(n_factors=6, n_epochs=10).fit(ratings)


@pytest.fixture(scope="module")
def all_charts(ratings, model):
    why = model.explain("42", "oppenheimer-2023")
    measured = fit_and_evaluate(matinee.Bias(), random(ratings), metrics=["rmse"])
    rows = [
        {"algorithm": name, "ndcg@10": x, "coverage@10": y, "fit_seconds": 0.5}
        for name, x, y in (("a", 0.1, 0.3), ("b", 0.2, 0.1))
    ]
    curve = matinee.k_curve(matinee.NMF(n_epochs=3), ratings, factors=[2, 4], folds=2)
    found = [
        charts.rating_distribution(ratings.describe()),
        charts.long_tail(ratings),
        charts.sparsity(ratings),
        charts.over_time(ratings),
        charts.waterfall(why),
        charts.taste_card(model.tastes()[0]),
        *(charts.space(charts.map_of(model, "items", color)) for color in ("genre", "decade")),
        charts.space(charts.map_of(model, "users")),
        charts.trade_off(rows),
        charts.k_curve(curve.to_dict()),
        charts.error_by_group(measured.by_activity, "user"),
        charts.error_by_group(measured.by_popularity, "item"),
    ]
    return {f"{chart.name} {chart.title}": chart for chart in found}


def test_every_picture_is_well_formed_at_every_width(all_charts):
    for name, chart in all_charts.items():
        for width in (240, 320, 640, 1200):
            root = ElementTree.fromstring(chart.svg(width))
            assert root.get("width") == str(width), name
            assert root.get("role") == "img"
            assert chart.summary in str(root.get("aria-label"))
            for one in root.iter():
                values = [one.get(key, "0") for key in ("x", "x1", "cx", "width")]
                numbers = np.array(list(map(float, values)))
                assert np.isfinite(numbers).all()
                assert (numbers <= width + 1).all(), (name, width, one.attrib)


def test_the_same_data_give_the_same_bytes(ratings, model, all_charts):
    again = charts.space(charts.map_of(model, "items", "genre"))
    assert again.svg() == all_charts[f"{again.name} {again.title}"].svg()
    assert charts.sparsity(ratings).figure() == charts.sparsity(ratings).figure()


def test_pictures_need_no_script_and_no_style_of_their_own_in_a_page(all_charts):
    for chart in all_charts.values():
        for one in ElementTree.fromstring(chart.figure()).iter():
            assert one.tag not in ("script", "style", "image")
            assert one.tag != "a" or one.attrib["href"].startswith("data:")
            assert not [key for key in one.attrib if key == "style" or key.startswith("on")]


def test_each_has_a_table_with_a_heading_for_every_column(all_charts):
    for chart in all_charts.values():
        figure = ElementTree.fromstring(chart.figure())
        heads = [one.text for one in figure.iter("th") if one.get("scope") == "col"]
        assert heads == list(chart.table.columns)
        assert chart.to_dict()["rows"]


# The tables.


def test_distribution_time_and_blocks_count_every_rating_once(ratings):
    n = len(ratings)
    assert sum(charts.rating_distribution(ratings.describe()).table.ratings) == n
    assert sum(charts.over_time(ratings).table.ratings) == n
    users, items = (len(np.unique(of)) for of in (ratings.user, ratings.item))
    table = charts.sparsity(ratings).table
    sizes = [np.bincount(np.arange(m) * 20 // m) for m in (users, items)]
    density = np.array([table.columns[name] for name in list(table.columns)[1:]]).T
    assert (density * np.outer(*sizes)).sum() == pytest.approx(n)
    assert density[0, 0] == density.max()


def test_the_long_tail_never_rises(ratings):
    table = charts.long_tail(ratings).table
    for column in ("ratings of the user", "ratings of the item"):
        counts = [value for value in table.columns[column] if value is not None]
        assert counts == sorted(counts, reverse=True)
    assert table.columns["ratings of the user"][0] == np.bincount(ratings.user).max()


def test_a_title_from_right_to_left_leaves_what_follows_it_in_its_place():
    film = Row("סרט (1990)", "+1", 0.0, 1.0, note="you gave 5")
    for width in (240, 640):
        assert "\u2068סרט (1990)\u2069, you gave 5</text>" in drawn(film, width)
    assert "\u2068" not in drawn(replace(film, label="Heat (1995)"), 640)


def drawn(row, width):
    """The elements that draw one row of bars."""
    return "".join(Bars((row,)).draw(width)[1])


def test_no_term_of_a_sum_is_cut(model):
    why = model.explain("42", "oppenheimer-2023")
    long = [term._replace(name=f"{term.name}, and a few words more") for term in why]
    chart = charts.waterfall(replace(why, terms=Terms.of(long)))
    for width in (320, 640, 900):
        assert "…" not in chart.svg(width)


def test_lines_of_a_label_stand_between_the_bars(model):
    name = "a name that is longer than a narrow picture is wide"
    rows = [Row(name, "+1", 0.0, 1.0), Row("short", "+1", 1.0, 2.0), Row(name, "+1", 2.0, 3.0)]
    height, elements = Bars(tuple(rows), joined=True).draw(260)
    drawn = [ElementTree.fromstring(one) for one in elements]
    bars = [(float(one.get("y")), float(one.get("height"))) for one in drawn if one.tag == "rect"]
    labels = [one for one in drawn if one.tag == "text" and one.get("class") is None]
    assert " ".join(one.text for one in labels) == f"{name} short {name}"
    assert len(labels) == 5, "two lines, one, and two"
    baselines = [float(one.get("y")) for one in labels]
    assert baselines == sorted(baselines)
    for (top, of), (next_top, _) in pairwise(bars):
        between = [y for y in baselines if top + of < y < next_top]
        assert between, "each bar has its label above it"
        assert min(between) - 10 > top + of, "a letter is at most ten pixels high above its line"
    assert bars[-1][0] + bars[-1][1] < height


@pytest.mark.parametrize("by", ["factor", "history"])
def test_a_waterfall_begins_with_the_base_and_adds_up(model, by):
    why = model.explain("42", "oppenheimer-2023", by=by)
    chart = charts.waterfall(why)
    place = chart.table.term.index("list score")
    terms, score = chart.table.points[:place], chart.table.points[place]
    assert sum(terms) == pytest.approx(score, abs=1e-9)
    assert score == round(why.score, 2)
    assert terms[0] == pytest.approx(model.global_mean, abs=0.01)
    bars = chart.picture.rows[:place]
    assert all(a.end == pytest.approx(b.start) for a, b in pairwise(bars))


def test_the_limits_of_the_scale_lead_from_the_score_to_the_prediction(model):
    why = replace(model.explain("42", "oppenheimer-2023", of="stars"), predicted=5.0)
    term, value = (charts.waterfall(why).table.columns[name][-3:] for name in ("term", "stars"))
    assert term == ("score", "limits of the scale", "predicted rating")
    assert sum(value[:2]) == pytest.approx(value[2])


def test_names_stand_in_sentences_as_they_are(model):
    for taste in model.tastes():
        for strength in (1.0, -1.0):
            assert "*" not in taste.said_for(strength)


def test_a_star_in_a_title_stays(model):
    why = model.explain("42", "oppenheimer-2023")
    assert "*" not in charts.waterfall(why).summary
    assert "M*A*S*H" in charts.waterfall(replace(why, title="M*A*S*H (1970)")).summary


@pytest.mark.parametrize("days, unit", [(0, "day"), (300, "week"), (900, "month"), (9000, "year")])
def test_time_is_counted_in_units_that_fit(days, unit):
    times = [10**9, 10**9 + days * 86_400, 10**9 + days * 43_200]
    ratings = read_ratings((["a", "b", "c"], ["x", "y", "z"], [1, 2, 3], times))
    chart = charts.over_time(ratings)
    assert chart.title == f"Ratings by {unit}"
    assert sum(chart.table.ratings) == 3
    assert len(chart.table) <= 62


def test_unknown_times_have_no_chart():
    assert charts.over_time(read_ratings((["a"], ["x"], [1.0]))) is None


@pytest.mark.parametrize("rows", [1, 2])
def test_the_smallest_data_have_charts(rows):
    ratings = read_ratings((["a", "b"][:rows], ["x", "y"][:rows], [3.0, 3.0][:rows]))
    for chart in (
        charts.rating_distribution(ratings.describe()),
        charts.long_tail(ratings),
        charts.sparsity(ratings),
    ):
        assert "nan" not in chart.svg().lower()
        ElementTree.fromstring(chart.svg())


# The map.


def test_the_map_is_the_principal_components_by_singular_values(model):
    rows = np.arange(len(model.items))
    places, share = principal(model.item_factors, rows, rows)
    centred = model.item_factors.astype(np.float64)
    centred = centred - centred.mean(axis=0)
    _, sizes, vectors = np.linalg.svd(centred, full_matrices=False)
    assert np.abs(places) == pytest.approx(np.abs(centred @ vectors[:2].T), abs=1e-5)
    assert share == pytest.approx((sizes[:2] ** 2).sum() / (sizes**2).sum())


def test_the_map_has_the_most_rated_and_says_what_is_left_out(model):
    found = charts.map_of(model, most=50)
    assert len(found.ids) == 50
    assert found.left_out == (model.item_counts > 0).sum() - 50
    shown = model.item_counts[model.items.rows(found.ids)]
    assert shown.min() >= np.sort(model.item_counts)[-50]
    assert len(found.legend) <= 8
    assert set(found.classes) <= set(found.legend)


def test_the_regions_of_a_map_are_those_of_its_tastes_whatever_its_colour(model):
    by_taste = charts.map_of(model, color="taste")
    classes = np.array(by_taste.classes)
    assert [one.name for one in by_taste.regions] == [*by_taste.legend]
    for name, *middle in by_taste.regions:
        assert middle == np.median(by_taste.places[classes == name], axis=0).tolist()
    for color in ("genre", "decade"):
        assert charts.map_of(model, color=color).regions == by_taste.regions


def test_a_map_that_there_is_not_is_refused(ratings, model):
    with pytest.raises(matinee.BadSetting, match="two factors"):
        charts.map_of(matinee.Bias().fit(ratings))
    with pytest.raises(matinee.BadSetting, match="no map of 'films'"):
        charts.map_of(model, "films")
    with pytest.raises(matinee.BadSetting, match="no color 'genre'"):
        charts.map_of(model, "users", "genre")


# What could break a page.


def test_titles_stay_text():
    rng = np.random.default_rng(0)
    users, items = np.divmod(rng.permutation(60 * 30)[:700], 30)
    catalog = Catalog({str(i): Item(f"{NASTY} {i}", 1999, (NASTY,)) for i in range(30)})
    ratings = read_ratings((users, items, rng.integers(1, 6, 700)), catalog=catalog)
    model = matinee.NMF(n_factors=2, n_epochs=3).fit(ratings)
    why = model.explain("3", "4")
    for chart in (
        charts.waterfall(why),
        charts.taste_card(model.tastes()[0]),
        charts.space(charts.map_of(model)),
    ):
        for markup in (chart.svg(), chart.figure()):
            assert "<img" not in markup
            assert "</script" not in markup
            tags = {one.tag.rpartition("}")[2] for one in ElementTree.fromstring(markup).iter()}
            assert tags <= {
                "a",  # to the table as a file
                "svg",
                "style",
                "rect",
                "text",
                "title",
                "line",
                "path",
                "circle",
                "figure",
                "figcaption",
                "strong",
                "details",
                "summary",
                "div",
                "table",
                "thead",
                "tbody",
                "tr",
                "th",
                "td",
                "p",
            }


def test_what_xml_forbids_is_shown_as_a_replacement():
    root = ElementTree.fromstring(el("p", "a\x00b\ud800\ufffe", title="\x07"))
    assert (root.text, root.get("title")) == ("a\ufffdb\ufffd\ufffd", "\ufffd")


@given(
    st.text(
        alphabet=st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
    )
)
def test_an_element_gives_its_text_back(value):
    root = ElementTree.fromstring(el("p", value, title=value))
    assert (root.text or "") == value
    assert root.get("title") == value


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_are_few_and_lie_within(low, size):
    ticks = round_numbers(low, low + size)
    assert 1 <= len(ticks) <= 11
    assert all(low - size * 1e-6 <= tick <= low + size * (1 + 1e-6) for tick in ticks)


def test_places_are_written_to_a_tenth_of_a_pixel():
    assert [text(value) for value in (1.04, -0.04, 2.0, 12.26)] == ["1", "0", "2", "12.3"]


# Fitting again.


@pytest.mark.parametrize(
    "algorithm",
    [
        matinee.NMF(n_factors=3),
        matinee.MF(n_factors=4),
        matinee.TruncatedSVD(n_factors=2),
        matinee.Blend(of=("bias", matinee.ItemKNN(n_neighbors=5))),
    ],
    ids=lambda one: one.name,
)
def test_the_algorithm_of_a_saved_model_fits_it_again(algorithm, tmp_path):
    ratings = matinee.checkerboard(60)
    model = matinee.load(algorithm.fit(ratings).save(tmp_path / "m"))
    again = algorithm_of(model).fit(ratings)
    users = np.repeat(np.arange(20, dtype=np.int32), 20)
    items = np.tile(np.arange(20, dtype=np.int32), 20)
    assert (again.score_rows(users, items) == model.score_rows(users, items)).all()
