"""What the pages say of other libraries, run beside them.

MATINEE_TEST_PEERS names the libraries, as they are imported; all of them must be installed. Without
it only what needs none of them is tested.
"""

import ast
import os
import subprocess
import sys

import pytest

from scripts import script_of
from test_docs import DOCS, blocks_of

PEERS = ("surprise", "implicit", "lenskit", "cornac", "sklearn", "pyspark", "mlflow")
WANTED = os.environ.get("MATINEE_TEST_PEERS", "").split()


def side_by_side():
    """``benchmarks/side_by_side.py`` as a module."""
    return script_of("benchmarks/side_by_side.py")


SIDE_BY_SIDE = side_by_side()
TASKS = {task.figure.package: task for task in SIDE_BY_SIDE.tasks()}


def row_on_page(task) -> list[str]:
    """The cells of a task in the table of the page."""
    row = SIDE_BY_SIDE.table_on_page()[task.title]
    return [cell.strip() for cell in row.strip("|").split("|")]


def skip_unless_wanted(peer: str) -> None:
    if peer not in WANTED:
        pytest.skip(f"{peer} is not named in MATINEE_TEST_PEERS")


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_no_task_needs_more_lines_with_us(task):
    lines = [SIDE_BY_SIDE.n_lines(code) for code in (task.theirs, task.ours)]
    assert row_on_page(task)[1:3] == [str(n) for n in lines], "run benchmarks/side_by_side.py"
    assert lines[1] <= lines[0]


def test_lines_are_counted_without_empty_ones_and_comments():
    assert SIDE_BY_SIDE.n_lines("import x\n\n# of x\nx.y(\n    1,  # one\n)\n") == 4


@pytest.mark.parametrize("peer", TASKS)
def test_both_sides_give_what_the_page_says(peer, ml_100k, tmp_path):
    skip_unless_wanted(peer)
    SIDE_BY_SIDE.lay_out(ml_100k, tmp_path)
    found = SIDE_BY_SIDE.compared(TASKS[peer], tmp_path)
    stated = [float(cell) for cell in row_on_page(TASKS[peer])[4:]]
    assert found == pytest.approx(stated, rel=0.02)


def code_by_peer() -> dict[str, str]:
    """The blocks of how-to-others.md by the library that they import; "" is what all share."""
    blocks = [b for b in blocks_of(DOCS / "how-to-others.md") if b.language in ("py", "python")]
    code: dict[str, str] = {}
    for block in blocks:
        nodes = list(ast.walk(ast.parse(block.code)))
        modules = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
        modules += [n.name for node in nodes if isinstance(node, ast.Import) for n in node.names]
        peer = next((one.split(".")[0] for one in modules if one.split(".")[0] in PEERS), "")
        code[peer] = code.get(peer, "") + block.code
    return code


def test_every_library_of_the_page_has_a_block():
    assert {"", "surprise", "implicit", "lenskit", "cornac"} == set(code_by_peer())


@pytest.mark.parametrize("peer", ["surprise", "implicit", "lenskit", "cornac"])
@pytest.mark.filterwarnings("ignore")  # of the other libraries
def test_predictions_and_lists_of_others_are_measured(peer, capsys):
    skip_unless_wanted(peer)
    code = code_by_peer()
    names: dict[str, object] = {}
    exec(compile(code[""], "shared", "exec"), names)
    capsys.readouterr()
    exec(compile(code[peer], peer, "exec"), names)
    shown = capsys.readouterr().out
    lines = [line.split() for line in shown.splitlines()]
    figures = {line[0]: float(line[1]) for line in lines if line[0] in ("rmse", "ndcg@10")}
    assert 0.7 < figures.get("rmse", 0.8) < 0.95  # about what the means of the data give
    assert figures.get("ndcg@10", 1) > 0.04, "a random list has 0.01"
    assert figures


TRACKED = """
import matinee
from matinee import splitting

split = splitting.random(matinee.checkerboard(40))
{code}
(run,) = mlflow.search_runs(output_format="list")
assert run.data.params["n_factors"] == "16"
assert run.data.metrics["rmse"] == metrics["rmse"]
epochs = mlflow.MlflowClient().get_metric_history(run.info.run_id, "validation_rmse")
assert [one.step for one in epochs] == list(range(1, len(epochs) + 1))
folder = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="model")
assert matinee.load(folder).predict("1", "2") == model.predict("1", "2")
"""


def test_a_fit_is_tracked_as_the_page_says(tmp_path):
    skip_unless_wanted("mlflow")
    blocks = [one.code for one in blocks_of(DOCS / "how-to-frames.md") if one.language == "py"]
    (code,) = [one for one in blocks if "import mlflow" in one]
    store = {"MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_TRACKING_URI": (tmp_path / "runs").as_uri()}
    subprocess.run(
        [sys.executable, "-c", TRACKED.format(code=code)],
        cwd=tmp_path,
        env={**os.environ, **store},
        check=True,
    )
