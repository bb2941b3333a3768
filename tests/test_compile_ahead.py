"""A second process compiles ahead, where that helps, into the cache where the first one looks."""

import os
import subprocess
import sys

import numba
import pytest

from matinee.algorithms import ALGORITHMS
from matinee.cli import compile_ahead, walkthrough
from matinee.kernels import machine

FIND = """
from matinee.algorithms import RP3beta
from matinee.cli.compile_ahead import start
from matinee.kernels.machine import can_compile_ahead
from matinee.kernels.similarities import _nearest_rows
from matinee.sources.synthetic import checkerboard

print(can_compile_ahead(), start(["rp3beta"]).wait(), can_compile_ahead())
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


@pytest.fixture
def started(monkeypatch):
    """What is started, in place of compilations: processes that wait for their end."""
    processes = []

    def start(names):
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
    with compile_ahead.compiling_ahead(["slim"]):
        assert started[0].poll() is None, "it runs meanwhile"
    assert started[0].returncode is not None
    with pytest.raises(KeyboardInterrupt), compile_ahead.compiling_ahead(["slim"]):
        raise KeyboardInterrupt
    assert started[1].returncode is not None


@pytest.mark.parametrize("reason", ["one core", "no cache", "cached code", "nothing to compile"])
def test_no_process_is_started_where_it_does_not_help(started, monkeypatch, tmp_path, reason):
    folder = None if reason == "no cache" else tmp_path
    monkeypatch.setattr(machine, "code_folder", lambda: folder)
    if reason == "one core":
        monkeypatch.setenv("MATINEE_THREADS", "1")
    if reason == "cached code":
        (tmp_path / "rows._by_columns-76.py311.nbi").touch()
    with compile_ahead.compiling_ahead([] if reason == "nothing to compile" else ["slim"]):
        assert not started


def test_what_is_compiled_ahead_are_algorithms():
    known = set(ALGORITHMS)
    assert set(walkthrough.NEEDED_LATER) <= known
    assert set(compile_ahead.needed_later(None)) <= known
    for name, kind in ALGORITHMS.items():
        if name not in ("blend", "hybrid"):
            assert set(compile_ahead.needed_later(kind())) <= known - {name}
