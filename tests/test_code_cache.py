"""Without a home and a writable package the compiler keeps its code in a private folder."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import matinee

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
