"""What results show of themselves, at the prompt, printed and in notebooks."""

import inspect
import json
import re
import sys
from types import ModuleType
from xml.etree import ElementTree

import numpy as np
import pytest

import matinee
from matinee import charts, report, splitting
from matinee.algorithms import base
from matinee.data.catalog import Catalog, Item
from matinee.display.notebook import Grid, Printable, Tabular
from matinee.display.tables import Table
from matinee.errors import BadRatings, BadSetting, MatineeError
from matinee.evaluation.explanation_quality import explanation_quality
from matinee.evaluation.model_quality import measure_quality
from matinee.models.model import Model

NASTY = "<img src=x onerror=alert(1)>\"'</script>&"

# Results inside of others: arrays, numbers with names, and one-line values.
INNER = {
    *(
        "Advice",
        "Alternation",
        "AutoTrial",
        "Calibration",
        "CatalogColumns",
        "Column",
        "Embeddings",
        "Entry",
        "Evidence",
        "Graph",
        "ListTrial",
        "IdMap",
        "Option",
        "Setting",
    ),
    *(
        "ItemWords",
        "Label",
        "ListCheck",
        "Markup",
        "Neighborhood",
        "Origin",
        "PackedRatings",
        "Person",
    ),
    *(
        "PopulationStatistics",
        "ProductIndex",
        "RowSolves",
        "Rows",
        "Scale",
        "Section",
        "Signal",
        "Step",
        "Styled",
    ),
    *(
        "TasteControls",
        "TasteMatch",
        "TasteSpace",
        "Term",
        "TermTable",
        "Terms",
        "Texts",
        "Trial",
        "View",
    ),
}


pytestmark = pytest.mark.filterwarnings("ignore:n_factors is:UserWarning")


class ItemMeans:
    name = "item-means"

    def fit(self, ratings: matinee.Ratings) -> "ItemMeans":
        self.mean = ratings.mean
        return self

    def predict(self, users: list[object], items: list[object]) -> list[float]:
        return [self.mean] * len(items)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """A value of every public kind of result, of titles that no page may take for markup."""
    folder = tmp_path_factory.mktemp("shown")
    rng = np.random.default_rng(0)
    users, items = np.divmod(rng.permutation(40 * 30)[:800], 30)
    titles = [f"{i}{NASTY}" for i in range(30)]
    entries = {title: Item(title, 1999, (NASTY,), {NASTY: (NASTY,)}) for title in titles}
    stars = rng.integers(1, 6, len(users))
    given = (users, [titles[i] for i in items], stars)
    ratings = matinee.read_ratings(given, catalog=Catalog(entries))
    (folder / "r.csv").write_text(f"user_id,item_id,rating\n1,a,5\n2,b,{NASTY}\n2,a,4\n")
    nmf = matinee.NMF(n_factors=3, n_epochs=4)
    model, split = nmf.fit(ratings), splitting.random(ratings)
    other = matinee.NMF(n_factors=2, n_epochs=4, seed=1).fit(ratings)
    bias = matinee.Bias(choice=None).fit(split.train)
    listed = model.recommend("1")
    (first, second), rated = listed.item_id[:2], model.items.ids[model.rated("1")[0]]
    easy = min((model.items.ids[i] for i in range(30) if i not in model.rated("1")), key=str)
    return {
        "read report": matinee.read_ratings(folder / "r.csv").report,
        "ratings": ratings,
        "packed": matinee.pack(folder / "r.csv", folder / "packed"),
        "description": ratings.describe(),
        "catalog": ratings.catalog,
        "item": ratings.catalog[titles[0]],
        "ids": ratings.items,
        "split": split,
        "users held out": splitting.strong(ratings),
        "models": [
            model,
            bias,
            matinee.UserKNN(choice=None).fit(ratings),
            matinee.EASE().fit(ratings),
            matinee.Blend(of=("bias", matinee.MF(n_factors=2))).fit(ratings),
        ],
        "external model": matinee.fit(ratings, ItemMeans()),
        "list": listed,
        "lists": model.recommend_all(2),
        "predictions": model.predict(split.test),
        "together": matinee.recommend_together(model, ["1", "2"]),
        "factors": model.factors("item"),
        "person": model.fold_in({rated: 4}),
        "explanations": [model.explain("1", easy, by=by) for by in model.views],
        "contrast": model.explain("1", first, versus=second),
        "what if": model.what_if("1", first, without=[rated]),
        "counterfactual": model.counterfactual("1", listed.item_id[-1]),
        "tastes": model.tastes(),
        "taste": model.tastes()[0],
        "matches": matinee.match_tastes(model, other),
        "interview": matinee.Interview(model).answered(rated, 4),
        "question": matinee.Interview(model).question,
        "model quality": measure_quality(bias, split.train),
        "explanation quality": explanation_quality(nmf, ratings, 3, 1, 2),
        "evaluation": matinee.evaluate(bias, split.test, (5,)),
        "comparison": matinee.compare(["bias"], split),
        "fold table": matinee.cross_validate("popularity", ratings, folds=2, ns=(5,)),
        "fold tables": matinee.cross_validate(["popularity"], ratings, folds=2, ns=(5,)),
        "check": matinee.check_algorithm(ItemMeans),
        "tuning": matinee.tune("bias", ratings, budget=2),
        "curve": matinee.k_curve(nmf, ratings, factors=[1, 2], folds=2),
        "auto": matinee.auto(matinee.checkerboard(60), trials=2),
        "chart": charts.waterfall(model.explain("1", first)),
        "map": charts.map_of(model),
        "report": report.report_of(model),
    }


