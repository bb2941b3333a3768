"""Messages of the library as each face words them: no advice in Python on a command line."""

import ast
import pickle
import re
from pathlib import Path

import pytest

import matinee
from matinee import errors
from matinee.errors import Advice, Face, MatineeError, MatineeWarning, Option, Setting

SOURCE = Path(matinee.__file__).parent
PYTHON = re.compile(
    r"""\b\w+=["'({\[]"""  # solver="als", columns={...}
    r"|\b[a-z_]+=(?=[,) .]|$)"  # without=, catalog=...
    r"|\b(model|ratings|matinee|packed|splits|splitting)\.(?!csv)\w"
    r"|\w\(\)|\brange\(|\(ns\b|(?<!-)\b(relevant_from|test_share)\b"
)
ONLY_IN_PYTHON = {  # what no command can come to
    "sources/synthetic.py",
    "sources/arrays.py",
    "sources/frames.py",
    "data/ratings.py",
    "splitting.py",
    "tuning/stability.py",
    "training/epochs.py",
    "spark/sessions.py",
    "spark/evaluating.py",
}
ONLY_THERE = "fit takes Ratings"


@pytest.mark.parametrize(
    "message, in_python, typed",
    [
        (
            ["say so with ", Option("columns", {"user_id": "...", "rating": 2})],
            'say so with columns={"user_id": "...", "rating": 2}',
            "say so with --columns user_id=...,rating=2",
        ),
        (
            [Option("columns", {"usr": "..."}), ": 'usr' is not one of"],
            'columns={"usr": "..."}: \'usr\' is not one of',
            "--columns usr=...: 'usr' is not one of",
        ),
        (
            ["perhaps ", Option("encoding", "latin-1")],
            'perhaps encoding="latin-1"',
            "perhaps --encoding latin-1",
        ),
        (
            ["choose ", Option("duplicates", "last"), ' or "mean"'],
            'choose duplicates="last" or "mean"',
            'choose --duplicates last or "mean"',
        ),
        (
            ["it goes with ", Setting("solver", "als")],
            'it goes with solver="als"',
            "it goes with --set solver=als",
        ),
        (
            ["with ", Setting("missing", "zero"), " it is"],
            'with missing="zero" it is',
            "with --set missing=zero it is",
        ),
        (
            [
                "give ",
                Option("without", ...),
                ", ",
                Option("change", ...),
                " or ",
                Option("tastes", ...),
            ],
            "give without=..., change=... or tastes=...",
            "give --without, --change or --tastes",
        ),
        (
            ["the mean (", Option("duplicates", ...), ")"],
            "the mean (duplicates=...)",
            "the mean (--duplicates)",
        ),
        (["lower ", Option("relevant_from")], "lower relevant_from", "lower --relevant-from"),
        (["such as n_factors=15"], "such as n_factors=15", "such as n_factors=15"),
        (["item 'a=b' is unknown"], "item 'a=b' is unknown", "item 'a=b' is unknown"),
    ],
)
def test_remedies_are_typed(message, in_python, typed):
    for kind in (MatineeError, MatineeWarning):
        problem = kind(*message)
        assert str(problem) == problem.worded(Face.PYTHON) == in_python
        assert problem.worded(Face.COMMAND_LINE) == typed
        assert str(pickle.loads(pickle.dumps(problem))) == in_python


def test_http_names_parameters_and_its_own_ways():
    error = MatineeError(
        "give ", Option("without", ...), " or ", Advice("fold_in", "recommend", "POST /v1")
    )
    assert error.worded(Face.HTTP) == "give without or POST /v1"
    assert error.remedies == (Option("without", ...), Advice("fold_in", "recommend", "POST /v1"))


def test_no_message_that_a_command_can_show_speaks_python():
    files = [f for f in SOURCE.rglob("*.py") if str(f.relative_to(SOURCE)) not in ONLY_IN_PYTHON]
    found = [message for file in files for message in messages(file)]
    assert len(found) > 200
    python = [one for one in found if PYTHON.search(one)]
    assert [one for one in python if not one.startswith(ONLY_THERE)] == []


def messages(file: Path) -> list[str]:
    """The pieces of text in the errors and warnings of a file, an X in the place of every value."""
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        call = node.exc if isinstance(node, ast.Raise) else node
        if isinstance(call, ast.Call) and (call is not node or is_worded(call)):
            found += [text for one in call.args for text in texts(one)]
    return found


def is_worded(call: ast.Call) -> bool:
    kind = getattr(errors, name_of(call), None)
    return name_of(call) == "warn" or (isinstance(kind, type) and issubclass(kind, errors.Worded))


def name_of(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def texts(node: ast.expr) -> list[str]:
    if isinstance(node, ast.IfExp):
        return texts(node.body) + texts(node.orelse)
    if isinstance(node, ast.BinOp):
        return texts(node.left) + texts(node.right)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if not isinstance(node, ast.JoinedStr):
        return []
    parts = [
        part.value if isinstance(part, ast.Constant) else "'X'" if part.conversion == 114 else "X"
        for part in node.values
    ]
    return ["".join(parts)]
