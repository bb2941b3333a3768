"""Files as people have them: each small input stands for a kind, with its right values."""

import csv
import io
import json
import os
import threading
import warnings
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings

import matinee
from matinee.cli import run
from matinee.errors import Advice, BadRatings, BadSetting, DataWarning, Option
from matinee.evaluation.evaluate import fit_and_evaluate
from matinee.sources import read_catalog, read_ratings
from matinee.splitting import random
from small_files import triples, write

PLAIN = [("a", "x", 3.0), ("b", "y", 4.0)]

# the dialect of the whole file


def test_quotes_that_first_stand_late_in_the_file(tmp_path: Path) -> None:
    lines = ["user,item,rating", *(f"u{n % 50},Book {n},{n % 5 + 1}" for n in range(600))]
    lines += ['u1,"Eats, Shoots",5', 'u2,"Eats, Shoots",4', 'u3,"The ""Best"" Of",2', '"u4",Last,1']
    ratings = read_ratings(write(tmp_path, "\n".join(lines) + "\n"))
    assert len(ratings) == 604
    assert {("u1", "Eats, Shoots", 5.0), ("u3", 'The "Best" Of', 2.0)} < set(triples(ratings))
    assert "u4" in ratings.users
    assert not any(text.startswith('"') for text in [*ratings.users, *ratings.items])


def test_a_decimal_comma_that_first_stands_late_in_the_file(tmp_path: Path) -> None:
    lines = ["user;item;rating", *(f"u;{n};4" for n in range(600)), "u;last;3,5"]
    assert read_ratings(write(tmp_path, "\n".join(lines))).history("u")["last"] == 3.5


def test_quotes_are_letters_where_they_are_said_to_be(tmp_path: Path) -> None:
    path = write(tmp_path, 'user\titem\trating\na\t"Heroes" (live)\t4\nb\t7" mix\t5\n')
    with pytest.warns(DataWarning, match="1 with broken quotes"):
        assert len(read_ratings(path)) == 1
    ratings = read_ratings(path, quoting=False)
    assert triples(ratings) == [("a", '"Heroes" (live)', 4.0), ("b", '7" mix', 5.0)]


# what a comma means

THOUSANDS = "user;item;plays\na;x;1,234\na;y;12,345\na;z;987\nb;x;2000\n"


@pytest.mark.parametrize("text", [THOUSANDS, 'user,item,plays\na,x,"1,234"\na,y,"12,345"\n'])
def test_thousands_or_decimals_is_a_question(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadRatings, match=r"1,234 could be 1234 or 1\.234.*decimal="):
        read_ratings(write(tmp_path, text))


def test_each_answer_is_followed(tmp_path: Path) -> None:
    path = write(tmp_path, THOUSANDS)
    assert sorted(read_ratings(path, decimal=".").rating.tolist()) == [987, 1234, 2000, 12345]
    comma = np.sort(read_ratings(path, decimal=",").rating)
    assert comma.tolist() == pytest.approx([1.234, 12.345, 987, 2000])


@pytest.mark.parametrize(
    "values, expected",
    [
        (["1,234,567", "1,234"], [1234567, 1234]),
        (["1,234.5", "987"], [1234.5, 987]),
        (["1.234,5", "0,5"], [1234.5, 0.5]),
        (["0,125", "1,234"], [0.125, 1.234]),
        (["3,5", "4"], [3.5, 4]),
    ],
)
def test_values_that_leave_no_doubt(tmp_path: Path, values: list[str], expected: list) -> None:
    lines = [f"u;{n};{value}\n" for n, value in enumerate(values)]
    ratings = read_ratings(write(tmp_path, "user;item;rating\n" + "".join(lines)))
    assert ratings.rating.tolist() == pytest.approx(expected)


# lines before the table


@pytest.mark.parametrize(
    "text",
    [
        "% bip weighted\n% 2 2 2\na x 3\nb y 4\n",
        "# exported 2020\nuser,item,rating\na,x,3\nb,y,4\n",
        "# user,item,rating\na,x,3\nb,y,4\n",
        "#user,item,rating\na,x,3\nb,y,4\n",
        "sep=;\nuser;item;rating\na;x;3\nb;y;4\n",
        "sep=;\r\na;x;3\r\nb;y;4\r\n",
    ],
)
def test_comments_before_the_table(tmp_path: Path, text: str) -> None:
    assert triples(read_ratings(write(tmp_path, text))) == PLAIN


def test_ids_with_a_mark_are_no_comments(tmp_path: Path) -> None:
    ratings = read_ratings(write(tmp_path, "#a,x,3\nb,y,4\n"))
    assert triples(ratings) == [("#a", "x", 3.0), ("b", "y", 4.0)]
    assert len(read_ratings(write(tmp_path, "#a,x,3\nb,y,4\n#c,y,4\n"))) == 3


# columns

EXTRA = "1,1,drama,7,5,2000-07-12\n2,1,comedy,8,4,2000-07-13\n"


def test_many_columns_without_a_header_are_a_question(tmp_path: Path) -> None:
    path = write(tmp_path, EXTRA)
    with pytest.raises(BadRatings, match=r"no header and 6 columns.*columns="):
        read_ratings(path)
    ratings = read_ratings(path, columns={"rating": 4, "timestamp": 5})
    assert triples(ratings) == [("1", "1", 5.0), ("2", "1", 4.0)]
    assert ratings.timestamp.tolist() == [963360000, 963446400]


COUNTED = "2,-3.5,99,8\n1,99,2.25,99\n2,1,-9,99\n0,99,99,99\n"


def test_the_value_of_what_is_not_rated_is_proposed_and_checked(tmp_path: Path) -> None:
    path = write(tmp_path, COUNTED.replace("\n", ",99\n"))
    with pytest.raises(BadRatings, match=r"no header and 5 columns.*wide=.99.") as caught:
        read_ratings(path)
    proposed = caught.value.remedies[-1]
    assert isinstance(proposed, Option)
    assert read_ratings(path, wide=proposed.value).n_items == 3  # type: ignore[arg-type]
    with pytest.raises(BadRatings, match=r"no empty cells.*wide=.99."):
        read_ratings(path, wide="empty")


