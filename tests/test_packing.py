"""Packed ratings are those that are read into memory, bit for bit, or are not there at all."""

import gzip
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import matinee
from matinee.cli import run
from matinee.data.packed import PackedRatings
from matinee.errors import BadRatings, BadSetting, MatineeError
from matinee.sources import read_ratings
from matinee.sources.packing import pack as packing
from matinee.sources.packing import sorting, stages
from matinee.sources.packing.pack import pack

ODD = """\
user,item,rating,time
10,b,5,1000
9,a,3.5,
9,a,4,2000
007,a,1,3000
10,b,2,999
9,,3,1
-3,a,nan,1
-3,b,4,bad
-12,b,0.5,5
-0,a,1,7

9,c,word,1
9,c,2,1,7
"9",c,2,1
"""
TEXT_IDS = "user\titem\trating\n" + "".join(
    f"user {j % 7}é\t{chr(97 + j % 11)}\t{j % 5 + 0.1 * (j % 3)}\n" for j in range(77)
)


@pytest.fixture
def source(tmp_path):
    file = tmp_path / "ratings.csv"
    file.write_text(ODD, encoding="utf-8")
    return file


def parquet(folder: Path) -> Path:
    """300 ratings of each of 40 users, some twice, in a random order."""
    import pandas as pd

    rng = np.random.default_rng(0)
    columns = {name: rng.integers(0, n, 3000) for name, n in (("user", 40), ("item", 300))}
    file = folder / "ratings.parquet"
    frame = pd.DataFrame(columns | {"rating": rng.integers(1, 11, 3000) / 2})
    frame.to_parquet(file)
    return file


def check_same(packed: PackedRatings, plain: matinee.Ratings) -> None:
    """The two hold the same, to the bit."""
    assert packed.users == plain.users
    assert packed.items == plain.items
    assert packed.scale == plain.scale
    assert packed.catalog == plain.catalog
    assert packed.mean == plain.mean
    assert np.array_equal(packed.item_counts, plain.item_counts)
    found = packed.in_memory()
    for column in ("user", "item", "rating"):
        assert np.array_equal(getattr(found, column), getattr(plain, column)), column
    for first, stop in packed.blocks(10):
        rows = packed.by_user.block(first, stop)
        for row in range(first, stop):
            for one, other in zip(rows.row(row - first), plain.by_user.row(row), strict=True):
                assert np.array_equal(one, other)
            assert np.array_equal(packed.by_user.row(row)[1], plain.by_user.row(row)[1])


@pytest.mark.parametrize("duplicates", ["last", "mean"])
@pytest.mark.parametrize("scale", [None, (1, 5)])
def test_packed_ratings_are_those_that_are_read(source, duplicates, scale, tmp_path):
    wish = {"duplicates": duplicates, "scale": scale}
    packed, plain = pack(source, tmp_path / "packed", **wish), read_ratings(source, **wish)
    check_same(packed, plain)
    told = {name: value for name, value in packed.report.items() if name != "text"}
    assert plain.report is not None
    wanted = json.loads(json.dumps(plain.report.to_dict()))
    assert told | {"without_time": 0} == wanted | {"without_time": 0}
    assert not list(tmp_path.glob(".*"))


def test_the_report_says_what_each_event_counts_as(tmp_path):
    import pandas as pd

    text = "user_id,item_id,rating\na,x,view\na,y,buy\nb,x,buy\nb,y,glance\n"
    file = tmp_path / "events.csv"
    file.write_text(text)
    frame = pd.read_csv(file)
    frame.to_parquet(tmp_path / "events.parquet")
    weights = {"view": 1, "buy": 2.5}
    for source in (file, frame, tmp_path / "events.parquet"):
        report = read_ratings(source, events=weights).report
        assert report.details["events"] == "view=1 buy=2.5"
        assert "events view=1 buy=2.5" in str(report)
        assert report.n_set_aside == 1
    packed = pack(file, tmp_path / "packed", events=weights)
    assert packed.report["details"]["events"] == "view=1 buy=2.5"
    assert "events" not in read_ratings(file, duplicates="count").report.details


