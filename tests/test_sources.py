"""Reading ratings and catalogues: every form understood, every bad row told."""

import codecs
import gzip
import json
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings

import matinee
from matinee.data.ratings import Ratings
from matinee.data.scale import Scale
from matinee.errors import BadRatings, BadSetting
from matinee.sources import SOURCES, read_catalog, read_ratings
from matinee.sources.exports import read_export
from matinee.sources.files import name_of
from matinee.sources.titles import split_other_titles, split_title
from small_files import triples, write

SMALL = [("1", "a", 5.0, 100), ("1", "b", 3.0, 200), ("2", "a", 1.5, 300)]
HEADER = "user_id,item_id,rating,timestamp\n"


def same(one: Ratings, other: Ratings) -> bool:
    return one.fingerprint == other.fingerprint and one.scale == other.scale


# delimiters, headers, quotes


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "::", "|", " ", ", "])
@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_delimiter(tmp_path: Path, delimiter: str, header: bool, end: str) -> None:
    rows = [("userId", "movieId", "rating", "timestamp")] * header + SMALL
    text = end.join(delimiter.join(map(str, row)) for row in rows) + end
    ratings = read_ratings(write(tmp_path, text))
    assert triples(ratings) == [row[:3] for row in SMALL]
    assert ratings.timestamp is not None
    assert ratings.timestamp.tolist() == [100, 200, 300]
    report = ratings.report
    assert report is not None
    assert report.details["header"] == ("yes" if header else "no")
    said = {"\t": "tab", " ": "space"}.get(delimiter, repr(delimiter))
    assert f"delimiter {said}" in str(report)


def test_without_timestamps_and_without_last_line_end(tmp_path: Path) -> None:
    ratings = read_ratings(write(tmp_path, "u,i,5\nu,j,4"))
    assert triples(ratings) == [("u", "i", 5.0), ("u", "j", 4.0)]
    assert ratings.timestamp is None


def test_quoted_fields_hold_delimiters_and_quotes(tmp_path: Path) -> None:
    text = '"user","item","rating"\n"a, b","say ""hi""","4.5"\nc,"","3"\nd,"x",2\n'
    ratings = read_ratings(write(tmp_path, text))
    assert triples(ratings) == [("a, b", 'say "hi"', 4.5), ("d", "x", 2.0)]
    assert '1 with a missing field (line 3: \'c,"","3"\')' in str(ratings.report)


def test_semicolons_with_decimal_commas(tmp_path: Path) -> None:
    ratings = read_ratings(write(tmp_path, "user;item;rating\n1;2;3,5\n1;3;4\n2;2;0,5\n"))
    assert triples(ratings) == [("1", "2", 3.5), ("1", "3", 4.0), ("2", "2", 0.5)]
    assert "decimals comma" in str(ratings.report)


def test_a_table_aligned_by_spaces(tmp_path: Path) -> None:
    ratings = read_ratings(write(tmp_path, "  1    10  5\n  1     2  4\n 20    10  3\n"))
    assert triples(ratings) == [("1", "2", 4.0), ("1", "10", 5.0), ("20", "10", 3.0)]


def test_mixed_line_ends(tmp_path: Path) -> None:
    ratings = read_ratings(write(tmp_path, "1,2,3\r\n1,3,4\n\r\n1,4,x\r\n"))
    assert len(ratings) == 2
    assert "line 4: 'x'" in str(ratings.report)


# encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path, (HEADER + "Zoë,é,4,1\nb,c,5,2\n").encode(encoding))
    said = None if encoding.startswith("utf") else encoding
    ratings = read_ratings(path, encoding=said)
    assert triples(ratings) == [("Zoë", "é", 4.0), ("b", "c", 5.0)]


def test_a_bom_without_header(tmp_path: Path) -> None:
    ratings = read_ratings(write(tmp_path, codecs.BOM_UTF8 + b"1,2,3\n2,2,4\n"))
    assert triples(ratings) == [("1", "2", 3.0), ("2", "2", 4.0)]


@pytest.mark.parametrize("lines_before", [0, 100_000])
def test_wrong_encoding_is_named_with_the_remedy(tmp_path: Path, lines_before: int) -> None:
    text = HEADER.encode() + b"1,2,3,4\n" * lines_before + b"Zo\xeb,2,3,4\n"
    with pytest.raises(BadRatings, match=r'r\.csv.* is not UTF-8.*encoding="latin-1"'):
        read_ratings(write(tmp_path, text))


def test_gzip(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress((HEADER + "1,2,3,4\n").encode()), "r.csv.gz")
    assert triples(read_ratings(path)) == [("1", "2", 3.0)]