def test_columns_with_dates_are_not_taken_for_a_matrix(tmp_path: Path) -> None:
    path = write(tmp_path, "1,1,3,7,5,2000-07-12\n2,1,3,8,4,2000-07-13\n")
    with pytest.raises(BadRatings, match="no header and 6 columns") as caught:
        read_ratings(path)
    (remedy,) = caught.value.remedies
    assert isinstance(remedy, Option)
    assert remedy.name == "columns"


def test_a_header_one_name_short_is_a_question_and_its_answer(tmp_path: Path) -> None:
    path = write(tmp_path, '"user","item","rating"\n"1","a","x",3\n"2","b","y",4\n')
    with pytest.raises(BadRatings, match=r"3 names over 4 fields.*as R writes") as caught:
        read_ratings(path)
    assert triples(read_ratings(path, columns=dict(caught.value.remedies[0].value))) == PLAIN


def alike(form: str, folder: Path) -> object:
    """A table with two columns called rating."""
    pandas, arrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    names = ["user", "item", "rating", "rating"]
    columns = [["a", "b"], ["x", "y"], [1.0, 2.0], [3.0, 4.0]]
    if form == "pandas":
        return pandas.DataFrame(dict(enumerate(columns))).set_axis(names, axis=1)
    table = arrow.table(columns, names=names)
    if form == "pyarrow":
        return table
    if form == "csv":
        return write(folder, "user,item,rating,rating\na,x,1,3\nb,y,2,4\n")
    from pyarrow import parquet

    parquet.write_table(table, folder / "r.parquet")
    return folder / "r.parquet"


@pytest.mark.parametrize("form", ["csv", "parquet", "pandas", "pyarrow"])
def test_columns_of_one_name_go_by_number(form: str, tmp_path: Path) -> None:
    source = alike(form, tmp_path)
    with pytest.raises(BadRatings, match="rating could be column 2, 'rating', or column 3"):
        read_ratings(source)
    assert triples(read_ratings(source, columns={"rating": 3})) == PLAIN
    assert triples(read_ratings(source, columns={"rating": "2"})) != PLAIN


@pytest.mark.parametrize(
    "header",
    [
        "user_id:token,item_id:token,rating:float",
        "visitorid,asin,Feedback",
        "userID,placeID,weight",
        "uid,book_id,count",
        "member_id,isbn,hours",
        "user,track,plays",
        "customer_id,business_id,event",
    ],
)
def test_usual_names(header: str, tmp_path: Path) -> None:
    assert triples(read_ratings(write(tmp_path, header + "\na,x,3\nb,y,4\n"))) == PLAIN


# layouts


@pytest.mark.parametrize("text", ["user,item\na,x\nb,y\n", "a\tx\nb\ty\n", "a x\nb y\n"])
def test_pairs_without_ratings(text: str, tmp_path: Path) -> None:
    ratings = read_ratings(write(tmp_path, text))
    assert triples(ratings) == [("a", "x", 1.0), ("b", "y", 1.0)]
    assert "every row counts as 1" in str(ratings.report)


def test_pairs_whose_titles_hold_spaces(tmp_path: Path) -> None:
    ratings = read_ratings(write(tmp_path, "user,track\na,Blue\na,Kind of Blue\nb,Blue\n"))
    assert triples(ratings)[1] == ("a", "Kind of Blue", 1.0)


def test_pairs_with_times(tmp_path: Path) -> None:
    ratings = read_ratings(write(tmp_path, "user,item,timestamp\na,x,5\nb,y,6\n"))
    assert ratings.timestamp.tolist() == [5, 6]


def test_a_line_for_each_user(tmp_path: Path) -> None:
    path = write(tmp_path, "0 10 11 12\n1 10\n2 11 12 13 14 \n\n3 12 10\n")
    ratings = read_ratings(path)
    assert len(ratings) == 3 + 1 + 4 + 2
    assert ratings.history("2") == dict.fromkeys(["11", "12", "13", "14"], 1.0)


@pytest.mark.parametrize("missing", ["99", "empty"])
@pytest.mark.parametrize("header", [True, False])
def test_a_matrix(header: bool, missing: str, tmp_path: Path) -> None:
    gap = "" if missing == "empty" else "99.00"
    text = "user,x,y\n" * header + f"a,3,{gap}\nb,{gap},4\n"
    ratings = read_ratings(write(tmp_path, text), wide=missing)
    expected = PLAIN if header else [("a", "1", 3.0), ("b", "2", 4.0)]
    assert triples(ratings) == expected


def test_a_matrix_that_counts_its_lines(tmp_path: Path) -> None:
    ratings = read_ratings(write(tmp_path, "2,-3.5,99,8\n1,99,2.25,99\n2,1,-9,99\n"), wide=99)
    expected = [("0", "1", -3.5), ("0", "3", 8.0), ("1", "2", 2.25), ("2", "1", 1), ("2", "2", -9)]
    assert triples(ratings) == expected
    assert "column 0 counts" in str(ratings.report)


def test_cells_and_lines_of_a_matrix_that_are_wrong(tmp_path: Path) -> None:
    text = 'user,x,y\na,3,?\nb,1\nc,"1,2\nd,1,2\n'
    with pytest.warns(DataWarning):
        report = read_ratings(write(tmp_path, text), wide="empty").report
    reasons = {one.reason: (one.count, one.first[0].place) for one in report.set_aside}
    assert reasons["whose rating is not a number"] == (1, "line 2")
    assert reasons["with a missing field"] == (1, "line 3")
    assert reasons["with broken quotes"] == (2, "line 4")