def test_every_kind_of_file_packs(tmp_path, monkeypatch):
    monkeypatch.setattr("matinee.sources.packing.pack_files.ROWS_AT_ONCE", 100)
    monkeypatch.setattr("matinee.sources.packing.pack_files.IDS_AT_ONCE", 3)
    text = tmp_path / "ratings.tsv.gz"
    text.write_bytes(gzip.compress(TEXT_IDS.encode()))
    for file in (text, parquet(tmp_path)):
        check_same(pack(file, tmp_path / file.stem), read_ratings(file))


def test_a_movielens_zip_packs_with_its_titles(ml_100k, tmp_path):
    packed = pack(ml_100k, tmp_path / "packed")
    plain = read_ratings(ml_100k)
    check_same(packed, plain)
    ratings_only = sum((packed.path / name).stat().st_size for name in ("items", "ratings"))
    assert ratings_only == 3 * len(plain)


def test_what_is_in_memory_packs_too(tmp_path):
    columns = (["b", "a", "a"], [1, 2, 1], [4.0, 2.5, 3.0])
    check_same(pack(columns, tmp_path / "packed"), read_ratings(columns))


def test_more_kinds_of_ratings_than_levels_stay_floats(source, tmp_path, monkeypatch):
    monkeypatch.setattr(stages, "MOST_LEVELS", 3)
    packed = pack(source, tmp_path / "packed")
    assert packed.by_user.levels is None
    check_same(packed, read_ratings(source))


def test_positives_are_kept_as_ones(source, tmp_path):
    packed = pack(source, tmp_path / "packed", positives_from=2)
    check_same(packed, read_ratings(source).positives_from(2))
    with pytest.raises(BadRatings, match="no rating is 9 or more"):
        pack(source, tmp_path / "none", positives_from=9)


def test_wishes_are_refused_as_when_reading(source, tmp_path):
    for wish in ({"strict": True}, {"columns": {"user_id": "nobody"}}):
        messages = []
        for act in (
            lambda wish=wish: read_ratings(source, **wish),
            lambda wish=wish: pack(source, tmp_path / "packed", **wish),
        ):
            with pytest.raises(BadRatings) as refused:
                act()
            messages.append(str(refused.value))
        assert messages[0] == messages[1]
    with pytest.raises(BadRatings, match="user '9' rated item 'a' 2 times"):
        pack(source, tmp_path / "packed", duplicates="error")
    assert [file.name for file in tmp_path.iterdir()] == [source.name]


def test_packed_ratings_are_a_source(source, tmp_path):
    packed = pack(source, tmp_path / "packed")
    check_same(packed, read_ratings(packed.path))
    with pytest.raises(BadSetting, match="packed already"):
        read_ratings(packed.path, scale=(1, 5))