def results_in(values: object) -> list[object]:
    return values if isinstance(values, list) else [values]


def test_every_result_shows_as_valid_html_without_markup_of_its_data(shown) -> None:
    for name, values in shown.items():
        for value in results_in(values):
            if not hasattr(value, "_repr_html_"):
                assert type(value).__name__ in INNER, name
                continue
            markup = value._repr_html_()
            page = ElementTree.fromstring(f"<div>{markup}</div>")
            assert "".join(page.itertext()).strip(), name
            tags = {one.tag.rpartition("}")[2] for one in page.iter()}
            assert not tags & {"img", "script"}, name


def test_no_result_prints_as_a_dump_of_its_fields(shown) -> None:
    for name, values in shown.items():
        for value in results_in(values):
            for words in (repr(value), str(value)):
                assert f"{type(value).__name__}(" not in words, name
                assert len(words.splitlines()) < 110, name
                assert max(map(len, words.splitlines())) < 1000, name


def test_what_prints_and_what_shows_are_the_same_parts(shown) -> None:
    for name in ("description", "evaluation", "fold table", "tuning", "curve", "split", "question"):
        value = shown[name]
        page = ElementTree.fromstring(f"<div>{value._repr_html_()}</div>")
        text = " ".join(" ".join(page.itertext()).split())
        for part in value.parts():
            for cell in (c for row in part.rows for c in row) if isinstance(part, Grid) else [part]:
                assert " ".join(str(cell).split()) in text, (name, cell)
        assert page.find("table") is not None, name


def public_functions() -> list[object]:
    names = [getattr(matinee, name) for name in matinee.__all__]
    modules: tuple[ModuleType, ...] = (charts, report, splitting)
    own = [
        one
        for module in modules
        for one in vars(module).values()
        if inspect.isfunction(one) and one.__module__.startswith(module.__name__)
    ]
    return [one for one in (*names, *own) if not str(getattr(one, "__name__", "_")).startswith("_")]


