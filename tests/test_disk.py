"""Files and folders on disk: whole or absent, one writer at a time, and swept after a kill."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import matinee
from matinee.algorithms import Bias, Popularity
from matinee.cli import run
from matinee.disk.locks import InUse, folder_lock, work_folder
from matinee.disk.temporary_folders import temporary_folder
from matinee.disk.whole_files import whole_file, write_whole
from matinee.errors import BadModel, MatineeError
from matinee.models import load
from test_contract import ratings_of

needs_kill = pytest.mark.skipif(
    not hasattr(signal, "SIGKILL"), reason="needs a kill that cannot be caught"
)


def names_in(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


# One file.


def test_a_file_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    with whole_file(path) as file:
        file.write(b"new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert names_in(tmp_path) == ["report.html"]


def test_a_failed_write_leaves_the_old_file_alone(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")

    def fail() -> None:
        with whole_file(path) as file:
            file.write(b"half")
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        fail()
    assert path.read_text() == "old"
    assert names_in(tmp_path) == ["report.html"]


def test_a_file_keeps_its_mode_and_a_link_its_target(tmp_path):
    path, link = tmp_path / "private.html", tmp_path / "link.html"
    path.write_text("old")
    path.chmod(0o600)
    link.symlink_to(path)
    write_whole(link, "new")
    assert link.is_symlink()
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_a_pipe_is_written_to_as_it_is(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    heard: list[str] = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_text()))
    reader.start()
    write_whole(pipe, "all of it")
    reader.join()
    assert heard == ["all of it"]
    assert names_in(tmp_path) == ["pipe"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits on the size of a file")
@pytest.mark.parametrize("command", ["inspect", "report"])
def test_a_page_that_the_disk_has_no_room_for_leaves_the_old_one(command, tmp_path, capsys):
    """The limit on the size of a file stands in for the disk."""
    import resource

    table, page = tmp_path / "r.csv", tmp_path / "page.html"
    table.write_text("user,item,rating\n" + "".join(f"u{n % 7},i{n},{n % 5}\n" for n in range(40)))
    model = Bias().fit(matinee.read_ratings(table)).save(tmp_path / "model")
    arguments = {
        "inspect": ["inspect", str(table), "--html", str(page)],
        "report": ["report", str(model), "--no-measure", "-o", str(page)],
    }[command]
    assert run(arguments) == 0
    whole, names = page.read_bytes(), names_in(tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    for there in (True, False):
        if not there:
            page.unlink()
            names.remove(page.name)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) // 2, limits[1]))
        try:
            code = run(arguments)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert code == 1
        assert f"{page} cannot be written: File too large" in capsys.readouterr().err
        assert not there or page.read_bytes() == whole
        assert names_in(tmp_path) == names


HALF_WRITER = """
import sys, time
from pathlib import Path
from matinee.disk.whole_files import whole_file
with whole_file(Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    print("ready", flush=True)
    time.sleep(60)
"""


@needs_kill
def test_the_part_of_a_killed_writer_is_swept_by_the_next(tmp_path):
    path = tmp_path / "report.html"
    killed = started(HALF_WRITER, path)
    alive = started(HALF_WRITER, path)
    assert len(names_in(tmp_path)) == 2
    killed.kill()
    killed.wait()
    write_whole(path, "whole")
    assert path.read_text() == "whole"
    assert len(names_in(tmp_path)) == 2, "the part of the writer that lives is left alone"
    alive.kill()
    alive.wait()
    write_whole(path, "again")
    assert names_in(tmp_path) == ["report.html"]


def started(code: str, *arguments: object) -> subprocess.Popen:
    """A Python process that has printed its first line."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], env=env, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"ready\n"
    process.stdout.close()
    return process


# One folder.


def test_a_second_writer_is_refused_in_words_and_let_in_afterwards(tmp_path):
    goal = tmp_path / "model"
    words = r"another writer is at work on .*model"
    with folder_lock(goal), pytest.raises(InUse, match=words), folder_lock(goal, seconds=0.05):
        pass
    with folder_lock(goal, seconds=0):
        pass
    assert names_in(tmp_path) == []


def test_a_lock_is_of_the_folder_and_not_of_a_spelling(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "model")
    one, same = tmp_path / "model", tmp_path / "link"
    with folder_lock(one), pytest.raises(InUse), folder_lock(same, seconds=0):
        pass


def test_writers_come_one_after_the_other(tmp_path):
    inside, most = 0, 0

    def write() -> None:
        nonlocal inside, most
        for _ in range(20):
            with folder_lock(tmp_path / "model"), work_folder(tmp_path / "model"):
                inside += 1
                most = max(most, inside)
                time.sleep(0.0005)
                inside -= 1

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, inside) == (1, 0)
    assert names_in(tmp_path) == []


