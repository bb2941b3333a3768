"""A few ratings outside all others widen the scale, but not in silence."""

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from matinee.cli import run
from matinee.data.packed import PackedRatings
from matinee.data.scale import Scale
from matinee.errors import MatineeWarning
from matinee.sources import read_ratings
from matinee.sources.packing.pack import pack
from matinee.sources.strays import doubt_of, usual_scale

STRAY_ROW = 17
CELLS = [(row % 10, row // 10, 50 if row == STRAY_ROW else 1 + row % 5) for row in range(120)]


def file_of(folder: Path) -> Path:
    """The ratings as text, whose first line is a header."""
    lines = "".join(f"u{user},i{item},{rating}\n" for user, item, rating in CELLS)
    (folder / "ratings.csv").write_text("user_id,item_id,rating\n" + lines)
    return folder / "ratings.csv"


def read_packed(folder: Path, **how: object) -> PackedRatings:
    """The ratings, packed and opened."""
    pack(file_of(folder), folder / "packed", **how)
    return PackedRatings.open(folder / "packed")


def read_frame(folder: Path, **how: object) -> object:
    import pandas as pd

    return read_ratings(pd.DataFrame(CELLS, columns=["user_id", "item_id", "rating"]), **how)


def read_sparse(folder: Path, **how: object) -> object:
    user, item, rating = np.array(CELLS).T
    return read_ratings(csr_array((rating, (user, item))), **how)


READERS = {
    "text": lambda folder, **how: read_ratings(file_of(folder), **how),
    "packed": read_packed,
    "frame": read_frame,
    "columns": lambda folder, **how: read_ratings(tuple(zip(*CELLS, strict=True)), **how),
    "sparse matrix": read_sparse,
}
PLACES = {"text": "line 19", "packed": "line 19", "frame": "row 18", "columns": "row 18"}
PLACES["sparse matrix"] = "cell 86"  # of those stored


@pytest.mark.parametrize("kind", READERS)
def test_a_stray_is_kept_and_warned_of_by_row_value_and_remedy(kind: str, tmp_path: Path) -> None:
    with pytest.warns(MatineeWarning, match="1 rating outside all others") as caught:
        ratings = READERS[kind](tmp_path)
    assert ratings.scale == (1, 50)
    words = str(caught[0].message)
    assert "which are 1..5" in words
    assert f"({PLACES[kind]}" in words
    assert " 50)" in words
    assert "scale=(1, 5) sets them aside" in words


@pytest.mark.parametrize("kind", READERS)
def test_the_remedy_works(kind: str, tmp_path: Path) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ratings = READERS[kind](tmp_path, scale=(1, 5))
    assert ratings.scale == (1, 5)
    assert len(ratings) == len(CELLS) - 1
    assert not any("outside all" in str(one.message) for one in caught)


def test_the_command_line_says_it_in_its_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = file_of(tmp_path)
    assert run(["inspect", str(path)]) == 0
    assert "--scale 1,5 sets them aside" in " ".join(capsys.readouterr().err.split())
    assert run(["inspect", str(path), "--scale", "1,5"]) == 0
    assert "outside all" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("ratings", "usual"),
    [
        ([1, 2, 3, 4, 5] * 20, (1, 5)),
        ([1, 2, 3, 4, 5] * 20 + [50], (1, 5)),
        ([1, 2, 3, 4, 5] * 20 + [-40, 50], (1, 5)),
        ([1, 2, 3, 4, 5] * 20 + [50, 60], (1, 60)),  # one stray in a thousand, or one
        ([1, 2, 3, 4, 5] * 800 + [50, 60], (1, 5)),
        ([1, 2, 3, 4, 5] * 20 + [6], (1, 6)),  # perhaps a rare best
        ([1, 2, 3, 4, 5] * 600 + [6], (1, 5)),
        ([1, 2, 3, 4, 5] * 600 + [0, 6], (1, 5)),
        ([1, 2, 3, 4, 5] * 600 + [0.5], (0.5, 5)),  # a half star
        ([1, 2, 3, 4, 5] * 600 + [6] * 30, (1, 6)),
        ([1, 2, 3, 4] * 600 + [5], (1, 5)),
        ([1] * 9000 + [2] * 900 + [3] * 90 + [4] * 9 + [5, 6], (1, 6)),  # small counts
        ([1, 2, 3, 4, 5] * 5 + [50], (1, 50)),  # too few to tell
        ([7] * 100 + [9], (7, 9)),
        ([2**n for n in range(1, 17) for _ in range(50)] + [10**6], (2, 10**6)),  # counts
        ([-9.5, 0, 9.5] * 30 + [99], (-9.5, 9.5)),
    ],
)
def test_strays_known_by_eye(ratings: list[float], usual: tuple[float, float]) -> None:
    values, counts = np.unique(np.array(ratings, np.float32), return_counts=True)
    assert usual_scale(values, counts) == Scale(*usual)


def test_one_six_among_thousands_is_named_by_its_line(tmp_path: Path) -> None:
    ratings = [1 + n % 5 for n in range(3015)] + [6] + [1 + n % 5 for n in range(1000)]
    lines = (f"u{n % 50},i{n // 50},{rating}\n" for n, rating in enumerate(ratings))
    (tmp_path / "ratings.csv").write_text("user,item,rating\n" + "".join(lines))
    with pytest.warns(MatineeWarning, match=r"are 1\.\.5 \(line 3,017: 6\).*scale=\(1, 5\)"):
        assert read_ratings(tmp_path / "ratings.csv").scale == (1, 6)


BOOKS = [0] * 62 + [1, 3, 5, 6, 7, 8, 8, 9, 10, 10] * 4
RETURNED = [1, 2, 1, 3, 1] * 20 + [-1, -1]


@pytest.mark.parametrize(
    "ratings, which, others, remedies",
    [
        (BOOKS, r"62 ratings of 0 \(61 % of all\)", (1, 10), {"scale=(1, 10)", "count"}),
        (RETURNED, "2 ratings below 0", (1, 3), {"scale=(1, 3)", "sum"}),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_ratings_that_mean_something_else_are_asked_about(
    packed: bool,
    ratings: list[int],
    which: str,
    others: tuple[float, float],
    remedies: set[str],
    tmp_path: Path,
) -> None:
    path = tmp_path / "ratings.csv"
    lines = "".join(f"u{n % 10},i{n // 10},{rating}\n" for n, rating in enumerate(ratings))
    path.write_text("user,item,rating\n" + lines)

    def read(**how: Any) -> Any:
        return pack(path, tmp_path / "packed", **how) if packed else read_ratings(path, **how)

    with pytest.warns(MatineeWarning, match=which) as caught:
        assert len(read()) == len(ratings)
    assert all(one in str(caught[0].message) for one in remedies)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert read(scale=others).scale == others
        read(duplicates="sum")
        read(duplicates="count")
    assert not any(re.search(which, str(one.message)) for one in caught)


@pytest.mark.parametrize(
    "ratings",
    [
        [0, 1, 2, 3, 4, 5] * 20,
        [0, 1] * 50,  # liked or not
        [-1, 1, 1, 1, 1, 1] * 20,  # disliked or liked
        [0] * 50 + [1, 1, 1, 50] * 10,  # counts
        [0] * 50 + [0.25, 0.5, 0.75] * 10,  # shares
        list(range(-10, 11)) * 5,
        [1, 2, 3, 4, 5] * 20,
    ],
)
def test_what_means_alike_is_not_asked_about(ratings: list[float]) -> None:
    assert doubt_of(*np.unique(np.array(ratings, np.float32), return_counts=True)) is None


@pytest.mark.parametrize("factor, offset", [(2.0, 0.0), (0.5, 3.0), (20.0, 10.0)])
def test_strays_do_not_depend_on_the_unit(factor: float, offset: float) -> None:
    rng = np.random.default_rng(0)
    ratings = np.append(rng.integers(1, 6, 500), 30)
    low, high = usual_scale(*np.unique(ratings, return_counts=True))
    moved = usual_scale(*np.unique(factor * ratings + offset, return_counts=True))
    assert moved == Scale(factor * low + offset, factor * high + offset)
