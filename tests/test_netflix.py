"""The Netflix Prize data in both of their forms: a film above those who rated it."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

import matinee
from matinee.errors import BadRatings, BadSetting, DataWarning
from matinee.sources import read_ratings
from small_files import triples

FILMS = {
    2: "2:\n7,3,2005-09-06\n1488844,5,2005-01-01\n",
    3: "3:\n7,4,2004-05-06\n",
    17770: "17770:\n6,1,1999-12-31\n",
}
RATED = [("6", "17770", 1.0), ("7", "2", 3.0), ("7", "3", 4.0), ("1488844", "2", 5.0)]
TITLES = "2,2004,Isle of Man TT 2004 Review\n3,NULL,Fr\xe8res, Les\n"


def combined(folder: Path) -> Path:
    """Two files of films one below the other, as they were passed on since."""
    folder.mkdir(exist_ok=True)
    (folder / "combined_data_1.txt").write_text(FILMS[2] + FILMS[3])
    (folder / "combined_data_2.txt").write_text(FILMS[17770])
    return folder


def by_film(folder: Path) -> Path:
    """A file for each film in a folder of its own, as they were given out."""
    (folder / "training_set").mkdir(parents=True)
    for number, text in FILMS.items():
        (folder / "training_set" / f"mv_{number:07}.txt").write_text(text)
    return folder


def zipped(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "archive.zip", "w") as archive:
        for part in combined(folder / "plain").iterdir():
            archive.write(part, part.name)
    return folder / "archive.zip"


@pytest.mark.parametrize("form", [combined, by_film, zipped])
@pytest.mark.parametrize("packed", [False, True])
def test_every_form_is_read_alike(form, packed: bool, tmp_path: Path) -> None:
    place = form(tmp_path / "netflix") if form is not zipped else zipped(tmp_path)
    if packed:
        ratings = matinee.pack(place, tmp_path / "packed").in_memory()
    else:
        ratings = read_ratings(place)
        day = ratings.timestamp[ratings.user == ratings.users.row("6")]
        assert day.astype("M8[s]") == np.array(["1999-12-31"], "M8[s]")
        assert ratings.report.format == "Netflix Prize"
        assert (ratings.report.n_rows, ratings.report.n_kept) == (4, 4)
    assert triples(ratings) == RATED
    assert ratings.scale == (1, 5)


def test_one_file_is_read_with_titles_from_beside_it(tmp_path: Path) -> None:
    place = combined(tmp_path)
    (place / "movie_titles.csv").write_text(TITLES, encoding="latin-1")
    ratings = read_ratings(place / "combined_data_1.txt")
    assert triples(ratings) == RATED[1:]
    assert ratings.catalog.label("2") == "Isle of Man TT 2004 Review (2004)"
    assert ratings.catalog.label("3") == "Fr\xe8res, Les"


def test_a_file_under_another_name_and_with_line_ends_of_windows(tmp_path: Path) -> None:
    (tmp_path / "part.dat").write_bytes((FILMS[2] + FILMS[3]).replace("\n", "\r\n").encode())
    assert triples(read_ratings(tmp_path / "part.dat")) == RATED[1:]


@pytest.mark.parametrize(
    "line, reason",
    [
        ("7,6,2005-09-06", "with a rating outside the scale 1..5"),
        ("7,good,2005-09-06", "whose rating is not a number"),
        ("7", "with a missing field"),
        ("7,3,2005-09-06,1", "with too many fields"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(line: str, reason: str, tmp_path: Path) -> None:
    place = combined(tmp_path)
    (place / "combined_data_2.txt").write_text(f"{FILMS[17770]}{line}\n")
    with pytest.warns(DataWarning, match=f"1 {reason}"):
        report = read_ratings(place).report
    assert f"{reason} (line 3 of combined_data_2.txt: '{line}')" in " ".join(str(report).split())
    with pytest.raises(BadRatings, match=r"line 3 of combined_data_2\.txt"):
        read_ratings(place, strict=True)


def test_columns_do_not_apply(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="have no names"):
        read_ratings(combined(tmp_path), columns={"user_id": 0})