HOLDER = """
import sys, time
from pathlib import Path
from matinee.disk.locks import folder_lock, work_folder
with folder_lock(Path(sys.argv[1])), work_folder(Path(sys.argv[1])) as folder:
    (folder / "half").write_text("half")
    print("ready", flush=True)
    time.sleep(60)
"""


@needs_kill
def test_a_killed_writer_holds_nothing_and_is_swept_by_the_next_save(tmp_path):
    model = Bias().fit(ratings_of())
    path = tmp_path / "model"
    holder = started(HOLDER, path)
    holder.kill()
    holder.wait()
    assert names_in(tmp_path) == [".model.lock", ".model.writing"]
    model.save(path)
    assert names_in(tmp_path) == ["model"]


@needs_kill
def test_temporary_folders_of_the_dead_are_swept(tmp_path):
    code = """
import sys, time
from matinee.disk.temporary_folders import temporary_folder
with temporary_folder(sys.argv[1]) as folder:
    (folder / "much").write_bytes(b"x" * 1000)
    print("ready", flush=True)
    time.sleep(60)
"""
    foreign = tmp_path / "matinee-of-somebody"
    foreign.mkdir()
    killed, alive = started(code, tmp_path), started(code, tmp_path)
    killed.kill()
    killed.wait()
    with temporary_folder(tmp_path) as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        assert len(names_in(tmp_path)) == 3, "this one, that of the living, and the foreign one"
        assert foreign.exists()
    alive.kill()
    alive.wait()


# Two writers of one model.


def save_often(path: Path, kind: type, n_times: int) -> None:
    model = kind().fit(ratings_of())
    for _ in range(n_times):
        model.save(path)


def test_two_writers_of_one_model_leave_the_whole_model_of_one(tmp_path):
    path = tmp_path / "model"
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=save_often, args=(path, kind, 30)) for kind in (Bias, Popularity)
    ]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        if path.exists():
            assert load(path).algorithm in ("bias", "popularity")
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert names_in(tmp_path) == ["model"]
    assert len(names_in(path)) == 3


def test_only_the_model_that_was_meant_is_replaced(tmp_path):
    from matinee.storage.model_files import Replaced, manifest_digest
    from matinee.storage.serialization import save_model

    first, second = Bias().fit(ratings_of()), Popularity().fit(ratings_of())
    path = first.save(tmp_path / "model")
    seen = manifest_digest(path)
    save_model(second, path, replaced=seen)
    with pytest.raises(Replaced, match="newer model"):
        save_model(first, path, replaced=seen)
    assert load(path).algorithm == "popularity"


def test_a_save_deletes_nothing_that_it_does_not_own(tmp_path):
    path = Bias().fit(ratings_of()).save(tmp_path / "model")
    for name in ("arrays-notes.txt", "catalog-of-mine.json", "users-list.csv"):
        (path / name).write_text("years of work")
    Popularity().fit(ratings_of()).save(path)
    for name in ("arrays-notes.txt", "catalog-of-mine.json", "users-list.csv"):
        assert (path / name).read_text() == "years of work"
    load(path)


def test_two_packings_into_one_folder_are_refused(tmp_path):
    with folder_lock(tmp_path / "packed"), pytest.raises(MatineeError, match="another writer"):
        matinee.pack((["u"], ["i"], [3.0]), tmp_path / "packed")
    assert len(matinee.pack((["u"], ["i"], [3.0]), tmp_path / "packed")) == 1


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_the_damaged_state_of_a_fit_is_refused(tmp_path, share):
    from matinee.algorithms import NMF

    packed = matinee.pack(([*"uuvv"], [*"abab"], [1.0, 2, 3, 4]), tmp_path / "packed")
    algorithm = NMF(n_factors=1, n_epochs=2)
    algorithm.fit_packed(packed, folder=tmp_path / "state")
    state = tmp_path / "state" / "state.npz"
    whole = state.read_bytes()
    state.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(MatineeError, match="whole state of a fit"):
        algorithm.fit_packed(packed, folder=tmp_path / "state", resume=True)


def test_a_reader_of_a_folder_that_is_gone_is_told(tmp_path):
    with pytest.raises(BadModel, match="there is no model"):
        load(tmp_path / "model")
