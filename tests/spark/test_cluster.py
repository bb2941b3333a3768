"""On a real cluster: a master and two workers, each a process of its own, and what they survive.

The cluster is Spark's own standalone one, as pyspark brings it, on the loopback address.
"""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyspark", reason="needs the extra matinee[spark]")

import pyspark
from losing_a_worker import ALGORITHM

from matinee.algorithms import MF
from matinee.models import load
from matinee.sources import read_ratings

SPARK_CLASS = Path(pyspark.__file__).parent / "bin" / "spark-class"
PATIENCE = 240  # seconds until something that never comes is a failure


def wait_for(what, found):
    """What ``found`` returns, as soon as it is something."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        result = found()
        if result:
            return result
        time.sleep(0.2)
    raise TimeoutError(f"{what} did not come in {PATIENCE} s")


@contextmanager
def process(command, log):
    """A process that leads a session of its own; it and its group are gone afterwards."""
    with log.open("wb") as out:
        one = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=environment(),
        )
    try:
        yield one
    finally:
        kill(one)


def kill(one):
    """End a process and its group at once."""
    with suppress(ProcessLookupError):
        os.killpg(one.pid, signal.SIGKILL)
    one.wait()


def environment():
    """On one machine, with this interpreter and this Matinee everywhere, and little memory."""
    own = {
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_DAEMON_MEMORY": "256m",
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    return {**os.environ, **own}


def said(log, pattern):
    """What a log says that fits a pattern, when it does."""
    return lambda: re.search(pattern, log.read_text(errors="replace"))


@pytest.fixture(scope="module")
def master(tmp_path_factory):
    """The address of a cluster of two workers with a core each."""
    folder = tmp_path_factory.mktemp("cluster")
    with ExitStack() as stack:
        log = folder / "master.log"
        command = [
            SPARK_CLASS,
            "org.apache.spark.deploy.master.Master",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--webui-port",
            "0",
        ]
        stack.enter_context(process(command, log))
        port = wait_for("the master", said(log, r"'sparkMaster' on port (\d+)"))[1]
        address = f"spark://127.0.0.1:{port}"
        for number in range(2):
            log = folder / f"worker-{number}.log"
            command = [
                SPARK_CLASS,
                "org.apache.spark.deploy.worker.Worker",
                address,
                "--cores",
                "1",
                "--memory",
                "1g",
                "--host",
                "127.0.0.1",
                "--webui-port",
                "0",
                "--work-dir",
                folder / f"work-{number}",
            ]
            stack.enter_context(process(command, log))
        for number in range(2):
            log = folder / f"worker-{number}.log"
            wait_for("a worker", said(log, "Successfully registered with master"))
        yield address


@pytest.fixture(scope="module")
def ratings(tmp_path_factory):
    """A file of ratings of 300 people for 50 films, of which one has a fifth of them all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(0)
    user, item = np.divmod(rng.choice(300 * 50, 6000, replace=False), 50)
    user = np.concatenate([user[item > 0], np.arange(300), np.arange(300, 1500)])
    item = np.concatenate([item[item > 0], np.zeros(1500, int)])
    table = pa.table({"user_id": user, "item_id": item, "rating": rng.integers(1, 6, len(user))})
    path = tmp_path_factory.mktemp("data") / "ratings.parquet"
    pq.write_table(table, path, row_group_size=500)
    return path


def check_same(folder, wanted):
    """The model in a folder is the one that was fitted in memory."""
    found = load(folder)
    assert found.users == wanted.users
    for name in ("user_factors", "user_bias", "item_factors", "item_bias"):
        one, other = getattr(found, name), getattr(wanted, name)
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4 * np.abs(other).max())


def test_a_fit_ends_right_when_a_driver_or_a_worker_dies(master, ratings, tmp_path):
    resume_after_a_dead_driver(master, ratings, tmp_path)
    lose_a_worker(master, ratings, tmp_path)  # the last thing that this cluster does


def resume_after_a_dead_driver(master, ratings, tmp_path):
    """The driver is killed after its second pass; --resume goes on from there."""
    algorithm, out = MF(n_factors=4, n_epochs=12), tmp_path / "resumed"
    items, packed = (tmp_path / ".resumed-fitting" / name for name in ("items.npz", "numbered.npz"))
    command = [
        sys.executable,
        "-m",
        "matinee",
        "fit",
        ratings,
        "--engine",
        "spark",
        "--master",
        master,
        "--algorithm",
        "mf",
        "--set",
        "n_factors=4",
        "--set",
        "n_epochs=12",
        "--out",
        out,
    ]

    def passes():
        if not items.exists():
            return 0
        with np.load(items) as state:
            return int(state["next"])

    log = tmp_path / "driver.log"
    with process(command, log) as driver:
        wait_for("the second pass", lambda: passes() >= 2 or driver.poll() is not None)
        assert driver.poll() is None, log.read_text()
    done, written = passes(), packed.stat().st_mtime_ns
    assert 2 <= done < 12
    with process([*command, "--resume"], log) as driver:
        assert driver.wait(PATIENCE) == 0, log.read_text()
    numbers = [int(number) for number in re.findall(r"epoch (\d+)", log.read_text())]
    assert min(numbers) >= done
    assert not packed.exists() or packed.stat().st_mtime_ns == written
    check_same(out, algorithm.fit(read_ratings(ratings)))


def lose_a_worker(master, ratings, tmp_path):
    """A worker is killed in the middle of an epoch; the other does its tasks again."""
    log, script = tmp_path / "losing.log", Path(__file__).with_name("losing_a_worker.py")
    with process([sys.executable, script, master, ratings, tmp_path], log) as driver:
        assert driver.wait(PATIENCE) == 0, log.read_text()
    assert (tmp_path / "killed").exists()
    check_same(tmp_path / "model", ALGORITHM.fit(read_ratings(ratings)))
