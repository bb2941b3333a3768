"""Messages of the library as the command line says them: no advice in Python."""

import ast
import re
from pathlib import Path

import pytest

import matinee
from matinee.cli.typed import as_typed

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
    "said, typed",
    [
        (
            'say so with columns={"user_id": "...", "rating": 2}',
            "say so with --columns user_id=...,rating=2",
        ),
        ("columns={'usr': ...}: 'usr' is not one of", "--columns usr=...: 'usr' is not one of"),
        ('perhaps encoding="latin-1"', "perhaps --encoding latin-1"),
        ('choose duplicates="last" or "mean"', 'choose --duplicates last or "mean"'),
        ('it goes with solver="als"', "it goes with --set solver=als"),
        ("with missing='zero' it is", "with --set missing=zero it is"),
        ("give without=, change= or tastes=", "give --without, --change or --tastes"),
        ("the mean (duplicates=...)", "the mean (--duplicates)"),
        ("lower relevant_from", "lower --relevant-from"),
        ("such as n_factors=15", "such as n_factors=15"),
        ("item 'a=b' is unknown", "item 'a=b' is unknown"),
    ],
)
def test_remedies_are_typed(said, typed):
    assert as_typed(said) == typed
    assert as_typed(typed) == typed


def test_no_message_that_a_command_can_show_speaks_python():
    files = [f for f in SOURCE.rglob("*.py") if str(f.relative_to(SOURCE)) not in ONLY_IN_PYTHON]
    told = [message for file in files for message in messages(file)]
    assert len(told) > 200
    python = [one for one in map(as_typed, told) if PYTHON.search(one)]
    assert [one for one in python if not one.startswith(ONLY_THERE)] == []


def messages(file: Path) -> list[str]:
    """What a file raises and warns of, an X in the place of every value."""
    told = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        call = node.exc if isinstance(node, ast.Raise) else node
        if isinstance(call, ast.Call) and (call is not node or name_of(call) == "warn"):
            told += [said for one in call.args for said in texts(one)]
    return told


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
