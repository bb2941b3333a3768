"""What results show of themselves in a notebook, and charts as files."""

import json
from xml.etree import ElementTree

import pytest

import matinee
from matinee import charts, splitting
from matinee.display.markup import escaped
from matinee.errors import BadRatings, BadSetting


@pytest.fixture(scope="module")
def ratings():
    return matinee.checkerboard(40)


def test_results_show_in_a_notebook_what_they_print(ratings, tmp_path) -> None:
    ratings.to_pandas().to_csv(tmp_path / "r.csv", index=False)
    split = splitting.random(ratings)
    shown = [
        matinee.read_ratings(tmp_path / "r.csv").report,
        ratings.describe(),
        matinee.evaluate(matinee.Bias(choice=None).fit(split.train), split.test, (5,)),
        matinee.cross_validate("popularity", ratings, folds=2, ns=(5,)),
        matinee.cross_validate(["popularity"], ratings, folds=2, ns=(5,)),
        matinee.tune("bias", ratings, budget=1),
    ]
    for one in shown:
        assert one._repr_html_() == f"<pre>{escaped(str(one))}</pre>"
        assert len(str(one).splitlines()) > 1
    assert "<table>" in ratings._repr_html_()
    assert str(ratings).splitlines()[1].split() == ["user_id", "item_id", "rating"]


def test_a_chart_is_written_as_its_name_says(ratings, tmp_path) -> None:
    chart = charts.rating_distribution(ratings.describe())
    assert chart.save(tmp_path / "c.svg").read_text(encoding="utf-8") == chart.svg()
    page = chart.save(tmp_path / "c.HTML").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    root = ElementTree.fromstring(page.split("\n", 1)[1])
    assert [one.tag for one in root] == ["head", "body"]
    assert json.loads(chart.save(tmp_path / "c.json").read_text()) == chart.to_dict()
    for name in ("c.png", "c.pdf", "c"):
        with pytest.raises(BadSetting, match=r"end it in \.svg, \.html, \.json"):
            chart.save(tmp_path / name)
        assert not (tmp_path / name).exists()


def test_the_data_of_a_chart_is_a_frame(ratings) -> None:
    pytest.importorskip("pandas")
    chart = charts.rating_distribution(ratings.describe())
    assert chart.data.to_dict("records") == chart.table.to_dicts()


@pytest.mark.parametrize("name", [*splitting.SPLITS, "k_fold", "given"])
def test_splits_refuse_frames_in_words(ratings, name: str) -> None:
    frame = ratings.to_pandas()
    function = splitting.SPLITS.get(name) or getattr(splitting, name)
    with pytest.raises(BadRatings, match=r"takes Ratings, not DataFrame; .*read_ratings"):
        function(frame, *([frame] if name == "given" else []))