def test_another_folder_is_not_overwritten(source, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(MatineeError, match="holds no packed ratings"):
        pack(source, tmp_path / "mine")
    with pytest.raises(MatineeError, match="holds no packed ratings"):
        pack(source, tmp_path / "mine" / "thesis.txt")
    with pytest.raises(BadRatings, match="holds no packed ratings"):
        PackedRatings.open(tmp_path / "mine")
    packed = pack(source, tmp_path / "packed")
    (packed.path / "notes.txt").write_text("of years")
    with pytest.raises(MatineeError, match=r"notes\.txt"):
        pack(source, tmp_path / "packed")


@pytest.mark.parametrize("memory", ["lots", "1", "-1GB", "1 gigabyte", 3])
def test_a_size_of_memory_has_a_unit(memory, source, tmp_path):
    with pytest.raises(BadSetting, match=r"memory is .*such as '500MB'"):
        pack(source, tmp_path / "packed", memory=memory)


@pytest.mark.parametrize("memory", ["1KB", "99.9 MB", "0.09GiB"])
def test_too_little_memory_is_refused(memory, source, tmp_path):
    with pytest.raises(BadSetting, match=f"memory is '{memory}'; it must be at least 100MB"):
        pack(source, tmp_path / "packed", memory=memory)


@pytest.mark.parametrize("error", [RuntimeError("Query interrupted"), KeyboardInterrupt()])
def test_an_interruption_of_packing_keeps_what_is_done(
    error, source, tmp_path, monkeypatch, capsys
):
    def interrupted(*_: object) -> None:
        raise error

    monkeypatch.setattr(stages, "number_rows", interrupted)
    goal = str(tmp_path / "packed")
    assert run(["pack", str(source), "--out", goal]) == 130
    assert "the same command resumes" in capsys.readouterr().err
    assert (tmp_path / ".packed-packing" / "stages.duckdb").is_file()
    monkeypatch.undo()
    assert run(["pack", str(source), "--out", goal]) == 0
    assert run(["pack", str(source), "--out", goal]) == 0
    assert f"packed in {goal} are replaced" in capsys.readouterr().err


@pytest.mark.parametrize("n_items", [9, 60_000])
@pytest.mark.parametrize("by_rating", [False, True])
@pytest.mark.parametrize("key", [64, 0])
def test_bins_bring_rows_into_order(n_items, by_rating, key, tmp_path, monkeypatch):
    """A plain sort of all rows is the law."""
    monkeypatch.setattr(sorting, "ROWS_PER_BIN", 300)
    monkeypatch.setattr(sorting, "KEY", key)
    rng = np.random.default_rng(0)
    user = np.minimum(rng.geometric(0.02, 2000) - 1, 99).astype(np.int32)
    user[user == 7] = 8  # nobody is left in row 7
    item = rng.integers(0, n_items, 2000).astype(np.int32) % 11
    rating, moment = rng.integers(1, 4, (2, 2000))
    rows = sorting.Part(user, item, rating.astype("f4"), rng.permutation(2000), moment)
    bins = sorting.Bins.of(
        tmp_path / "bins", np.bincount(user, minlength=100), n_items, 2000, with_moment=True
    )
    assert len(bins.edges) > 5
    bins.deal(sorting.Part(*(column[a : a + 77] for column in rows)) for a in range(0, 2000, 77))
    found = list(bins.sorted(by_rating))
    order = np.lexsort([rows.line, rating if by_rating else moment, item, user])
    for name in sorting.Part._fields:
        whole = np.concatenate([getattr(part, name) for part in found])
        assert np.array_equal(whole, getattr(rows, name)[order]), name
    assert not list((tmp_path / "bins").iterdir())


def test_the_kinds_of_parquet_columns(tmp_path):
    """Numbers stay numbers on the way, and are read as their text would be."""
    import pandas as pd

    nothing, file = float("nan"), tmp_path / "ratings.parquet"
    users = [
        (["7", "007", "", None, "8"], ["7", "007", None, None, "8"]),
        ([10, 9, -3, 2**62, 11], ["10", "9", "-3", str(2**62), "11"]),
        ([10.0, 9, nothing, 3, 4], ["10", "9", None, "3", "4"]),
    ]
    ratings = [
        (["1", "x", "", "5e-1", "2.5"], [1, None, None, 0.5, 2.5]),
        ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]),
        ([1e300, 0.1, nothing, float("inf"), 2.5], [None, np.float32(0.1), None, None, 2.5]),
    ]
    for given, ids in users:
        for stars, numbers in ratings:
            pd.DataFrame({"user": given, "item": 1, "rating": stars}).to_parquet(file)
            found = read_ratings(file)
            check_same(pack(file, tmp_path / "packed"), found)
            wanted = {u: r for u, r in zip(ids, numbers, strict=True) if u and r is not None}
            assert {u: found.history(u)["1"] for u in found.users} == wanted