def test_a_name_with_wildcards(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    import polars as pl

    assert len(read_ratings(write(tmp_path, HEADER + "1,2,3,4\n", "a[1]*?'.csv"))) == 1
    path = tmp_path / "a[1]*?'.parquet"
    path.write_bytes(frame_bytes(pl.DataFrame({"user": [1], "item": [2], "rating": [3.0]})))
    assert len(read_ratings(path)) == 1


def frame_bytes(frame: object) -> bytes:
    import io

    buffer = io.BytesIO()
    frame.write_parquet(buffer)  # type: ignore[attr-defined]
    return buffer.getvalue()


# the dirty matrix: what three fast readers each got wrong in silence

GOOD = "g,h,3,1\ng,k,4,1\n"
DIRTY = {
    "short row": ("1,2\n", "with a missing field", "line 4: '1,2'"),
    "long row": ("1,2,3,4,5\n", "with too many fields", "line 4: '1,2,3,4,5'"),
    "NaN": ("1,2,NaN,4\n", "whose rating is NaN or infinite", "line 4: 'NaN'"),
    "inf": ("1,2,-inf,4\n", "whose rating is NaN or infinite", "line 4: '-inf'"),
    "1e309": ("1,2,1e309,4\n", "whose rating is NaN or infinite", "line 4: '1e309'"),
    "five": ("1,2,five,4\n", "whose rating is not a number", "line 4: 'five'"),
    "empty rating": ("1,2,,4\n", "with a missing field", "line 4: '1,2,,4'"),
    "empty user": (",2,3,4\n", "with a missing field", "line 4: ',2,3,4'"),
    "empty item": ("1,,3,4\n", "with a missing field", "line 4: '1,,3,4'"),
    "unclosed quote": ('1,"Toy,3,4\n', "with broken quotes", "line 4: '1,\"Toy,3,4'"),
    "quote in the middle": ('1,"T"oy,3,4\n', "with broken quotes", "line 4: '1,\"T\"oy,3,4'"),
}


@pytest.mark.parametrize("case", DIRTY)
def test_a_dirty_row_is_set_aside_and_told(tmp_path: Path, case: str) -> None:
    row, reason, told = DIRTY[case]
    ratings = read_ratings(write(tmp_path, HEADER + GOOD + row + "1,9,5,1\n"))
    assert triples(ratings) == [("1", "9", 5.0), ("g", "h", 3.0), ("g", "k", 4.0)]
    assert f"1 {reason}" in str(ratings.report)
    assert told in str(ratings.report)


@pytest.mark.parametrize("case", DIRTY)
def test_strict_raises_for_the_first_dirty_row(tmp_path: Path, case: str) -> None:
    row, reason, _ = DIRTY[case]
    path = write(tmp_path, HEADER + GOOD + row + "1,2\n")
    with pytest.raises(BadRatings, match=r"r\.csv, line 4: .*" + reason):
        read_ratings(path, strict=True)


@pytest.mark.parametrize(("more", "words"), [("", "the only row"), ("4,5\n", "one of 2 rows")])
def test_strict_says_how_many_rows_are_like_the_first(
    tmp_path: Path, more: str, words: str
) -> None:
    path = write(tmp_path, HEADER + GOOD + "1,2,a\n" + more)
    with pytest.raises(BadRatings, match=f"{words} with a missing field"):
        read_ratings(path, strict=True)


@pytest.mark.parametrize("case", ["blank lines", "trailing delimiter", "NUL in an id"])
def test_what_is_harmless(tmp_path: Path, case: str) -> None:
    row = {"blank lines": "\n\r\n  \n", "trailing delimiter": "1,2,3,4,\n"}.get(
        case, "a\0b,2,3,4\n"
    )
    report = read_ratings(write(tmp_path, HEADER + GOOD + row), strict=True).report
    assert report is not None
    assert report.n_rows == 2 + (case != "blank lines")


def test_ids_are_kept_exactly(tmp_path: Path) -> None:
    huge = "99999999999999999999999"
    ids = ["007", "7", "+7", "7.0", " 7", huge, huge[:-1] + "8", "é", "e\u0301", "😀", "ש", "0x1f"]
    text = HEADER + "".join(f"{user},i,3,1\n" for user in ids)
    assert sorted(read_ratings(write(tmp_path, text)).users) == sorted(ids)


def test_rows_are_accounted_for(tmp_path: Path) -> None:
    text = HEADER + "1,2,3,4\n1,2,4,5\n1,2\n1,3,x,1\n1,4,9,1\n\n"
    report = read_ratings(write(tmp_path, text), scale=(1, 5)).report
    assert report is not None
    assert (report.n_rows, report.n_kept, report.n_merged, report.n_set_aside) == (5, 1, 1, 3)
    told = json.loads(json.dumps(report.to_dict()))
    assert told["set_aside"][1] == {
        "reason": "whose rating is not a number",
        "count": 1,
        "first": [{"place": "line 5", "value": "'x'"}],
    }


def test_users_of_rows_set_aside_are_not_kept(tmp_path: Path) -> None:
    ratings = read_ratings(write(tmp_path, HEADER + "1,2,3,4\n9,8,99,4\n"), scale=(1, 5))
    assert (list(ratings.users), list(ratings.items)) == (["1"], ["2"])


def test_first_cases_only(tmp_path: Path) -> None:
    report = read_ratings(write(tmp_path, HEADER + "1,2,3,4\n" + "1,2\n" * 1000)).report
    assert report is not None
    assert report.set_aside[0].count == 1000
    assert len(report.set_aside[0].first) == 3


def test_a_line_without_end(tmp_path: Path) -> None:
    text = HEADER + "1,2,3,4\n" + "x" * 3_000_000 + "\n1,3,3,4\n"
    with pytest.raises(BadRatings, match=r"line 3 is longer than 1,048,576 bytes"):
        read_ratings(write(tmp_path, text))


# scale


def test_the_scale_is_inferred_and_said(tmp_path: Path) -> None:
    ratings = read_ratings(write(tmp_path, "a,b,1\na,c,10\n"))
    assert ratings.scale == Scale(1, 10)
    assert "scale 1..10 (inferred)" in str(ratings.report)


def test_a_given_scale_sets_rows_aside(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b,1\na,c,5\na,d,0\na,e,5.001\na,f,-1\n")
    ratings = read_ratings(path, scale=(1, 5))
    assert len(ratings) == 2
    assert "3 with a rating outside the scale 1..5 (line 3: '0'; line 4: '5.001'" in str(
        ratings.report
    )
    with pytest.raises(BadRatings, match=r"line 3: '0'.*outside the scale 1\.\.5"):
        read_ratings(path, scale=(1, 5), strict=True)


@pytest.mark.parametrize("scale", [(5, 1), (1, 1), (1, float("nan")), (0, float("inf"))])
def test_impossible_scales(tmp_path: Path, scale: tuple[float, float]) -> None:
    with pytest.raises(BadSetting, match="scale goes from low to high"):
        read_ratings(write(tmp_path, "a,b,1\n"), scale=scale)


# duplicates

REPEATED = HEADER + "u,i,1,300\nu,i,2,100\nu,i,4,200\nv,i,5,1\n"


@pytest.mark.parametrize("how, expected", [("last", 1.0), ("mean", pytest.approx(7 / 3))])
def test_duplicates(tmp_path: Path, how: str, expected: float) -> None:
    ratings = read_ratings(write(tmp_path, REPEATED), duplicates=how)
    assert triples(ratings) == [("u", "i", expected), ("v", "i", 5.0)]
    assert ratings.timestamp is not None
    assert ratings.timestamp.tolist() == [300, 1]
    assert "2 rows merged into another of the same user and item" in str(ratings.report)


def test_last_is_by_order_without_times_and_on_ties(tmp_path: Path) -> None:
    assert triples(read_ratings(write(tmp_path, "u,i,1\nu,i,2\n"))) == [("u", "i", 2.0)]
    tied = write(tmp_path, HEADER + "u,i,1,5\nu,i,2,5\nu,i,3,0\nu,i,4,\n")
    assert triples(read_ratings(tied)) == [("u", "i", 2.0)]  # unknown times come first


def test_duplicates_as_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadRatings, match=r"user 'u' rated item 'i' 3 times \(line 2 and line 3"):
        read_ratings(write(tmp_path, REPEATED), duplicates="error")
    with pytest.raises(BadSetting, match="last, mean, sum, count, error"):
        read_ratings(write(tmp_path, REPEATED), duplicates="first")


# timestamps


@pytest.mark.parametrize(
    "written, said",
    [
        ("1427968800", None),
        ("1427968800.7", None),
        ("1427968800123", "milliseconds"),
        ("1427968800123456", "microseconds"),
        ("2015-04-02T10:00:00Z", None),
        ("2015-04-02 10:00:00", None),
        ("2015-04-02T12:00:00.5+02:00", None),
    ],
)
def test_timestamps(tmp_path: Path, written: str, said: str | None) -> None:
    ratings = read_ratings(write(tmp_path, HEADER + f"1,2,3,{written}\n1,3,4,\n"))
    assert ratings.timestamp is not None
    assert ratings.timestamp[0] - 1427968800 in (0, 1)
    assert ratings.timestamp[1] == 0
    assert "1 row kept without a known time" in str(ratings.report)
    assert said is None or said in str(ratings.report)


def test_unreadable_and_absent_timestamps(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + "1,2,3,4\n1,3,3,soon\n")
    ratings = read_ratings(path)
    assert ratings.timestamp is not None
    assert ratings.timestamp.tolist() == [4, 0]
    assert "1 whose timestamp cannot be read (line 3: 'soon')" in str(ratings.report)
    with pytest.raises(BadRatings, match="line 3"):
        read_ratings(path, strict=True)
    none = read_ratings(write(tmp_path, HEADER + "1,2,3,0\n1,3,3,\n"))
    assert none.timestamp is None
    assert "not one is known" in str(none.report)


# columns


@pytest.mark.parametrize(
    "header",
    ["userId,movieId,rating", "User ID,Item ID,Stars", "UID,IID,SCORE", "user,item,rating"],
)
def test_usual_names_in_any_order(tmp_path: Path, header: str) -> None:
    user, item, rating = header.split(",")
    text = f"genre,{rating},{item},{user}\nDrama,3,i,u\nComedy,4,j,u\n"
    assert triples(read_ratings(write(tmp_path, text))) == [("u", "i", 3.0), ("u", "j", 4.0)]


def test_given_columns(tmp_path: Path) -> None:
    path = write(tmp_path, "wer,was,wie,item_id\nu,i,3,1\n")
    ratings = read_ratings(path, columns={"user": "wer", "item_id": "was", "rating": "wie"})
    assert triples(ratings) == [("u", "i", 3.0)]
    bare = write(tmp_path, "3,i,u\n4,j,u\n", "bare.csv")
    ratings = read_ratings(bare, columns={"rating": 0, "item_id": 1, "user_id": 2})
    assert triples(ratings) == [("u", "i", 3.0), ("u", "j", 4.0)]


def test_columns_go_by_the_numbers_that_the_report_says(tmp_path: Path) -> None:
    path = write(tmp_path, "1,10,4,100\n2,20,5,200\n")
    ratings = read_ratings(path)
    told = {
        field: int(said.removeprefix("column ")) for field, said in ratings.report.columns.items()
    }
    assert told == {"user_id": 0, "item_id": 1, "rating": 2, "timestamp": 3}
    assert read_ratings(path, columns=told).report.columns == ratings.report.columns
    with pytest.raises(BadRatings, match="no header, so columns go by number, from 0 to 3"):
        read_ratings(path, columns={"rating": 4})


def test_columns_that_cannot_be_found(tmp_path: Path) -> None:
    unknown = write(tmp_path, "wer,was,wie\nu,i,3\n")
    with pytest.raises(BadRatings, match=r"'wer', 'was', 'wie'.*which is user_id.*columns="):
        read_ratings(unknown)
    with pytest.raises(
        BadRatings, match="no column 'wen' for user_id; it has 'wer', 'was', 'wie'; did you mean"
    ):
        read_ratings(unknown, columns={"user_id": "wen"})
    with pytest.raises(BadSetting, match="'usr' is not one of"):
        read_ratings(unknown, columns={"usr": "wer"})
    doubt = write(tmp_path, "user_id,userId,item,rating\n1,2,3,4\n")
    with pytest.raises(BadRatings, match=r"user_id could be 'user_id' or 'userId'.*columns="):
        read_ratings(doubt)


# files that are not what they seem

NOT_RATINGS = {
    "empty": (b"", "is empty"),
    "blank": (b"\n\n\n", "is empty"),
    "header only": (HEADER.encode(), "not one row"),
    "binary": (bytes(range(256)) * 64, "is a binary file"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "is a picture"),
    "database": (b"SQLite format 3\x00" + bytes(100), "an SQLite database"),
    "truncated gzip": (gzip.compress(random.Random(0).randbytes(9000))[:4000], "cut short"),
    "broken gzip": (b"\x1f\x8bnonsense", "damaged or cut short"),
    "broken zip": (b"PK\x03\x04nonsense", "damaged zip"),
    "broken Parquet": (b"PAR1" + bytes(100), "cannot be read"),
    "prose": (b"It was a dark night.\nNo ratings.\n", "no header and 5 columns"),
    "one column": (b"rating\n5\n4\n", "does not look like ratings"),
    "nothing good": (b"1,2,x\n1,3,y\n1,4,nan\n", r"no usable ratings in thing\.csv: 2 whose"),
}


@pytest.mark.parametrize("case", NOT_RATINGS)
def test_files_that_are_no_ratings(tmp_path: Path, case: str) -> None:
    content, said = NOT_RATINGS[case]
    with pytest.raises(BadRatings, match=said) as caught:
        read_ratings(write(tmp_path, content, "thing.csv"))
    assert "thing.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_truncated_gzip_of_good_rows(tmp_path: Path) -> None:
    rows = "".join(f"{n},{n * 7 % 1000},{n % 5 + 1}\n" for n in range(200_000))
    packed = gzip.compress(rows.encode())
    with pytest.raises(BadRatings, match="cut short"):
        read_ratings(write(tmp_path, packed[: len(packed) // 2], "r.csv.gz"))


@pytest.mark.parametrize(("path", "called"), [(".", "here"), ("..", "above")])
def test_a_folder_has_a_name_in_messages(tmp_path: Path, monkeypatch, path, called) -> None:
    here = tmp_path / "above" / "here"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    with pytest.raises(BadRatings, match=f"^{called} is no MovieLens data set"):
        read_ratings(path)
    with pytest.raises(BadRatings, match=f"^{called} is a folder; name the file"):
        read_export(path)
    assert name_of(Path("/")) == "/"


def test_an_empty_path_is_not_this_folder() -> None:
    with pytest.raises(BadRatings, match="the path is empty"):
        read_ratings("")


def test_missing_files_and_foreign_things(tmp_path: Path) -> None:
    write(tmp_path, "1,2,3\n", "ratings.csv")
    with pytest.raises(BadRatings, match=r"no file or folder .*did you mean 'ratings\.csv'"):
        read_ratings(tmp_path / "rating.csv")
    with pytest.raises(BadRatings, match="no file or folder"):
        read_ratings("https://example.org/ratings.csv")
    (tmp_path / "folder").mkdir()
    with pytest.raises(BadRatings, match="folder is no MovieLens data set"):
        read_ratings(tmp_path / "folder")
    with pytest.raises(BadRatings, match="cannot be read from int"):
        read_ratings(7)


@settings(max_examples=40)
@given(content=st.binary(max_size=300))
def test_any_bytes_are_ratings_or_a_sentence(content: bytes, tmp_path_factory) -> None:
    path = write(tmp_path_factory.mktemp("any"), content)
    try:
        said = repr(read_ratings(path))
    except BadRatings as error:
        said = str(error)
    assert said
    assert "\n" not in said


# zips


def zipped(folder: Path, members: dict[str, str], name: str = "set.zip") -> Path:
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, text in members.items():
            archive.writestr(member, text)
    return folder / name


def test_a_zip_with_one_file(tmp_path: Path) -> None:
    path = zipped(tmp_path, {"deep/inside/votes.csv": HEADER + "1,2,3,4\n"})
    assert triples(read_ratings(path)) == [("1", "2", 3.0)]


@pytest.mark.parametrize(
    "member", ["../ratings.csv", "/etc/ratings.csv", "a/../../ratings.csv", "C:\\ratings.csv"]
)
def test_unsafe_zips(tmp_path: Path, member: str) -> None:
    with pytest.raises(BadRatings, match="not safe to read: it holds the path"):
        read_ratings(zipped(tmp_path, {member: HEADER + "1,2,3,4\n"}))


def test_a_zip_bomb(tmp_path: Path) -> None:
    with pytest.raises(BadRatings, match=r"not safe to read: .* unpacks from"):
        read_ratings(zipped(tmp_path, {"r.csv": "0" * (60 << 20)}))


def test_a_zip_without_ratings_says_what_it_holds(tmp_path: Path) -> None:
    with pytest.raises(BadRatings, match=r"no MovieLens data set.*a\.txt, b\.txt"):
        read_ratings(zipped(tmp_path, {"a.txt": "a", "b.txt": "b"}))


def test_a_truncated_zip(tmp_path: Path, ml_100k: Path) -> None:
    path = write(tmp_path, ml_100k.read_bytes()[:100_000], "ml-100k.zip")
    with pytest.raises(BadRatings, match=r"ml-100k\.zip is a damaged zip"):
        read_ratings(path)


def test_a_zip_with_a_flipped_byte(tmp_path: Path, ml_100k: Path) -> None:
    content = bytearray(ml_100k.read_bytes())
    with zipfile.ZipFile(ml_100k) as archive:
        at = archive.getinfo("ml-100k/u.data").header_offset + 1000
    content[at] ^= 0xFF
    with pytest.raises(BadRatings, match="damaged"):
        read_ratings(write(tmp_path, bytes(content), "ml-100k.zip"))


# frames and arrays

COLUMNS = {
    "user_id": [row[0] for row in SMALL],
    "item_id": [row[1] for row in SMALL],
    "rating": [row[2] for row in SMALL],
    "timestamp": [row[3] for row in SMALL],
}


def frame(library: str, columns: dict[str, list]) -> object:
    module = pytest.importorskip(library)
    return (module.table if library == "pyarrow" else module.DataFrame)(columns)


def csv_of_small(tmp_path: Path) -> Ratings:
    return read_ratings(
        write(tmp_path, HEADER + "".join(f"{u},{i},{r},{t}\n" for u, i, r, t in SMALL))
    )


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_frames(tmp_path: Path, library: str) -> None:
    ratings = read_ratings(frame(library, COLUMNS))
    assert same(ratings, csv_of_small(tmp_path))
    assert library in str(ratings.report).lower()


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_gaps_in_frames_are_rows_set_aside(library: str) -> None:
    columns = {"user": [1, 1, 2], "item": ["a", None, "b"], "rating": [3.0, 4.0, None]}
    ratings = read_ratings(frame(library, columns))
    assert triples(ratings) == [("1", "a", 3.0)]
    assert "2 with a missing field (row 2" in str(ratings.report)
    with pytest.raises(BadRatings, match="row 2"):
        read_ratings(frame(library, columns), strict=True)


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_ints_with_gaps_and_dates(library: str) -> None:
    from datetime import UTC, date, datetime

    when = [datetime(2015, 4, 2, 10), None, datetime(2015, 4, 3)]
    columns = {"user": [7, 8, None], "item": [1, 2, 3], "rating": [3, 4, 5], "date": when}
    ratings = read_ratings(frame(library, columns))
    assert triples(ratings) == [("7", "1", 3.0), ("8", "2", 4.0)]
    assert ratings.timestamp is not None
    assert ratings.timestamp.tolist() == [datetime(2015, 4, 2, 10, tzinfo=UTC).timestamp(), 0]
    days = {**columns, "date": [date(1970, 1, 2), date(1970, 1, 3), date(1970, 1, 3)]}
    assert read_ratings(frame(library, days)).timestamp.tolist() == [86400, 172800]  # type: ignore[union-attr]


def test_float_ids_are_whole_and_said_or_refused() -> None:
    pandas = pytest.importorskip("pandas")
    columns = {"user": [7.0, float("nan")], "item": [1, 2], "rating": [3.0, 3.0]}
    ratings = read_ratings(pandas.DataFrame(columns))
    assert list(ratings.users) == ["7"]
    assert "user is a column of floats" in str(ratings.report)
    for odd in (7.5, 2.0**60, float("inf")):
        with pytest.raises(BadRatings, match="cannot be an id"):
            read_ratings(pandas.DataFrame({**columns, "user": [7.0, odd]}))


@pytest.mark.parametrize("ids", [[True, False], [1.5, "a"], [b"a", b"b"], [(1,), (2,)]])
def test_things_that_are_no_ids(ids: list) -> None:
    with pytest.raises(BadRatings, match=r"text or a? ?whole number|cannot be an id"):
        read_ratings((ids, ["a", "b"], [1, 2]))


def test_arrays(tmp_path: Path) -> None:
    lists = tuple(COLUMNS.values())
    assert same(read_ratings(lists), csv_of_small(tmp_path))
    assert same(read_ratings(tuple(map(np.array, lists))), csv_of_small(tmp_path))
    assert triples(read_ratings(([1, 10, 2], np.array([1, 1, 1]), [3, 4, 5]))) == [
        ("1", "1", 3.0),
        ("2", "1", 5.0),
        ("10", "1", 4.0),
    ]


def test_arrays_with_flaws() -> None:
    values = ["3", 4, float("nan"), None, "x", "1e400", 1e300, True]
    ratings = read_ratings((range(8), range(8), values))
    assert triples(ratings) == [("0", "0", 3.0), ("1", "1", 4.0)]
    assert ratings.report is not None
    assert {one.reason: one.count for one in ratings.report.set_aside} == {
        "whose rating is NaN or infinite": 3,
        "with a missing field": 1,
        "whose rating is not a number": 2,
    }
    with pytest.raises(BadRatings, match="different lengths"):
        read_ratings(([1], [1, 2], [3, 4]))


def test_sparse_matrices() -> None:
    cells = scipy.sparse.csr_array(([5.0, 3.0, 0.0, 4.0], ([0, 0, 1, 2], [0, 3, 1, 0])), (4, 4))
    ratings = read_ratings(cells)
    assert triples(ratings) == [("0", "0", 5.0), ("0", "3", 3.0), ("2", "0", 4.0)]
    assert ratings.csr().shape == (4, 4)
    assert "1 stored as zero" in str(ratings.report)
    assert len(read_ratings(cells, scale=(0, 5))) == 4
    named = read_ratings((scipy.sparse.coo_matrix(cells), ["z", "y", "x", "w"], [10, 9, 8, 7]))
    assert triples(named) == [("x", "10", 4.0), ("z", "7", 3.0), ("z", "10", 5.0)]
    with pytest.raises(BadRatings, match="4 users but 2 user ids"):
        read_ratings((cells, ["a", "b"], [1, 2, 3, 4]))
    with pytest.raises(BadRatings, match="must all be there and differ"):
        read_ratings((cells, ["a", "a", "b", "c"], [1, 2, 3, 4]))


def test_repeated_cells_of_a_sparse_matrix_are_duplicates() -> None:
    cells = scipy.sparse.coo_array(([1.0, 4.0], ([0, 0], [0, 0])), (1, 1))
    assert triples(read_ratings(cells)) == [("0", "0", 4.0)]


@pytest.mark.parametrize("user", [["1", "1", "2"], [1, 1, 2], [1.0, 1.0, 2.0]])
def test_parquet(tmp_path: Path, user: list) -> None:
    polars = pytest.importorskip("polars")
    polars.DataFrame({**COLUMNS, "user_id": user}).write_parquet(tmp_path / "r.parquet")
    ratings = read_ratings(tmp_path / "r.parquet")
    assert same(ratings, csv_of_small(tmp_path))
    assert ("column of floats" in str(ratings.report)) == isinstance(user[0], float)


def test_dirty_parquet(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    columns = {
        "user": ["a", None, "b", "c"],
        "item": [1] * 4,
        "stars": [3.0, 3.0, None, float("nan")],
    }
    polars.DataFrame(columns).write_parquet(tmp_path / "r.parquet")
    ratings = read_ratings(tmp_path / "r.parquet")
    assert triples(ratings) == [("a", "1", 3.0)]
    assert "2 with a missing field (row 2: rating 3.0; row 3: rating None)" in str(ratings.report)
    assert "1 whose rating is NaN or infinite (row 4" in str(ratings.report)
    content = (tmp_path / "r.parquet").read_bytes()
    with pytest.raises(BadRatings, match=r"cut\.parquet cannot be read"):
        read_ratings(write(tmp_path, content[:-20], "cut.parquet"))


# laws

IDS = st.text(st.characters(exclude_characters="\r\n", exclude_categories=("Cs",)), min_size=1)


@settings(max_examples=60)
@given(
    rows=st.dictionaries(
        st.tuples(IDS, IDS), st.tuples(st.integers(1, 10), st.integers(1, 10**9)), min_size=1
    ),
    seed=st.integers(0, 99),
)
def test_ids_round_trip_and_order_never_matters(rows: dict, seed: int) -> None:
    records = [(user, item, value, time) for (user, item), (value, time) in rows.items()]
    one = read_ratings(tuple(zip(*records, strict=True)))
    random.Random(seed).shuffle(records)
    other = read_ratings(tuple(zip(*records, strict=True)))
    assert same(one, other)
    assert {(u, i): r for u, i, r in triples(one)} == {k: v[0] for k, v in rows.items()}


@settings(max_examples=30)
@given(
    rows=st.lists(
        st.tuples(
            st.integers(0, 30).map(str) | st.sampled_from(["é", "007", "a b", " x", "😀", '"q"']),
            st.integers(0, 30).map(str),
            st.integers(1, 5),
            st.integers(1, 10**9),
        ),
        min_size=1,
        unique_by=(lambda row: row[3],),
    ),
    seed=st.integers(0, 99),
)
def test_order_of_lines_never_matters(rows: list, seed: int, tmp_path_factory) -> None:
    import csv

    def read(records: list) -> Ratings:
        path = tmp_path_factory.mktemp("law") / "r.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([HEADER.strip().split(","), *records])
        return read_ratings(path)

    shuffled = random.Random(seed).sample(rows, len(rows))
    one = read(rows)
    assert same(one, read(shuffled))
    latest = {(row[0], row[1]): float(row[2]) for row in sorted(rows, key=lambda row: row[3])}
    assert {(u, i): r for u, i, r in triples(one)} == latest


def test_the_mean_does_not_depend_on_order() -> None:
    values = [0.1, 0.7, 1e-3, 3.3, 2.2, 0.3]
    means = {
        read_ratings((["u"] * 6, ["i"] * 6, order), duplicates="mean", scale=(0, 5)).fingerprint
        for order in (values, values[::-1], sorted(values))
    }
    assert len(means) == 1


def test_natural_order(tmp_path: Path) -> None:
    numbers = read_ratings(write(tmp_path, "10,a,1\n9,b,2\n007,c,3\n7,c,3\n"))
    assert list(numbers.users) == ["007", "7", "9", "10"]
    texts = read_ratings(write(tmp_path, "10,a,1\n9,b,2\nx,c,3\n"))
    assert list(texts.users) == ["10", "9", "x"]


# catalogues


@pytest.mark.parametrize(
    "written, expected",
    [
        ("Heat (1995)", ("Heat", 1995)),
        ("Matrix, The (1999)", ("The Matrix", 1999)),
        ("Atalante, L' (1934)", ("L'Atalante", 1934)),
        ("Postino, Il (The Postman) (1994)", ("Il Postino (The Postman)", 1994)),
        (
            "City of Lost Children, The (Cité des enfants perdus, La) (1995)",
            ("The City of Lost Children (Cité des enfants perdus, La)", 1995),
        ),
        ("Cosmos (1980–1981)", ("Cosmos", 1980)),
        ("Babylon 5", ("Babylon 5", None)),
        ("Land Before Time III (1995) (V)", ("Land Before Time III (V)", 1995)),
        ("2001: A Space Odyssey (1968)", ("2001: A Space Odyssey", 1968)),
        ("Cook, the Thief, His Wife (1989)", ("Cook, the Thief, His Wife", 1989)),
        ("1984", ("1984", None)),
    ],
)
def test_titles(written: str, expected: tuple[str, int | None]) -> None:
    assert split_title(written) == expected


@pytest.mark.parametrize(
    "title, expected",
    [
        ("Heat", ("Heat", ())),
        ("Amelie (Fabuleux destin, Le)", ("Amelie", ("Le Fabuleux destin",))),
        ("Hidden (a.k.a. Cache) (Caché)", ("Hidden", ("Cache", "Caché"))),
        ("Legend (aka Hero, The) (Hero, The)", ("Legend", ("The Hero",))),
        ("Vidocq  (Vidocq)", ("Vidocq", ())),
        ("Birdman: Or (The Unexpected Virtue)", ("Birdman: Or (The Unexpected Virtue)", ())),
        ("(500) Days of Summer", ("(500) Days of Summer", ())),
        ("You Can (Not) Redo", ("You Can (Not) Redo", ())),
        ("Frontière(s)", ("Frontière(s)", ())),
        ("(Untitled)", ("(Untitled)", ())),
    ],
)
def test_other_titles(title: str, expected: tuple[str, tuple[str, ...]]) -> None:
    assert split_other_titles(title) == expected


def test_a_catalogue_from_a_table(tmp_path: Path) -> None:
    text = (
        "id;title;year;genres;director\n"
        "007;Goldfinger;1964;Action|Crime;Guy Hamilton\n"
        "8;Heat (1995);;;\n"
    )
    catalog = read_catalog(write(tmp_path, text, "films.csv"))
    film = catalog["007"]
    assert (film.title, film.year, film.genres) == ("Goldfinger", 1964, ("Action", "Crime"))
    assert dict(film.features) == {"director": ("Guy Hamilton",)}
    assert catalog.label("8") == "Heat (1995)"
    ratings = read_ratings((["u"], ["007"], [5]), catalog=tmp_path / "films.csv")
    assert ratings.catalog.label("007") == "Goldfinger (1964)"


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_a_catalogue_from_frames_and_mappings(library: str) -> None:
    columns = {"movieId": [1, 2], "title": ["Heat (1995)", "M"], "genres": ["Crime, Drama", None]}
    catalog = read_catalog(frame(library, columns))
    assert catalog["1"].genres == ("Crime", "Drama")
    assert catalog["2"].genres == ()
    assert read_catalog({1: "Heat (1995)"})["1"].year == 1995
    with pytest.raises(BadRatings, match="the entry of item 7 is dict; give a title, or an Item"):
        read_catalog({7: {"title": "Heat"}})


def test_no_catalogue(tmp_path: Path) -> None:
    with pytest.raises(BadRatings, match="a catalogue needs an item id and a title"):
        read_catalog(write(tmp_path, "a,b\n1,2\n"))
    with pytest.raises(BadRatings, match="no file or folder"):
        read_catalog(tmp_path / "none.csv")


# the real data sets, against their published figures


def test_ml_100k(ratings_100k: Ratings) -> None:
    assert (len(ratings_100k), ratings_100k.n_users, ratings_100k.n_items) == (100_000, 943, 1682)
    assert ratings_100k.rating.mean(dtype=float) == pytest.approx(3.52986, abs=5e-6)
    assert ratings_100k.scale == (1, 5)
    assert len(ratings_100k.catalog) == 1682
    film = ratings_100k.catalog["1"]
    assert (film.label, film.genres) == (
        "Toy Story (1995)",
        ("Animation", "Children's", "Comedy"),
    )
    assert ratings_100k.catalog["543"].label == "Les Misérables (1995)"
    assert ratings_100k.history("196")["242"] == 3


def test_ml_1m(ratings_1m: Ratings) -> None:
    assert (len(ratings_1m), ratings_1m.n_users, ratings_1m.n_items) == (1_000_209, 6040, 3706)
    assert ratings_1m.rating.mean(dtype=float) == pytest.approx(3.58156, abs=5e-6)
    assert np.bincount(ratings_1m.rating.astype(int)).tolist() == [
        0,
        56174,
        107557,
        261197,
        348971,
        226310,
    ]
    assert len(ratings_1m.catalog) == 3883
    assert ratings_1m.catalog.label("2571") == "The Matrix (1999)"
    assert ratings_1m.report is not None
    assert ratings_1m.report.n_without_time == 1_000_209 - 280_236


def test_ml_latest_small(ratings_latest_small: Ratings) -> None:
    ratings = ratings_latest_small
    assert (len(ratings), ratings.n_users, ratings.n_items) == (100_836, 610, 9724)
    assert ratings.rating.mean(dtype=float) == pytest.approx(3.5016, abs=5e-5)
    assert ratings.scale == (0.5, 5)
    assert len(ratings.catalog) == 9742
    assert "funny" in ratings.catalog["60756"].features["tags"]
    amelie = ratings.catalog["4973"]
    assert amelie.label == "Amelie (2001)"
    assert amelie.other_titles == ("Le Fabuleux destin d'Amélie Poulain",)
    assert "also    Le Fabuleux destin d'Amélie Poulain" in str(amelie)
    assert ratings.report is not None
    assert ratings.report.n_set_aside == ratings.report.n_merged == 0


def test_the_same_from_folder_zip_and_file(folder_100k: Path, ratings_100k: Ratings) -> None:
    assert same(read_ratings(folder_100k), ratings_100k)
    assert same(read_ratings(folder_100k / "u.data"), ratings_100k)


def test_given_splits_of_ml_100k(folder_100k: Path) -> None:
    train = read_ratings(folder_100k / "u1.base")
    test = read_ratings(str(folder_100k / "u1.test"))
    assert (len(train), len(test)) == (80_000, 20_000)
    assert train.scale == test.scale == (1, 5)
    assert train.catalog.label("1") == test.catalog.label("1") == "Toy Story (1995)"
    assert read_catalog(folder_100k).label("1") == "Toy Story (1995)"
    assert len(read_catalog(folder_100k / "u.item")) == 1682


def test_other_movielens_layouts(tmp_path: Path) -> None:
    ten = {
        "ml-10M100K/ratings.dat": "1::122::5::838985046\n1::185::4.5::838983525\n1::1::0::1\n",
        "ml-10M100K/movies.dat": "122::Boomerang (1992)::Comedy|Romance\n",
        "ml-10M100K/tags.dat": "15::122::Funny!::1215184630\n16::122::funny!::1\n",
    }
    ratings = read_ratings(zipped(tmp_path, ten))
    assert ratings.report is not None
    assert (ratings.report.format, ratings.scale, len(ratings)) == ("MovieLens 10M", (0.5, 5), 2)
    assert ratings.catalog["122"].features["tags"] == ("funny!",)


def test_files_named_like_movielens_but_other(tmp_path: Path) -> None:
    write(tmp_path, "movieId,title,genres\n2,Heat (1995),Crime\n", "movies.csv")
    ours = write(tmp_path, "user,item,stars\n1,2,9\n1,3,10\n", "ratings.csv")
    assert read_ratings(ours).scale == (9, 10)
    theirs = write(tmp_path, "userId,movieId,rating,timestamp\n1,2,4.0,5\n", "ratings.csv")
    ratings = read_ratings(theirs)
    assert (ratings.scale, ratings.catalog.label("2")) == ((0.5, 5), "Heat (1995)")


# lightness


def test_importing_is_light() -> None:
    heavy = ["duckdb", "pandas", "polars", "pyarrow", "scipy", "narwhals", "sklearn", "numba"]
    code = f"import sys, matinee.sources; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_memory_stays_near_the_arrays(ml_1m: Path) -> None:
    resource = pytest.importorskip("resource")
    assert resource
    code = """if True:
        import resource, sys, matinee
        def peak():
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = peak()
        matinee.read_ratings(sys.argv[1])
        print(peak() - start)
    """
    run = [sys.executable, "-c", code, str(ml_1m)]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    used = int(done.stdout) * (1 if sys.platform == "darwin" else 1024)
    assert used < 3 * 1_000_209 * (4 + 4 + 4 + 8) + 100 * 2**20


def test_temporary_files_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    read_ratings(zipped(tmp_path, {"r.csv": HEADER + "1,2,3,4\n"}))
    with pytest.raises(BadRatings):
        read_ratings(zipped(tmp_path, {"r.csv": "a,b,c\n"}))
    assert list((tmp_path / "temporary").iterdir()) == []


def test_sources_are_named() -> None:
    assert list(SOURCES)[-1] == "delimited"
    assert matinee.read_ratings is read_ratings