def returned_by(one: object) -> set[type]:
    """The classes of ours that a function, or the public methods of a class, return."""
    if inspect.isfunction(one):
        names = re.findall(
            r"(?<!typing\.)\b[A-Z]\w+", str(inspect.get_annotations(one).get("return"))
        )
        return {ours for name in names if (ours := class_named(name, one.__module__)) is not None}
    classes: set[type] = set()
    for name, member in inspect.getmembers(one):
        function = getattr(member, "fget", None) or getattr(member, "func", None) or member
        if not name.startswith("_") and inspect.isfunction(function):
            classes |= returned_by(function)
    return classes


def class_named(name: str, module: str) -> type | None:
    """What a name means in a module, or, where it is imported for types alone, in any other."""
    others = (one for key, one in sys.modules.items() if key.startswith("matinee."))
    for place in (sys.modules[module], *others):
        one = vars(place).get(name)
        if inspect.isclass(one) and one.__module__.startswith("matinee."):
            return one
    return None


def test_results_with_a_table_are_frames(shown) -> None:
    tabular = [one for value in shown.values() for one in results_in(value)]
    tabular = [one for one in tabular if isinstance(one, Tabular)]
    assert {type(one) for one in tabular} == {*Tabular.__subclasses__()}
    for one in tabular:
        assert one.to_pandas().to_dict("list").keys() == one.table.columns.keys()
        assert len(one.to_polars()) == len(one.table) > 0


def test_no_line_of_a_result_is_too_long_for_a_screen(shown) -> None:
    auto = str(shown["auto"]).splitlines()
    table = [line for line in auto if not line.startswith("best: ")]
    assert max(map(len, table)) < 100


def test_predictions_from_outside_are_about_no_lists(ratings) -> None:
    model = matinee.Bias(choice=None).fit(ratings)
    lines = str(matinee.evaluate_predictions(model.predict(ratings))).splitlines()
    assert f"{len(ratings)} test ratings" in lines
    assert not [line for line in lines if "measured," in line or "cold" in line]
    lists = str(matinee.evaluate_lists({"user": ["1"], "item": ["1"], "rank": [1]}, ratings))
    assert "skipped (no test item rated" in lists
    assert "cold" not in lists


def test_every_public_result_is_shown(shown) -> None:
    todo, seen = public_functions(), set()
    while todo:
        new = returned_by(todo.pop()) - seen
        seen |= new
        todo += new
    names = {one.__name__ for one in seen}
    assert {"Ratings", "Split", "Explanation", "Tuning", "Question", "Chart"} <= names
    examples = [value for values in shown.values() for value in results_in(values)]
    for one in seen:
        if issubclass(one, Exception | base.Algorithm) or one is Grid or one.__name__ in INNER:
            continue
        assert issubclass(one, Printable | Table), one
        assert any(isinstance(value, one) for value in examples) or issubclass(one, Model), one


def test_a_grid_prints_aligned_and_is_a_table() -> None:
    grid = Grid([["", "n"], ["a", "10"], ["bcd", "5"]], indent=1)
    assert str(grid).split("\n") == ["       n", " a    10", " bcd   5"]
    assert grid._repr_html_() == (
        "<table><thead><tr><th></th><th>n</th></tr></thead>"
        "<tbody><tr><td>a</td><td>10</td></tr><tr><td>bcd</td><td>5</td></tr></tbody></table>"
    )
    assert "<thead>" not in Grid([["a", "1"]], has_heading=False)._repr_html_()


@pytest.fixture(scope="module")
def ratings():
    return matinee.checkerboard(40)


@pytest.fixture(scope="module")
def all_charts(shown):
    """One with every kind of mark."""
    ratings, model = matinee.sample(), shown["models"][0]
    row = {"algorithm": "a", "ndcg@10": 0.1, "coverage@10": 0.3, "fit_seconds": 0.5}
    return [
        charts.rating_distribution(ratings.describe()),
        charts.long_tail(ratings),
        charts.sparsity(ratings),
        charts.over_time(ratings),
        charts.waterfall(shown["explanations"][0]),
        charts.k_curve(shown["curve"].to_dict()),
        charts.space(charts.map_of(model)),
        charts.trade_off([row, row | {"algorithm": "b", "ndcg@10": 0.2}]),
    ]


