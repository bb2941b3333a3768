"""The notebooks of examples/ run, and hold what they give when they are run."""

import json
import os
import re
from itertools import groupby
from pathlib import Path

import pytest

import matinee
from scripts import script_of

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbclient")

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
OTHERS = "from-other-libraries"  # needs Surprise, implicit and LensKit
MOST_BYTES = 200_000
FIGURE = re.compile(r"RMSE (\d\.\d+)")


def runner():
    """``examples/run.py`` as a module."""
    return script_of("examples/run.py")


def outputs_of(notebook) -> list[list[str]]:
    """The kinds of output of each code cell; what is printed may come in any number of pieces."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    kinds = [[kind for output in cell.outputs for kind in kinds_of(output)] for cell in code]
    return [[kind for kind, _ in groupby(cell)] for cell in kinds]


def kinds_of(output) -> list[str]:
    """The media types of an output, or the name of its stream."""
    return [*output.get("data", {}), *output.get("name", "").split()]


def figures_of(notebook) -> list[float]:
    """The errors that a notebook prints."""
    return [float(one) for one in FIGURE.findall(json.dumps(notebook))]


def test_there_are_six():
    assert len(NOTEBOOKS) == 6


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_small_and_holds_its_outputs(path):
    assert path.stat().st_size < MOST_BYTES
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata == runner().METADATA
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    kinds = [kind for cell in outputs_of(notebook) for kind in cell]
    assert "stderr" not in kinds
    assert "text/html" in kinds
    assert "ml-1" not in path.read_text(encoding="utf-8"), "real ratings are not ours to give"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore")  # of the client
def test_a_notebook_gives_what_it_holds(path, tmp_path, monkeypatch):
    if path.stem == OTHERS and "lenskit" not in os.environ.get("MATINEE_TEST_PEERS", ""):
        pytest.skip("lenskit is not named in MATINEE_TEST_PEERS")
    monkeypatch.setenv("PYTHONPATH", str(Path(matinee.__file__).parents[1]))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
    now = runner().executed(path, tmp_path)
    held = nbformat.read(path, as_version=4)
    assert outputs_of(now) == outputs_of(held), f"run examples/run.py {path.stem}"
    assert figures_of(now) == pytest.approx(figures_of(held), rel=0.02)