def test_json_lines(tmp_path: Path) -> None:
    records = [
        {"user_id": "a", "item": "x", "stars": 3, "time": 1500000000},
        {"item": "y", "user_id": "b", "stars": "4", "note": {"deep": [1]}},
    ]
    text = "".join(json.dumps(one) + "\n" for one in records) + "{broken\n"
    with pytest.warns(DataWarning, match="1 that is no JSON object"):
        ratings = read_ratings(write(tmp_path, text, "r.jsonl"))
    assert triples(ratings) == PLAIN
    assert ratings.timestamp.tolist() == [1500000000, 0]


def zipped(folder: Path, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(folder / "set.zip", "w") as archive:
        for member, text in members.items():
            archive.writestr(member, text)
    return folder / "set.zip"


TABLES = {
    "set/README": "About users and items, in words.\n",
    "set/names.dat": "Game_ID\tGame Name\n1\tChess\n",
    "set/play.dat": "User_ID\tGame_ID\tHours\na\tx\t3\nb\ty\t4\n",
}


def test_a_zip_of_several_tables(tmp_path: Path) -> None:
    assert triples(read_ratings(zipped(tmp_path, TABLES))) == PLAIN
    buy = {"set/buy.dat": "User_ID\tGame_ID\tPurchase\na\tx\t1\n"}
    both = zipped(tmp_path, TABLES | buy)
    with pytest.raises(BadRatings, match=r'2 files that could be the ratings.*table="play.dat"'):
        read_ratings(both)
    assert triples(read_ratings(both, table="play.dat")) == PLAIN
    assert triples(read_ratings(both, columns={"rating": "Hours"})) == PLAIN
    with pytest.raises(BadRatings, match=r"no file 'game\.dat'; it holds README, buy\.dat"):
        read_ratings(both, table="game.dat")


def test_an_excel_workbook_is_named_with_the_way_out(tmp_path: Path) -> None:
    path = zipped(tmp_path, {"xl/workbook.xml": "", "[Content_Types].xml": ""})
    with pytest.raises(BadRatings, match=r"an Excel workbook; save it there as CSV"):
        read_ratings(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("user,item,rating\na,x,3\nb,y,4\n",))
    writer.start()
    ratings = read_ratings(pipe)
    writer.join()
    assert triples(ratings) == PLAIN
    with pytest.raises(BadRatings, match="is a device"):
        read_ratings("/dev/null")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark(encoding: str, tmp_path: Path) -> None:
    path = write(tmp_path, "user,item,rating\na,x,3\nb,y,4\n".encode(encoding))
    with pytest.raises(BadRatings, match=f'UTF-16 without a byte order.*encoding="{encoding}"'):
        read_ratings(path)
    assert triples(read_ratings(path, encoding=encoding)) == PLAIN


# catalogues


def test_the_encoding_reaches_the_catalogue(tmp_path: Path) -> None:
    places = write(tmp_path, "placeID,name\n1,Café Ambar\n2,Peñon\n".encode("latin-1"), "p.csv")
    ratings = write(tmp_path, "userID,placeID,rating\nU1,1,2\nU1,2,1\n")
    with pytest.raises(BadRatings, match=r'p\.csv.*encoding="latin-1"'):
        read_ratings(ratings, catalog=places)
    catalog = read_ratings(ratings, catalog=places, encoding="latin-1").catalog
    assert [catalog["1"].title, catalog["2"].title] == ["Café Ambar", "Peñon"]
    assert read_catalog(places, encoding="latin-1")["1"].title == "Café Ambar"


def test_a_title_never_takes_its_neighbours(tmp_path: Path) -> None:
    text = 'item_id\ttitle\nA1\t"Weird Al" Yankovic\nA2\t"Heroes\nA3\tSecond\nA4\t"Th""ird"\n'
    with pytest.warns(DataWarning, match="2 lines with broken quotes"):
        catalog = read_catalog(write(tmp_path, text, "artists.tsv"))
    titles = [catalog[one].title for one in ("A1", "A2", "A3", "A4")]
    assert titles == ['"Weird Al" Yankovic', '"Heroes', "Second", 'Th"ird']


# times


def test_seconds_and_milliseconds_are_told_apart_row_by_row(tmp_path: Path) -> None:
    text = "user,item,rating,timestamp\nu,x,3,1500000010\nu,y,4,1500000010123\nv,x,3,1500000020\n"
    ratings = read_ratings(write(tmp_path, text))
    assert ratings.timestamp.tolist() == [1500000010, 1500000010, 1500000020]
    assert "timestamps are in milliseconds and seconds" in str(ratings.report)


def test_dates_without_dashes(tmp_path: Path) -> None:
    text = "user,item,rating,date\na,x,4,20050906\na,y,5,20041019\nb,x,2,20051231\n"
    description = read_ratings(write(tmp_path, text)).describe()
    assert "2004-10-19 to 2005-12-31" in str(description)
    seconds = read_ratings(write(tmp_path, text.replace("20051231", "20051331")))
    assert seconds.timestamp.tolist()[0] == 20050906


def test_fractions_of_seconds_are_cut_by_every_reader(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    text = "user,item,rating,timestamp\na,x,4,1577836800.5\na,y,5,1577836800.9\nb,x,5,-1.5\n"
    path = write(tmp_path, text)
    frame = pandas.read_csv(path)
    frame.to_parquet(tmp_path / "r.parquet")
    for source in (path, frame, tmp_path / "r.parquet"):
        assert read_ratings(source).timestamp.tolist() == [1577836800, 1577836800, -2]


# lists, sums, events

ROWS = [(1, 10, 4.0), (1, 11, 5.0), (2, 10, 3.0), (2, 11, 1.0), (3, 10, 2.0)]


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("width", [2, 3])
def test_a_list_of_tuples_is_one_of_rows(n: int, width: int) -> None:
    ratings = read_ratings([row[:width] for row in ROWS[:n]])
    expected = [(str(u), str(i), r if width == 3 else 1.0) for u, i, r in ROWS[:n]]
    assert triples(ratings) == expected


def test_a_list_of_lists_that_could_be_either_is_refused() -> None:
    with pytest.raises(BadRatings, match="could be rows or columns"):
        read_ratings([[1, 10, 4], [1, 11, 5], [2, 10, 3]])
    assert len(read_ratings([[1, 2, 3, 4, 5], [1, 1, 1, 1, 1], [3, 3, 3, 3, 3]])) == 5
    with pytest.raises(BadRatings, match="all of one length, not of 2, 3"):
        read_ratings([(1, 2), (1, 2, 3)])


REPEATED = "user,item,rating\na,x,2\na,x,3\na,x,0.5\nb,x,1\n"


@pytest.mark.parametrize("how, expected", [("sum", [5.5, 1.0]), ("count", [3.0, 1.0])])
@pytest.mark.parametrize("form", ["csv", "frame", "packed", "arrays"])
def test_sums_and_counts(how: str, expected: list[float], form: str, tmp_path: Path) -> None:
    path = write(tmp_path, REPEATED)
    if form == "packed":
        ratings = matinee.pack(path, tmp_path / "packed", duplicates=how).in_memory()
    elif form == "frame":
        pandas = pytest.importorskip("pandas")
        ratings = read_ratings(pandas.read_csv(path), duplicates=how)
    elif form == "arrays":
        columns = zip(*list(csv.reader(io.StringIO(REPEATED)))[1:], strict=True)
        ratings = read_ratings(tuple(map(list, columns)), duplicates=how)
    else:
        ratings = read_ratings(path, duplicates=how)
    assert ratings.rating.tolist() == expected
    assert tuple(ratings.scale) == (min(expected), max(expected))


def test_a_scale_cannot_be_given_with_a_sum(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="scale is of single ratings"):
        read_ratings(write(tmp_path, REPEATED), duplicates="sum", scale=(1, 5))


EVENTS = "visitorid,itemid,event\na,x,view\na,x,cart\nb,y,view\nb,z,purchase\n"
WEIGHTS = {"view": 1, "cart": 3, "purchase": 5}


@pytest.mark.parametrize("form", ["csv", "parquet", "frame"])
def test_events_have_weights(form: str, tmp_path: Path) -> None:
    source: object = write(tmp_path, EVENTS)
    if form != "csv":
        source = pytest.importorskip("pandas").read_csv(source)
    if form == "parquet":
        source.to_parquet(tmp_path / "r.parquet")  # type: ignore[attr-defined]
        source = tmp_path / "r.parquet"
    ratings = read_ratings(source, events=WEIGHTS, duplicates="sum")
    assert triples(ratings) == [("a", "x", 4.0), ("b", "y", 1.0), ("b", "z", 5.0)]


# warnings


def test_rows_lost_are_a_warning_with_counts(tmp_path: Path) -> None:
    path = write(tmp_path, "user,item,rating\na,x,3\na,x,4\nb,y\nb,z,5\n")
    with pytest.warns(DataWarning) as caught:
        read_ratings(path)
    (warning,) = caught
    assert str(warning.message) == (
        "r.csv: 2 of 4 rows kept, 1 row set aside and 1 merged into others (1 with a missing field)"
    )
    assert warning.filename == __file__


# sparse matrices of many rows


def test_ids_of_a_large_matrix_are_its_row_numbers() -> None:
    n = 300_000
    cells = scipy.sparse.csr_array((np.ones(3), ([1, n - 1, 5], [0, 1, 2])), shape=(n, 12))
    ratings = read_ratings(cells)
    assert ratings.n_users == n
    assert triples(ratings) == [("1", "0", 1.0), ("5", "2", 1.0), (str(n - 1), "1", 1.0)]
    assert ratings.users.row("10") == 10
    assert ratings.items == matinee.IdMap.of(range(12), "item")


# advice, followed

ADVICE = {
    "thousands": THOUSANDS,
    "events": EVENTS,
    "many columns": "a,x,3,7,8,9\nb,y,4,7,8,9\n",
    "latin-1": "user,item,rating\na,x,3\nZoë,y,4\n".encode("latin-1"),
    "UTF-16": "user,item,rating\na,x,3\nb,y,4\n".encode("utf-16-le"),
    "names alike": "user,item,rating,rating\na,x,1,3\nb,y,2,4\n",
    "two names": "user_id,userId,item,rating\na,b,x,3\nc,d,y,4\n",
    "row names": "user,item,rating\n1,a,x,3\n2,b,y,4\n",
    "a matrix": "who,x,y\na,1,2\nb,3,4\n",
    "no rating": "user,item,session\na,x,7\nb,y,8\n",
}


@pytest.mark.parametrize("case", ADVICE)
def test_the_advice_of_a_message_works(case: str, tmp_path: Path) -> None:
    path = write(tmp_path, ADVICE[case])
    options = {"wide": "empty"} if case == "a matrix" else {}
    with pytest.raises(BadRatings) as caught:
        read_ratings(path, **options)
    remedies = [one for one in caught.value.remedies if not isinstance(one, Advice)]
    tried = 0
    for remedy in remedies:
        assert isinstance(remedy, Option)
        if isinstance(remedy.value, dict) and "..." in remedy.value.values():
            continue  # the columns are for the reader to choose
        if remedy.name == "wide":
            continue  # offered beside the columns, for another kind of file
        assert len(read_ratings(path, **options, **{remedy.name: remedy.value})) > 0
        tried += 1
    assert tried


# any file, against a slow reader

TEXT = st.text(st.sampled_from("abXYZ019é\"' .-_"), min_size=1, max_size=8).filter(
    lambda text: text.strip() == text and text.casefold() not in ("a", "x")
)
RATING = st.integers(1, 50).map(lambda tenths: tenths / 10)
DELIMITERS = {",": ",", ";": ";", "tab": "\t", "|": "|"}


@settings(max_examples=80, derandomize=True)
@given(
    rows=st.dictionaries(st.tuples(TEXT, TEXT), RATING, min_size=1, max_size=12),
    delimiter=st.sampled_from(list(DELIMITERS)),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"]),
    order=st.permutations(["user_id", "item_id", "rating", "note"]),
    decimal=st.sampled_from([".", ","]),
    end=st.sampled_from(["\n", "\r\n"]),
    comment=st.booleans(),
)
def test_any_dialect_reads_as_a_slow_reader_does(
    rows, delimiter, encoding, order, decimal, end, comment, tmp_path_factory
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=DELIMITERS[delimiter], lineterminator=end)
    writer.writerow(order)
    for (user, item), rating in rows.items():
        written = {"user_id": user, "item_id": item, "note": "n"}
        written["rating"] = str(rating).replace(".", decimal)
        writer.writerow([written[name] for name in order])
    content = ("# made for a test" + end) * comment + text.getvalue()
    path = write(tmp_path_factory.mktemp("fuzz"), content.encode(encoding))
    told = None if encoding.startswith("utf") else encoding
    ratings = read_ratings(path, encoding=told)
    found = {(u, i): r for u, i, r in triples(ratings)}
    assert found.keys() == rows.keys()
    assert all(found[pair] == pytest.approx(rating) for pair, rating in rows.items())
    assert ratings.report.n_set_aside == 0


# what a fit, a history, and a measurement refuse

BELOW_ZERO = [(f"u{n % 9}", f"i{n % 13}", float(n % 21 - 10)) for n in range(117)]


@pytest.mark.parametrize("settings_", [{"n_steps": 0}, {}, {"reg": 1000.0}])
@pytest.mark.parametrize("by_rating, weight", [(1.0, "negative"), (0.2, "negative"), (0.1, "zero")])
def test_weights_that_are_not_positive_are_refused(
    by_rating: float, weight: str, settings_: dict
) -> None:
    ratings = read_ratings(BELOW_ZERO)
    message = rf"by_rating={by_rating:g} makes the weight of a rating of -10 {weight}.*below 0\.1"
    with pytest.raises(BadSetting, match=message) as caught:
        matinee.ImplicitALS(n_factors=4, by_rating=by_rating, **settings_).fit(ratings)
    (remedy,) = caught.value.remedies
    for value in (remedy.value, 0.05):
        model = matinee.ImplicitALS(n_factors=4, by_rating=value, **settings_).fit(ratings)
        assert np.isfinite(model.user_factors).all()


STARS = [(f"u{n % 12}", f"i{n % 17}", float(n % 5 + 1)) for n in range(150)]


@pytest.mark.parametrize(
    "algorithm",
    [
        matinee.ImplicitALS(n_factors=4, by_rating=1.0),
        matinee.EASE(),
        matinee.Popularity(),
        matinee.BPR(n_factors=4, n_epochs=2),
        matinee.MF(n_factors=4),
    ],
    ids=lambda one: one.name,
)
@pytest.mark.parametrize("rating", [-50, -2, 0.5, 5.5])
def test_a_history_lies_on_the_scale_of_every_model(algorithm: Any, rating: float) -> None:
    model = algorithm.fit(read_ratings(STARS))
    refusal = rf"the rating of item 'i1' is {rating:g}, outside 1\.\.5"
    with pytest.raises(BadRatings, match=refusal):
        model.fold_in({"i1": rating, "i2": 3})
    with pytest.raises(BadRatings, match=refusal):
        model.what_if("u0", "i3", change={"i1": rating})
    assert np.isfinite(model.recommend(model.fold_in({"i1": 1, "i2": 5}), n=3).score).all()


COUNTS = [(f"u{n % 30}", f"i{n % 41}", float(1 + 7 * (n % 11))) for n in range(1200)]
COUNTS[0] = ("u0", "i0", 352698.0)


@pytest.mark.filterwarnings("ignore:.*outside all others")  # as so even counts seem to show
@pytest.mark.parametrize("data", [COUNTS, [row[:2] for row in COUNTS]])
def test_all_held_out_items_are_relevant_to_counts_and_choices(data: list) -> None:
    split = random(read_ratings(data), seed=1)
    result = fit_and_evaluate(matinee.ImplicitALS(n_factors=4), split)
    assert result.relevant_from == 1
    assert result.users_skipped == 0
    compared = matinee.compare(["implicit-als"], split)
    assert compared.relevant_from == 1


def test_the_remedies_of_nothing_relevant_work() -> None:
    split = random(read_ratings(STARS), seed=1)
    for algorithm in (matinee.ImplicitALS(n_factors=4), matinee.MF(n_factors=4)):
        with pytest.raises(BadRatings, match="no test rating is 99 or more") as caught:
            fit_and_evaluate(algorithm, split, relevant_from=99)
        relevant_from, *others = caught.value.remedies
        assert isinstance(relevant_from, Option)
        value = float(relevant_from.value)  # type: ignore[arg-type]
        found = fit_and_evaluate(algorithm, split, relevant_from=value)
        assert found.users_measured > 0
        assert bool(others) == (algorithm.kind == "rating")


# integer ids

PAIR = {"user_id": [7, 7, 3], "item_id": [20, 100, 20], "rating": [4.0, 2.0, 5.0]}


def integer_source(form: str, folder: Path) -> Any:
    """The ratings of ``PAIR``, with ids in integers."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(PAIR).astype({"user_id": "int32"})
    if form == "polars":
        return pytest.importorskip("polars").from_pandas(frame)
    if form == "tuple":
        return tuple(PAIR.values())
    if form == "matrix":
        cells = scipy.sparse.csr_array(([4.0, 2.0, 5.0], ([1, 1, 0], [0, 1, 0])))
        return cells, np.array([3, 7]), np.array([20, 100])
    if form == "parquet":
        frame.to_parquet(folder / "r.parquet")
        return folder / "r.parquet"
    if form == "packed":
        matinee.pack(frame, folder / "packed")
        return folder / "packed"
    if form == "gaps":
        return frame.astype({"user_id": "float64"})
    return frame


@pytest.mark.parametrize(
    "form", ["frame", "polars", "tuple", "matrix", "parquet", "packed", "gaps"]
)
def test_integer_ids_come_back_as_they_were(form: str, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    ratings = read_ratings(integer_source(form, tmp_path))
    frame = ratings.to_pandas()
    assert frame["user_id"].tolist() == [3, 7, 7]
    assert frame["item_id"].tolist() == [20, 20, 100]
    assert frame["rating"].tolist() == [5.0, 4.0, 2.0]
    narrow = form in ("frame", "polars", "parquet", "packed")
    assert frame["user_id"].dtype == ("int32" if narrow else "int64")
    assert frame["item_id"].dtype == "int64"
    model = matinee.load(matinee.Bias().fit(ratings).save(tmp_path / "model"))
    for table in (
        model.predict([7, 3], [100, 20]),
        model.recommend([3, 7], n=1, exclude_seen=False),
        model.recommend(3),
    ):
        result = table.to_pandas()
        assert result["item_id"].dtype == "int64"
        assert table.to_dicts()[0]["item_id"] in ("20", "100"), "ids are text but in frames"
        merged = result.merge(pandas.DataFrame(PAIR), on="item_id")
        assert len(merged) >= len(result)
        if "user_id" in table.columns:
            assert result["user_id"].dtype == frame["user_id"].dtype
            assert str(table.to_polars()["item_id"].dtype) == "Int64"


def test_ids_that_are_text_stay_text(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    ratings = read_ratings(write(tmp_path, "user,item,rating\n7,007,3\n"))
    assert ratings.to_pandas()["item_id"].tolist() == ["007"]
    model = matinee.Bias().fit(read_ratings(tuple(PAIR.values())))
    mixed = model.predict([7, "somebody"], [20, 20]).to_pandas()
    assert mixed["user_id"].tolist() == ["7", "somebody"], "not all of them are numbers"
    assert mixed["item_id"].dtype == "int64"


# JSON arrays, and matrices in files

RECORDS = [{"user_id": u, "item_id": i, "rating": r} for u, i, r in PLAIN]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize(
    "text",
    [
        json.dumps(RECORDS),
        json.dumps(RECORDS, indent=2),
        "[\n" + ",\n".join(map(json.dumps, RECORDS)) + "\n]\n",
        json.dumps([list(row) for row in PLAIN]),
        json.dumps([[*row, 1500000000] for row in PLAIN]),
    ],
)
def test_a_json_array(text: str, mark: str, tmp_path: Path) -> None:
    path = write(tmp_path, mark + text, "r.json")
    assert triples(read_ratings(path)) == PLAIN
    assert triples(matinee.pack(path, tmp_path / "packed").in_memory()) == PLAIN
    assert triples(read_ratings(zipped(tmp_path, {"r.json": text}))) == PLAIN


def test_an_element_of_a_json_array_that_is_wrong(tmp_path: Path) -> None:
    rows = [
        *RECORDS,
        {"user_id": "c", "rating": 4},
        {"user_id": "c", "item_id": "x", "rating": "?"},
    ]
    with pytest.warns(DataWarning):
        report = read_ratings(write(tmp_path, json.dumps(rows, indent=1), "r.json")).report
    assert report is not None
    reasons = {one.reason: one.first[0].place for one in report.set_aside}
    assert reasons == {
        "with a missing field": "element 3",
        "whose rating is not a number": "element 4",
    }


@pytest.mark.parametrize(
    "text, words",
    [
        ("[]", "empty"),
        ('[{"user": 1', "cannot be read"),
        ("[[1, 2, 3, 4, 5]]", "array of rows of 5"),
        ('{"ratings": [{"user": 1}]}', "one JSON object; give an object a line or an array"),
        ('{"user": {"0": "a"}, "item": {"0": "x"}, "rating": {"0": 3}}', "to_json"),
        ("3 1:1 2:1\n4 2:1 3:1\n", "libsvm.*load_svmlight_file"),
        ("%%MatrixMarket matrix array real general\n2 2\n1\n2\n3\n4\n", "Matrix Market.*mmread"),
    ],
)
def test_other_json_and_layouts_are_named(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(BadRatings, match=words):
        read_ratings(write(tmp_path, text))


CELLS = scipy.sparse.csr_array(([3.0, 4.0, 5.0], ([0, 1, 20], [0, 1, 1])), shape=(21, 3))
TABLE = np.array([[7, 20, 3.0], [8, 20, 4.0]])
DENSE = np.array([[99, 3.0, 99, 1, 99, 99], [0, 99, 99, 99, 99, 99]])


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "bsr"])
def test_a_sparse_matrix_of_scipy_in_a_file(form: str, tmp_path: Path) -> None:
    scipy.sparse.save_npz(tmp_path / "m.npz", CELLS.asformat(form))
    ratings = read_ratings(tmp_path / "m.npz")
    assert triples(ratings) == [("0", "0", 3.0), ("1", "1", 4.0), ("20", "1", 5.0)]
    assert ratings.n_users == 21
    assert ratings.csr().shape == CELLS.shape


def test_arrays_in_a_file_are_columns(tmp_path: Path) -> None:
    np.savez_compressed(
        tmp_path / "a.npz", rating=TABLE[:, 2], item=np.array([20, 20]), user=np.array(["7", "8"])
    )
    np.save(tmp_path / "a.npy", TABLE)
    for name in ("a.npz", "a.npy"):
        assert triples(read_ratings(tmp_path / name)) == [("7", "20", 3.0), ("8", "20", 4.0)]
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(BadRatings, match="no arrays of numbers"):
        read_ratings(tmp_path / "objects.npy")


def test_a_dense_array_is_a_matrix_where_it_is_said_to_be(tmp_path: Path) -> None:
    np.save(tmp_path / "d.npy", DENSE)
    with pytest.raises(BadRatings, match=r"6 columns.*wide=.99"):
        read_ratings(tmp_path / "d.npy")
    ratings = read_ratings(tmp_path / "d.npy", wide=99)
    assert triples(ratings) == [("0", "1", 3.0), ("0", "3", 1.0), ("1", "0", 0.0)]
    with pytest.raises(BadSetting, match="neither a number nor empty"):
        read_ratings(tmp_path / "d.npy", wide="none")


def test_matlab_files(tmp_path: Path) -> None:
    from scipy.io import savemat

    savemat(tmp_path / "one.mat", {"R": CELLS, "names": "x"})
    ratings = read_ratings(tmp_path / "one.mat")
    assert triples(ratings) == [("0", "0", 3.0), ("1", "1", 4.0), ("20", "1", 5.0)]
    assert "numbered from 0" in str(ratings.report)
    savemat(tmp_path / "two.mat", {"R": CELLS, "rating": TABLE})
    with pytest.raises(BadRatings, match=r"2 matrices.*table=.R. or table=.rating"):
        read_ratings(tmp_path / "two.mat")
    assert len(read_ratings(tmp_path / "two.mat", table="rating")) == 2
    newer = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM" + b"\x89HDF" * 9
    with pytest.raises(BadRatings, match="HDF5 file; save it with -v7"):
        read_ratings(write(tmp_path, newer, "new.mat"))


def test_a_matrix_market_file(tmp_path: Path) -> None:
    from scipy.io import mmwrite

    mmwrite(tmp_path / "m.mtx", CELLS, comment="of 21 people")
    assert triples(read_ratings(tmp_path / "m.mtx")) == [
        ("1", "1", 3.0),
        ("2", "2", 4.0),
        ("21", "2", 5.0),
    ]


@settings(max_examples=60, derandomize=True)
@given(
    place=st.floats(0, 1), value=st.integers(0, 255), form=st.sampled_from(["npz", "npy", "mat"])
)
def test_damaged_matrices_are_read_or_refused(place, value, form, tmp_path_factory) -> None:
    from scipy.io import savemat

    path = tmp_path_factory.mktemp("matrix") / f"m.{form}"
    if form == "npz":
        scipy.sparse.save_npz(path, CELLS, compressed=False)
    elif form == "npy":
        np.save(path, TABLE)
    else:
        savemat(path, {"R": scipy.sparse.csc_array(CELLS)})
    content = bytearray(path.read_bytes())
    content[min(int(place * len(content)), len(content) - 1)] = value
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            said = repr(read_ratings(path))
        except BadRatings as error:
            said = str(error)
    assert said
    assert "\n" not in said


def test_parquet_in_a_zip(tmp_path: Path) -> None:
    frame = pytest.importorskip("pandas").DataFrame(PLAIN, columns=["user", "item", "rating"])
    frame.to_parquet(tmp_path / "r.parquet")
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.write(tmp_path / "r.parquet", "r.parquet")
        archive.writestr("items.csv", "item,title\nx,X\n")
    assert triples(read_ratings(tmp_path / "set.zip")) == PLAIN
    assert triples(read_ratings(tmp_path)) == PLAIN


@pytest.mark.parametrize(
    "header",
    [
        "CustomerID,StockCode,Quantity",
        "steamid,appid,playtime_forever",
        "user_id,gmap_id,rating",
        "User-ID,ISBN,Book-Rating",
        "reviewerID,asin,overall",
    ],
)
def test_names_of_public_data_sets(header: str, tmp_path: Path) -> None:
    assert triples(read_ratings(write(tmp_path, header + "\na,x,3\nb,y,4\n"))) == PLAIN


# ratings that are no positives


LOW = "user,item,rating\na,x,5\na,y,3\na,y,4\nb,x,2\nb,y,\nc,x,4\n"


def check_low(report: dict) -> None:
    counts = {one["reason"]: one["count"] for one in report["set_aside"]}
    assert counts == {"with a missing field": 1, "with a rating below 4, which is no positive": 1}
    assert (report["rows"], report["kept"], report["merged"]) == (6, 3, 1)


def test_packing_counts_ratings_below_the_threshold_as_set_aside(tmp_path: Path) -> None:
    packed = matinee.pack(write(tmp_path, LOW), tmp_path / "packed", positives_from=4)
    check_low(dict(packed.report))


def test_ratings_below_the_threshold_are_counted_as_set_aside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    how = [str(write(tmp_path, LOW)), "--positives-from", "4", "--json"]
    assert run(["inspect", *how]) == 0
    found = json.loads(capsys.readouterr().out)
    report, facts = found["report"], found["description"]
    check_low(report)
    assert report["kept"] == facts["ratings"]
    model = str(tmp_path / "model")
    assert run(["fit", *how, "-a", "popularity", "--out", model]) == 0
    out, err = capsys.readouterr()
    fitted = json.loads(out)
    assert [fitted[one] for one in ("users", "items", "ratings", "set_aside")] == [2, 2, 3, 2]
    assert (facts["users"], facts["items"]) == (2, 2)
    assert "1 with a rating below 4, which is no positive" in " ".join(err.split())


# ratings that are no plain numbers


@pytest.mark.parametrize(
    "values, advice",
    [
        (["20%", "95 %"], "write plain numbers, such as 20 instead of 20%"),
        (["3/5", "4/5"], "write plain numbers, such as 3 instead of 3/5"),
        (["★★★", "★★☆"], "write plain numbers, such as 3 instead of three stars"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_ratings_with_a_sign_are_named_and_no_other_column_is_asked_for(
    packed: bool, values: list[str], advice: str, tmp_path: Path
) -> None:
    rows = "".join(f"a,x{n},{value}\n" for n, value in enumerate(values))
    path = write(tmp_path, "user,item,rating\n" + rows)
    with pytest.raises(BadRatings, match="whose rating is not a number") as caught:
        matinee.pack(path, tmp_path / "packed") if packed else read_ratings(path)
    assert str(caught.value).endswith(f"; {advice}")
    assert not caught.value.remedies


def test_a_dislike_is_not_advised_as_a_choice(tmp_path: Path) -> None:
    path = write(tmp_path, "user,item,rating\na,x,like\na,y,dislike\nb,x,dislike\n")
    with pytest.raises(BadRatings, match="leave out who disliked what") as caught:
        read_ratings(path)
    _, both, liked = (one.value for one in caught.value.remedies if isinstance(one, Option))
    assert (both, liked) == ({"like": 1, "dislike": -1}, {"like": 1})
    assert sorted(read_ratings(path, events=both).rating) == [-1, -1, 1]
    with pytest.warns(DataWarning, match="2 rows set aside"):
        assert triples(read_ratings(path, events=liked)) == [("a", "x", 1.0)]


# times


@pytest.mark.parametrize(
    "name", ["purchased_at", "purchasedAt", "watched at", "date", "ts", "Datum", "InvoiceDate"]
)
@pytest.mark.parametrize("duplicates", ["last", "count"])
def test_user_item_and_time_are_choices_with_times(
    name: str, duplicates: str, tmp_path: Path
) -> None:
    path = write(tmp_path, f"customer_id,product_id,{name}\n1,2,2024-03-20T18:30:00Z\n1,3,\n")
    ratings = read_ratings(path, duplicates=duplicates)
    assert triples(ratings) == [("1", "2", 1.0), ("1", "3", 1.0)]
    assert ratings.timestamp.tolist() == [1710959400, 0]


@pytest.mark.parametrize("kind", ["text", "frame", "parquet"])
def test_dates_are_times_by_their_content_or_a_note_says_that_they_are_not(
    kind: str, tmp_path: Path
) -> None:
    import pandas as pd

    def read(**columns: list) -> matinee.Ratings:
        frame = pd.DataFrame({"user": ["a", "a"], "item": ["x", "y"], **columns})
        if kind == "frame":
            return read_ratings(frame)
        path = tmp_path / "table"
        frame.to_csv(path, index=False) if kind == "text" else frame.to_parquet(path)
        return read_ratings(path)

    days = pd.to_datetime(["2024-03-20", "2024-03-21"])
    assert read(seen=days).timestamp.tolist() == [1710892800, 1710979200]
    rated = read(rating=[3, 4], released=days)
    assert rated.timestamp is None
    note = "no times: 'released' holds dates; where these say when, name the column timestamp"
    assert note in str(rated.report)


def test_dates_in_a_file_without_a_header_are_named_by_their_column(tmp_path: Path) -> None:
    path = write(tmp_path, "1,7,1,1,5,2000-07-12\n1,8,1,2,4,2000-07-13\n")
    rated = read_ratings(path, columns={"user_id": 0, "item_id": 1, "rating": 4})
    assert triples(rated) == [("1", "7", 5.0), ("1", "8", 4.0)]
    assert "no times: column 5 holds dates" in str(rated.report)


GERMAN = "Nutzer;Artikel;Bewertung;Datum\na;x;3,5;20.03.2024\na;y;4;1.4.2024 08:00\n"


def test_german_headers_numbers_and_dates(tmp_path: Path) -> None:
    ratings = read_ratings(write(tmp_path, GERMAN))
    assert triples(ratings) == [("a", "x", 3.5), ("a", "y", 4.0)]
    assert ratings.timestamp.tolist() == [1710892800, 1711958400]
    rows = [line.split(";") for line in GERMAN.replace("3,5", "3.5").splitlines()[1:]]
    columns = tuple(map(list, zip(*rows, strict=True)))
    assert read_ratings(columns).timestamp.tolist() == ratings.timestamp.tolist()


@pytest.mark.parametrize(
    "header", ["utilisateur,livre,note", "usuario,película,puntuación", "Kunden-ID,Artikel,Sterne"]
)
def test_headers_in_other_languages(header: str, tmp_path: Path) -> None:
    assert triples(read_ratings(write(tmp_path, f"{header}\na,x,3\nb,y,4\n"))) == PLAIN


@pytest.mark.parametrize("packed", [False, True])
def test_an_ambiguous_date_is_shown_with_the_forms_that_are_read(
    packed: bool, tmp_path: Path
) -> None:
    path = write(tmp_path, "user,item,rating,date\na,x,3,03/04/2024\na,y,4,2024-03-20\n")
    report = str(
        matinee.pack(path, tmp_path / "packed").report["text"]
        if packed
        else read_ratings(path).report
    )
    words = " ".join(report.split())
    assert "1 whose timestamp cannot be read (line 2: '03/04/2024'); read are seconds" in words
    assert "20.03.2024, while 03/04/2024 could be in March or April" in words


# records


def test_a_list_of_mappings_is_read_as_records() -> None:
    rows = [{"user": "a", "item": "x", "rating": 3}, {"user": "b", "rating": 4.0, "item": "y"}]
    assert triples(read_ratings(rows)) == PLAIN
    columns = {"user_id": "who", "item_id": "7", "timestamp": "on", "sample_weight": "w"}
    day = datetime(2024, 3, 20, tzinfo=UTC)
    own = [{"who": "a", "7": "x", "rating": 3, "on": day, "w": 2}, {"who": "b", "7": "y"}]
    with pytest.warns(DataWarning, match="1 with a missing field"):
        ratings = read_ratings(own, columns=columns)
    assert triples(ratings) == PLAIN[:1]
    assert ratings.timestamp.tolist() == [day.timestamp()]
    assert ratings.sample_weight.tolist() == [2]


def test_records_of_user_item_and_time_are_choices() -> None:
    day = datetime(2024, 3, 20, tzinfo=UTC)
    ratings = read_ratings([{"user": 1, "item": 2, "seen": day}])
    assert triples(ratings) == [("1", "2", 1.0)]
    assert ratings.timestamp.tolist() == [day.timestamp()]


def test_records_without_a_needed_name_are_a_question() -> None:
    with pytest.raises(BadRatings, match="which is item_id"):
        read_ratings([{"user": "a", "thing": "x", "rating": 3}])
