"""Without a home and a writable package the compiler keeps its code in a private folder."""

import gc
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import matinee
from matinee.kernels import jit

FIT = "import matinee; print(len(matinee.Bias().fit(matinee.sample()).recommend('42', 2)))"


@pytest.mark.skipif(os.name == "nt", reason="the places are those of Unix")
def test_without_a_place_for_code_a_private_one_is_taken_and_said_once(tmp_path):
    package = Path(matinee.__file__).parent
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(package, tmp_path / "matinee", ignore=ignored)
    for folder in [tmp_path / "matinee", *(tmp_path / "matinee").rglob("*/")]:
        if folder.is_dir():
            (folder / "__pycache__").write_text("no folder, so that root cannot write in it")
    nowhere = "/dev/null/nowhere"
    env = {
        "PATH": os.environ["PATH"],
        "HOME": nowhere,
        "XDG_CACHE_HOME": nowhere,
        "PYTHONPATH": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "PYTHONWARNINGS": "always",
    }
    done = subprocess.run(
        [sys.executable, "-c", FIT], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout == "2\n"
    assert done.stderr.count("compiled code is kept in") == 1
    (folder,) = tmp_path.glob("matinee-code-*")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert any(folder.rglob("*.nbi"))


CALLER = """
from matinee.kernels.helper import raised
from matinee.kernels.jit import kernel

@kernel
def twice(x):
    return 2.0 * raised(x)
"""
HELPER = """
from matinee.kernels.jit import kernel

@kernel
def raised(x):
    return x + {step}
"""
CALL = """
from matinee.kernels.caller import twice
print(twice(1.0), sum(twice.stats.cache_hits.values()))
"""


@pytest.fixture
def copy_of_package(tmp_path):
    """A copy of the package to which kernels are added, and the run of some code in it."""
    package = tmp_path / "matinee"
    shutil.copytree(
        Path(matinee.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__")
    )
    (package / "kernels/caller.py").write_text(CALLER, encoding="utf-8")
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(tmp_path),
        "PYTHONWARNINGS": "error",
        "PYTHONDONTWRITEBYTECODE": "1",  # bytecode of the same time and length would be reused
    }

    def run() -> list[float]:
        done = subprocess.run(
            [sys.executable, "-c", CALL], env=env, capture_output=True, text=True, check=True
        )
        return [float(word) for word in done.stdout.split()]

    return package / "kernels", run


def test_cached_code_follows_the_helpers_of_other_files(copy_of_package):
    kernels, run = copy_of_package
    helper = kernels / "helper.py"
    for step, value in ((1.0, 4.0), (2.0, 6.0)):
        helper.write_text(HELPER.format(step=step), encoding="utf-8")
        os.utime(helper, (1e9, 1e9))  # installers give every version the same time
        assert run() == [value, 0], "compiled anew"
        assert run() == [value, 1], "from the cache"


def test_code_of_kernels_that_moved_is_deleted(copy_of_package):
    kernels, run = copy_of_package
    (kernels / "helper.py").write_text(HELPER.format(step=1.0), encoding="utf-8")
    run()
    before = sorted(file.name for file in kernels.glob("__pycache__/*.nb*"))
    for name in ("caller.py", "helper.py"):
        text = (kernels / name).read_text(encoding="utf-8")
        (kernels / name).write_text(f"# one line down\n{text}", encoding="utf-8")
    run()
    after = sorted(file.name for file in kernels.glob("__pycache__/*.nb*"))
    assert len(after) == len(before)
    assert not set(after) & set(before), "the names hold the line"


@pytest.mark.parametrize("enabled", [True, False])
def test_garbage_is_not_collected_while_a_kernel_is_compiled(enabled):
    pause, states = jit.CollectionPause(), []
    was_enabled = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        for step in (pause.on_start, pause.on_start, pause.on_end, pause.on_end):
            step(None)
            states.append(gc.isenabled())
    finally:
        (gc.enable if was_enabled else gc.disable)()
    assert states == [False, False, False, enabled], "until the outermost is done, as it was before"


def test_a_second_of_compiling_is_logged_once(caplog, monkeypatch):
    clock = iter([0.0, 0.3, 0.4, 1.0, 1.8, 2.0, 5.0, 9.0])
    monkeypatch.setattr(jit, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    notice, lines = jit.Notice(), []
    with caplog.at_level(logging.INFO, "matinee.kernels"):
        for step in (notice.on_start, notice.on_end) * 3:  # 0.3 s, 0.6 s, 0.2 s
            step(None)
            lines.append(len(caplog.messages))
    assert lines == [0, 0, 0, 0, 0, 1], "when 1.1 s have passed in all"
    with caplog.at_level(logging.INFO, "matinee.kernels"):
        notice.on_start(None)
        notice.on_end(None)
    assert len(caplog.messages) == 1