def test_a_damaged_folder_is_refused(source, tmp_path):
    packed = pack(source, tmp_path / "packed")
    for name in ("items", "ratings", "offsets", "user_ids"):
        whole = (packed.path / name).read_bytes()
        (packed.path / name).write_bytes(whole[:-1])
        with pytest.raises(BadRatings, match=f"{name} holds"):
            PackedRatings.open(packed.path)
        (packed.path / name).write_bytes(whole)
    (packed.path / "items").unlink()
    with pytest.raises(BadRatings, match="items is missing"):
        PackedRatings.open(packed.path)


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path):
    """The limit on the size of a file stands in for the disk."""
    file = parquet(tmp_path)
    code = f"""
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
from matinee.errors import MatineeError
from matinee.sources.packing.pack import pack
try:
    pack({str(file)!r}, {str(tmp_path / "packed")!r})
except MatineeError as error:
    print(error)
"""
    path = str(Path(matinee.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("the disk is full"), done.stdout + done.stderr
    assert [one.name for one in tmp_path.iterdir()] == [file.name]


def test_a_full_disk_while_writing_keeps_what_was_there(source, tmp_path, monkeypatch):
    before = pack(source, tmp_path / "packed").fingerprint

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(packing, "write_sorted", full)
    with pytest.raises(MatineeError, match="the disk is full"):
        pack(source, tmp_path / "packed", duplicates="mean")
    assert PackedRatings.open(tmp_path / "packed").fingerprint == before
    assert sorted(one.name for one in tmp_path.iterdir()) == ["packed", source.name]


KILLED = """
import os, signal, sys
from matinee.sources.packing import pack as packing, stages
number_rows = stages.number_rows
def killed(*arguments):
    number_rows(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
stages.number_rows = killed
packing.pack(sys.argv[1], sys.argv[2])
"""


@pytest.mark.parametrize(
    ("kind", "stages_kept"),
    [("parquet", ["users", "items", "numbered"]), ("csv", ["raw", "users", "items", "numbered"])],
)
def test_after_a_kill_packing_goes_on_from_the_last_stage(kind, stages_kept, tmp_path, monkeypatch):
    file, goal = parquet(tmp_path), tmp_path / "packed"
    if kind == "csv":
        import pandas as pd

        file = file.with_suffix(".csv")
        pd.read_parquet(tmp_path / "ratings.parquet").to_csv(file, index=False)
    path = str(Path(matinee.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(file), str(goal)],
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert not goal.exists()
    asked: list[str] = []
    real = stages.has_table

    def has_table(db: object, name: str) -> bool:
        if real(db, name):  # type: ignore[arg-type]
            asked.append(name)
        return real(db, name)  # type: ignore[arg-type]

    monkeypatch.setattr(stages, "has_table", has_table)
    check_same(pack(file, goal), read_ratings(file))
    assert asked == stages_kept


def test_a_changed_file_is_packed_afresh(source, tmp_path):
    work = tmp_path / ".packed-packing"
    work.mkdir()
    (work / "source.json").write_text("of another file")
    (work / "stages.duckdb").write_text("no database")
    check_same(pack(source, tmp_path / "packed"), read_ratings(source))


def test_the_command_line_packs_fits_and_goes_on(source, tmp_path, capsys):
    goal, model = str(tmp_path / "packed"), tmp_path / "model"
    assert run(["pack", str(source), "--out", goal, "--scale", "1,5", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ratings"] == told["reading"]["kept"] == len(PackedRatings.open(goal))
    fit = ["fit", goal, "-a", "mf", "--set", "n_factors=2", "--set", "n_epochs=2"]
    assert run([*fit, "--out", str(model), "--resume"]) == 0
    told_of_fit = capsys.readouterr().err
    assert "epoch 2" in told_of_fit
    assert "no interrupted fit to resume" in told_of_fit
    plain = matinee.MF(n_factors=2, n_epochs=2).fit(read_ratings(source, scale=(1, 5)))
    assert np.array_equal(matinee.load(model).item_factors, plain.item_factors)
    assert not list(tmp_path.glob(".*"))
    assert run([*fit, "--out", str(model), "--scale", "1,5"]) == 2
    assert "leave out --scale" in capsys.readouterr().err
    assert run(["fit", goal, "-a", "bias", "--out", str(model)]) == 0
    assert "reading all of them into memory" in capsys.readouterr().err
