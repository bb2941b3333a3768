"""The campaigns of ``tests/campaigns``, in a bounded form; by hand they run on every case."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

CAMPAIGNS = Path(__file__).parent / "campaigns"
LEAST = {"model": 3, "first-model": 2, "pack": 6, "page": 2, "chart": 1, "record": 1, "fit": 6}


def campaign(name: str, *arguments: str) -> str:
    """What a campaign prints; it fails where anything is not as promised."""
    source = Path(__file__).parents[1] / "src"
    done = subprocess.run(
        [sys.executable, str(CAMPAIGNS / f"{name}.py"), *arguments],
        env=os.environ | {"PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs forks, and kills that none can catch")
def test_a_kill_leaves_the_old_or_the_new():
    said = campaign("kills", "--step", "12")
    found = {name: int(n) for name, n in re.findall(r"(\S+): killed at (\d+) calls", said)}
    assert found.keys() == LEAST.keys()
    assert all(found[name] >= least for name, least in LEAST.items()), found


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs forks, and kills that none can catch")
def test_a_writer_beside_one_that_is_killed_is_not_disturbed():
    said = campaign("kills", "--tasks", "model", "--step", "30", "--two", "6")
    assert re.search(r"beside a second writer at \d+", said)
