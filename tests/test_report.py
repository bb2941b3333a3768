"""The report: whole, offline, safe from titles, true to the numbers, and the same every time."""

import csv
import hashlib
import io
import json
import re
from base64 import b64decode, b64encode
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import matinee
from matinee.algorithms import ALGORITHMS
from matinee.charts.chart import SVG
from matinee.charts.html_tables import as_json
from matinee.cli import run
from matinee.data.catalog import Catalog, Item
from matinee.display.tables import Table
from matinee.errors import BadRatings
from matinee.evaluation.run_log import Record
from matinee.explain.explanation import Explanation
from matinee.explain.term import Term
from matinee.explain.term_table import Terms
from matinee.report import data_report, measure, ratings_of, report_of
from matinee.report.model_card import biases_of, limits_of
from matinee.report.origins import SAMPLE
from matinee.report.quality import best_rows, compared, of_comparison
from matinee.report.sample_users import ORDER, because, samples_section
from matinee.sources import read_ratings

NASTY = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"
SECTIONS = ["data", "quality", "tastes", "map", "people", "card"]
QUICK = {"bayesian-mf": matinee.BayesianMF(n_epochs=6, burn_in=1, n_samples=2)}
MOST_BYTES = 3_000_000


class Reader(HTMLParser):
    """Reads a document as browsers do, and keeps what matters here."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.open: list[str] = []
        self.feed(document)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.open.append(tag)
        for name, value in attrs:
            if name in ("href", "src", "action", "data", "xlink:href", "poster", "srcset"):
                self.addresses.append(value)
            if name.startswith("on") or name == "style":
                self.handlers.append(name)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def ratings():
    return matinee.sample()


@pytest.fixture(scope="module")
def model(ratings):
    return matinee.NMF(n_factors=6, n_epochs=10).fit(ratings)


@pytest.fixture(scope="module")
def report(model, ratings):
    return report_of(model, ratings, evaluation=measure(model, ratings))


def test_the_file_is_whole_offline_and_small(report):
    document = report.html()
    read = Reader(document)
    assert read.open == []
    assert "script" not in read.tags
    assert not read.handlers
    assert [one for one in read.addresses if not one.startswith("data:")] == [
        f"#{key}" for key in SECTIONS
    ]
    addresses = document.replace(f'xmlns="{SVG}"', "")  # a name, which nobody asks for
    assert not re.findall(r"url\(|@import|https?://", addresses)
    assert len(document.encode()) < MOST_BYTES


def test_every_table_is_a_file_in_its_link(report):
    document = report.html()
    files = [one for one in Reader(document).addresses if one.startswith("data:text/csv")]
    assert len(files) == document.count("<table>")
    plain = report.to_dict()["sections"]["quality"]["blocks"][0]["rows"]
    texts = [b64decode(one.partition(",")[2]).decode() for one in files]
    (metrics,) = [one for one in texts if one.startswith("metric,")]
    rows = list(csv.DictReader(io.StringIO(metrics)))
    assert {one["metric"]: float(one["value"]) for one in rows} == {
        one["metric"]: one["value"] for one in plain
    }
    files = [one for one in Reader(document).addresses if one.startswith("data:application/json")]
    assert len(files) == len(texts)
    tables = [
        json.loads(b64decode(one.partition(",")[2]), parse_constant=pytest.fail) for one in files
    ]
    assert plain in tables
    for text, table in zip(texts, tables, strict=True):
        heading, *lines = csv.reader(io.StringIO(text))
        assert [list(row) for row in table] == [heading] * len(lines)


def test_a_number_that_is_none_is_null_in_a_file():
    table = Table({"rating": [1.5, float("nan"), float("inf")], "n": [1, 2, 3]})
    assert [row["rating"] for row in json.loads(as_json(table))] == [1.5, None, None]


def test_the_best_of_each_column_is_marked():
    rows = [
        {"algorithm": "a", "rmse": 0.9, "ndcg@10": 0.3, "fit_seconds": 2.0},
        {"algorithm": "b", "rmse": 0.8, "ndcg@10": 0.2, "fit_seconds": 2.0},
        {"algorithm": "c", "rmse": None, "ndcg@10": float("nan"), "fit_seconds": 3.0},
    ]
    assert [best_rows(rows, name) for name in ("rmse", "ndcg@10", "fit_seconds", "mae")] == [
        [1],
        [0],
        [0, 1],
        [],
    ]
    marked = of_comparison(rows)[0].figure()
    assert re.findall("<strong>(.*?)</strong>", marked) == ["0.3", "2", "0.8", "2"]


def test_its_policy_allows_its_own_style_and_nothing_else(report):
    document = report.html()
    style = re.search(r"<style>(.*?)</style>", document, re.DOTALL)[1]
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in document


def test_the_same_model_gives_the_same_bytes(model, ratings, report):
    again = report_of(model, ratings, evaluation=measure(model, ratings))
    assert again.html() == report.html()
    assert again.to_dict() == report.to_dict()


def test_it_can_be_json_with_every_section(report):
    plain = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert list(plain["sections"]) == SECTIONS
    for section in plain["sections"].values():
        assert section["blocks"]


def test_people_are_recommended_what_the_model_recommends(model, report):
    for block in report.to_dict()["sections"]["people"]["blocks"][1:]:
        listed = [one["item_id"] for one in block["recommendations"]]
        assert listed == list(model.recommend(block["user_id"], 5).item_id)
        for one in block["recommendations"]:
            assert sum(term["value"] for term in one["terms"]) == pytest.approx(
                one["score"], abs=1e-4
            )


def test_a_list_says_what_puts_it_in_order_where_that_is_not_its_stars(model, report, ratings):
    assert str(report.html()).count(f'<p class="note">{ORDER}</p>') == 3, "one for each person"
    stars = re.findall(r'<span class="score">([^<]*)</span>', report.html())
    assert all(re.fullmatch(r"\d\.\d\d ★", one) for one in stars)
    by_scores = samples_section(matinee.Popularity().fit(ratings))
    assert not re.findall(r"★|list score", by_scores.figure()), "the score that ranks is shown"


def test_no_line_ends_between_a_number_and_its_percent(report):
    text = re.sub(r"<style>.*?</style>|<[^>]*>", " ", report.html(), flags=re.DOTALL)
    assert "95\N{NO-BREAK SPACE}%" in text
    prose = re.sub(r"<(table|svg)\b.*?</\1>", " ", report.html(), flags=re.DOTALL)
    assert not re.findall(r"\d+ %", prose)


def test_the_errors_are_those_of_the_held_out_part(model, ratings, report):
    plain = report.to_dict()["sections"]["quality"]["blocks"]
    found = {row["metric"]: row["value"] for row in plain[0]["rows"]}
    split = matinee.splitting.random(ratings)
    fitted = matinee.NMF(n_factors=6, n_epochs=10).fit(split.train)
    assert found == pytest.approx(matinee.evaluate(fitted, split.test).metrics)
    assert {block.get("chart") for block in plain} >= {"error-by-user", "error-by-item"}


def test_the_card_says_what_is_known_of_people(model, ratings):
    by_ratings_alone, facts_too = "people by their ratings alone", "Facts about newcomers help"
    assert any(by_ratings_alone in limit for limit in limits_of(model))
    towns = {user: {"town": "ab"[n % 2]} for n, user in enumerate(ratings.users)}
    profiled = ratings.with_profiles(towns)
    limits = limits_of(matinee.NMF(n_factors=2, n_epochs=1).fit(profiled))
    assert any(facts_too in limit for limit in limits)
    assert not any(by_ratings_alone in limit for limit in limits)


@pytest.mark.parametrize(
    ("worth", "said", "ending"),
    [
        (0.4, "", "rate it high, and it suits your taste in taste 3."),
        (0.4, "films like Alien", "rate it high, and it suits your taste in films like Alien."),
        (0.9, "films like Alien", "it suits your taste in films like Alien."),
        (0.001, "", "rate it high."),
    ],
)
def test_what_is_theirs_in_a_score_stands_beside_what_everybody_thinks(worth, said, ending):
    terms = (
        Term("average of all ratings", 3.0, "base"),
        Term("how this is rated", 0.6, "item"),
        Term("taste 3", worth, "taste", said=said),
    )
    score = sum(term.value for term in terms)
    why = Explanation(
        "7", "1", "Heat", "factor", score, score, "personal", Terms.of(terms), usual=3.0
    )
    assert because(why).endswith(ending)


def test_the_biases_are_counted(model):
    counts = model.item_counts
    top = np.argsort(-counts, kind="stable")[: (counts > 0).sum() // 10]
    share = counts[top].sum() / counts.sum()
    assert f"has {100 * share:.0f} % of the ratings" in biases_of(model)[0]


@pytest.mark.filterwarnings("ignore:n_factors is")
@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_algorithm_has_a_report(name):
    model = QUICK.get(name, ALGORITHMS[name]()).fit(small())
    document = report_of(model).html()
    assert Reader(document).open == []
    assert "nan" not in re.sub(r"[a-z]nan|nan[a-z]", "", document.lower())


def small():
    rng = np.random.default_rng(0)
    users, items = np.divmod(rng.permutation(50 * 30)[:600], 30)
    catalog = Catalog({str(i): Item(f"{NASTY} {i}", 1990 + i, (NASTY,)) for i in range(30)})
    return read_ratings((users, items, rng.integers(1, 6, 600)), catalog=catalog)


def test_titles_stay_text():
    ratings = small()
    model = matinee.NMF(n_factors=3).fit(ratings)
    read = Reader(report_of(model, ratings, evaluation=measure(model, ratings)).html())
    assert not {"script", "img"} & set(read.tags)
    assert not read.handlers


def test_other_ratings_are_refused(model):
    with pytest.raises(matinee.BadRatings, match="other ratings"):
        report_of(model, small())


def test_the_ratings_of_a_model_are_those_it_was_fitted_on(model, ratings):
    kept = ratings_of(model)
    for name in ("user", "item", "rating"):
        assert (getattr(kept, name) == getattr(ratings, name)).all()


def test_without_the_ratings_it_is_the_same_data_without_times(model, ratings):
    given, kept = (
        report_of(model, data).to_dict()["sections"]["data"]["blocks"] for data in (ratings, None)
    )
    assert kept[0]["facts"].items() <= given[0]["facts"].items()
    assert kept[1:4] == given[1:4]


def test_without_the_ratings_nothing_is_said_of_what_a_model_does_not_keep(model):
    """A model keeps neither times nor origin: that they are unknown would be said of the data."""
    section = json.dumps(report_of(model).to_dict()["sections"]["data"])
    assert not re.search("unknown|times|source|licence", section)
    named = json.dumps(report_of(model, origin=SAMPLE).to_dict()["sections"]["data"])
    assert SAMPLE.licence in named
    assert "times" not in named
    timeless = json.dumps(data_report(small()).to_dict()["sections"]["data"])
    assert "The times of the ratings are unknown." in timeless


# Records.


def test_a_comparison_is_shown_with_the_ratings_it_was_made_on(tmp_path, model, ratings):
    record = tmp_path / "runs.jsonl"
    made = matinee.compare(["bias"], ratings, metrics=["rmse", "ndcg"], record=record)
    rows = compared(Record.of(record), ratings)
    assert {row["algorithm"] for row in rows} == {one.name for one in made.entries}
    blocks = report_of(model, ratings, comparison=rows).to_dict()["sections"]["quality"]["blocks"]
    (shown,) = [
        one for one in blocks if one.get("title") == "Algorithms compared on the same split"
    ]
    assert "±" in shown["rows"][1]["rmse"]
    assert compared(Record.of(record), small()) == []


def test_results_of_other_ratings_are_refused(model, ratings):
    others = small()
    curve = matinee.k_curve(matinee.NMF(n_epochs=2), others, factors=[2, 3], folds=2).to_dict()
    with pytest.raises(BadRatings, match=f"k-curve is of other ratings .*{others.fingerprint}"):
        report_of(model, ratings, curve=curve)
    quality = measure(matinee.NMF(n_factors=3).fit(others))
    with pytest.raises(BadRatings, match="evaluation is of other ratings"):
        report_of(model, ratings, evaluation=quality)
    with pytest.raises(BadRatings, match="fitted on other ratings"):
        measure(model, others)


# The command line.


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory) -> Path:
    return model.save(tmp_path_factory.mktemp("report") / "model")


def test_the_command_writes_the_file(saved, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    curve = matinee.k_curve(matinee.NMF(n_epochs=2), matinee.sample(), factors=[2, 3], folds=2)
    Path("curve.json").write_text(json.dumps(curve.to_dict()))
    arguments = ["--data", "sample", "--k-curve", "curve.json", "--no-measure", "-o", "r.html"]
    assert run(["report", str(saved), *arguments]) == 0
    said = capsys.readouterr().err
    assert "report in r.html" in said
    steps = [line.split("  ")[:2] for line in said.splitlines() if line.startswith("report ")]
    assert steps[:2] == [["report 0/1", "drawing"], ["report 1/1", "done"]]
    document = Path("r.html").read_text(encoding="utf-8")
    assert "rmse by number of factors" in document
    assert "simulated" in document


def test_the_command_prints_the_content_as_json(saved, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert run(["report", str(saved), "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["sections"]["quality"]["blocks"][0]["rows"][0]["metric"] == "rmse"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--record", "none.jsonl"], "--record needs --data"),
        (["--k-curve", "none.json"], "is no k-curve"),
        (["--no-measure", "-o", "none/r.html"], "cannot be written"),
    ],
)
def test_what_cannot_be_is_refused_in_words(saved, arguments, words, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert run(["report", str(saved), *arguments]) == 1
    assert words in capsys.readouterr().err


def test_inspect_writes_the_part_on_data(tmp_path, capsys):
    file = tmp_path / "data.html"
    assert run(["inspect", "sample", "--html", str(file)]) == 0
    document = file.read_text(encoding="utf-8")
    assert [one for one in Reader(document).addresses if one.startswith("#")] == ["#data"]
    assert document == data_report(matinee.sample(), SAMPLE).html()


def test_a_real_report_is_small_and_names_its_terms(ratings_1m):
    model = matinee.NMF(n_factors=15, n_epochs=2).fit(ratings_1m)
    document = report_of(model, ratings_1m).html()
    assert len(document.encode()) < MOST_BYTES
    assert "MovieLens Datasets: History and Context" in document