def test_a_chart_is_written_as_its_name_says(ratings, tmp_path) -> None:
    chart = charts.rating_distribution(ratings.describe())
    assert chart.save(tmp_path / "c.svg").read_text(encoding="utf-8") == chart.svg()
    page = chart.save(tmp_path / "c.HTML").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    root = ElementTree.fromstring(page.split("\n", 1)[1])
    assert [one.tag for one in root] == ["head", "body"]
    assert json.loads(chart.save(tmp_path / "c.json").read_text()) == chart.to_dict()
    for name in ("c.gif", "c"):
        with pytest.raises(BadSetting, match=r"end it in \.svg, \.png, \.pdf, \.html, \.json"):
            chart.save(tmp_path / name)
        assert not (tmp_path / name).exists()


def test_a_chart_is_saved_as_a_picture(ratings, tmp_path) -> None:
    pytest.importorskip("vl_convert")
    chart = charts.rating_distribution(ratings.describe())
    png = chart.save(tmp_path / "c.png").read_bytes()
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    root = ElementTree.fromstring(chart.svg())
    size = [2 * round(float(root.get(side, "0"))) for side in ("width", "height")]
    assert [int.from_bytes(png[at : at + 4]) for at in (16, 20)] == size
    assert chart.save(tmp_path / "c.pdf").read_bytes().startswith(b"%PDF-")


def test_the_extra_is_named_where_it_is_missing(ratings, tmp_path, monkeypatch) -> None:
    chart = charts.rating_distribution(ratings.describe())
    for name in ("vl_convert", "altair"):
        monkeypatch.setitem(sys.modules, name, None)
    for make in (lambda: chart.save(tmp_path / "c.png"), chart.to_altair):
        with pytest.raises(MatineeError, match=r'pip install "matinee\[charts\]"'):
            make()
    assert not (tmp_path / "c.png").exists()


def test_every_chart_goes_on_in_altair(all_charts) -> None:
    """Each is valid Vega-Lite, whose layers hold as many rows as the picture has marks."""
    alt = pytest.importorskip("altair")
    for chart in all_charts:
        own = chart.to_altair()
        assert isinstance(own, alt.TopLevelMixin)
        spec = own.to_dict()  # raises where the schema does not hold
        assert spec["title"]["text"] == chart.title
        layers = [spec, *spec.get("layer", [])]
        assert sum(len(one.get("data", {}).get("values", [])) for one in layers) > 1
    line = all_charts[1].to_altair().to_dict()
    assert {one["encoding"]["x"]["scale"]["type"] for one in line["layer"]} == {"log"}


def test_the_data_of_a_chart_is_a_frame(ratings) -> None:
    pytest.importorskip("pandas")
    chart = charts.rating_distribution(ratings.describe())
    assert chart.data.to_dict("records") == chart.table.to_dicts()


@pytest.mark.parametrize("function", [matinee.compare, matinee.tune])
def test_what_splits_ratings_refuses_frames_by_its_own_name(ratings, function) -> None:
    first = "bias" if function is matinee.tune else ["bias"]
    with pytest.raises(BadRatings, match=f"{function.__name__} takes Ratings, not DataFrame"):
        function(first, ratings.to_pandas())


@pytest.mark.parametrize("name", [*splitting.SPLITS, "k_fold", "given"])
def test_splits_refuse_frames_in_words(ratings, name: str) -> None:
    frame = ratings.to_pandas()
    function = splitting.SPLITS.get(name) or getattr(splitting, name)
    with pytest.raises(BadRatings, match=r"takes Ratings, not DataFrame; .*read_ratings"):
        function(frame, *([frame] if name == "given" else []))
