"""A second process compiles ahead, where that helps, into the cache where the first one looks."""

import gc
import os
import subprocess
import sys
from io import StringIO

import numba
import pytest

from matinee import cli
from matinee.algorithms import ALGORITHMS
from matinee.cli import compile_ahead
from matinee.cli.commands import demo
from matinee.disk.locks import WAIT_SECONDS, folder_lock
from matinee.garbage import OBJECTS_BETWEEN_SEARCHES
from matinee.kernels import machine

FIND = """
from matinee.algorithms import RP3beta
from matinee.cli.compile_ahead import start
from matinee.kernels.machine import can_compile_ahead
from matinee.kernels.similarities import _nearest_rows
from matinee.sources.synthetic import checkerboard

before, process = can_compile_ahead(), start()
process.communicate(b"rp3beta")
print(before, process.returncode, can_compile_ahead())
RP3beta().fit(checkerboard(30))
print(sum(_nearest_rows.stats.cache_hits.values()), sum(_nearest_rows.stats.cache_misses.values()))
"""


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")
def test_what_the_other_process_compiled_is_found_and_not_compiled_again(tmp_path):
    env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "MATINEE_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FIND],
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["True", "0", "False", "1", "0"]


SIDE_BY_SIDE = """
from matinee.sources.synthetic import checkerboard
from matinee.algorithms import MF

MF(choice=None, n_epochs=2).fit(checkerboard(30))
from matinee.kernels.row_solve import _solve_rows
from matinee.kernels.cholesky import cholesky
from matinee.kernels.rows import _add_row_sums
for kernel in (_solve_rows, cholesky, _add_row_sums):
    print(sum(kernel.stats.cache_misses.values()))
"""


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")
def test_processes_side_by_side_compile_each_kernel_once(tmp_path):
    env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    processes = [
        subprocess.Popen([sys.executable, "-c", SIDE_BY_SIDE], env=env, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    counts = [list(map(int, one.communicate()[0].split())) for one in processes]
    assert [one.returncode for one in processes] == [0, 0]
    assert [sum(pair) for pair in zip(*counts, strict=True)] == [1, 1, 1]
    assert not list(tmp_path.rglob("*.lock"))


LOAD = """
import numpy as np
from matinee.data.rows import Rows
from matinee.kernels import rows

one = np.zeros(1, np.int32)
rows.by_columns(Rows(np.array([0, 1]), one, one.astype(np.float32)), 1)
print(sum(rows._by_columns.stats.cache_hits.values()))
"""


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")
def test_cached_code_is_loaded_while_the_kernel_is_compiled_for_other_arguments(tmp_path):
    def hits() -> str:
        env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
        code = [sys.executable, "-c", LOAD]
        return subprocess.check_output(code, env=env, text=True, timeout=0.8 * WAIT_SECONDS).strip()

    assert hits() == "0"
    (index,) = tmp_path.rglob("rows._by_columns-*.nbi")
    with folder_lock(index):
        assert hits() == "1"


@pytest.fixture
def started(monkeypatch):
    """What is started, in place of compilations: processes that wait for their end."""
    processes = []

    def start():
        wait = [sys.executable, "-c", "input()"]
        processes.append(subprocess.Popen(wait, stdin=subprocess.PIPE))
        return processes[-1]

    monkeypatch.setattr(compile_ahead, "start", start)
    monkeypatch.setenv("MATINEE_THREADS", "2")
    yield processes
    for process in processes:
        process.stdin.close()
        process.wait()


def test_the_other_process_ends_with_the_block_and_also_after_an_error(
    started, monkeypatch, tmp_path
):
    monkeypatch.setattr(machine, "code_folder", lambda: tmp_path)
    with compile_ahead.compiling_ahead():
        assert started[0].poll() is None, "it runs meanwhile"
    assert started[0].returncode is not None
    with pytest.raises(KeyboardInterrupt), compile_ahead.compiling_ahead():
        raise KeyboardInterrupt
    assert started[1].returncode is not None


def test_the_other_process_ends_where_there_is_nothing_to_share(started, monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "code_folder", lambda: tmp_path)
    with compile_ahead.compiling_ahead() as ahead:
        ahead.share([])
        assert started[0].returncode is not None


@pytest.mark.parametrize("reason", ["one core", "no cache", "cached code"])
def test_no_process_is_started_where_it_does_not_help(started, monkeypatch, tmp_path, reason):
    folder = None if reason == "no cache" else tmp_path
    monkeypatch.setattr(machine, "code_folder", lambda: folder)
    if reason == "one core":
        monkeypatch.setenv("MATINEE_THREADS", "1")
    if reason == "cached code":
        (tmp_path / "rows._by_columns-76.py311.nbi").touch()
    with compile_ahead.compiling_ahead() as ahead:
        ahead.share(["slim"])
        assert not started


def test_what_is_compiled_ahead_are_algorithms():
    known = set(ALGORITHMS)
    assert set(demo.NEEDED) <= known
    for algorithm in (None, *(kind() for kind in ALGORITHMS.values())):
        assert set(compile_ahead.needed(algorithm)) <= known


def test_this_process_compiles_from_the_last_algorithm_to_the_second(
    started, monkeypatch, tmp_path
):
    compiled = []
    monkeypatch.setattr(machine, "code_folder", lambda: tmp_path)
    monkeypatch.setattr(compile_ahead, "compile_fits", compiled.extend)
    with compile_ahead.compiling_ahead() as ahead:
        ahead.share(["mf", "implicit-als", "slim"])
        ahead.compile_here()
    assert compiled == ["slim", "implicit-als"]


def test_alone_it_leaves_all_to_the_fit_itself(started, monkeypatch):
    monkeypatch.setattr(machine, "code_folder", lambda: None)
    compiled = []
    monkeypatch.setattr(compile_ahead, "compile_fits", compiled.extend)
    with compile_ahead.compiling_ahead() as ahead:
        ahead.share(["mf", "implicit-als"])
        ahead.compile_here()
    assert not started
    assert not compiled


def test_the_other_process_compiles_what_it_reads_and_searches_for_no_garbage(monkeypatch):
    was_searched, done = gc.isenabled(), []
    monkeypatch.setattr(sys, "stdin", StringIO("mf slim"))
    monkeypatch.setattr(compile_ahead, "compile_row_solve", lambda: done.append(gc.isenabled()))
    monkeypatch.setattr(compile_ahead, "compile_fits", lambda names, *_: done.append(names))
    try:
        gc.enable()
        compile_ahead.main()
    finally:
        gc.unfreeze()
        (gc.enable if was_searched else gc.disable)()
    assert done == [False, ["mf", "slim"], ["mf", "slim"]]


def test_a_command_searches_for_garbage_seldom_and_not_at_its_end(monkeypatch):
    usual, thresholds = gc.get_threshold(), []
    monkeypatch.setattr(cli, "run", lambda: thresholds.append(gc.get_threshold()) or 0)
    try:
        with pytest.raises(SystemExit, match="0"):
            cli.main()
        assert len(gc.get_objects()) < gc.get_freeze_count()
    finally:
        gc.unfreeze()
        gc.set_threshold(*usual)
    assert thresholds == [(OBJECTS_BETWEEN_SEARCHES, *usual[1:])]
