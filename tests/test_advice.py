"""What messages advise: it exists, whatever the message, and works when it is followed."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import matinee
import matinee.spark  # which `import matinee` leaves out
from matinee.algorithms import ALGORITHMS
from matinee.cli import COMMANDS, app
from matinee.errors import Advice, Face, MatineeError, Option, Setting

SOURCE = Path(matinee.__file__).parent
REMEDIES = {one.__name__ for one in (Advice, Option, Setting)}


def remedies() -> Iterator[tuple[str, str, list[str]]]:
    """(place, kind, texts) of every remedy that stands in the source with texts of its own."""
    for file in sorted(SOURCE.rglob("*.py")):
        if file.name == "errors.py":
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            texts = [one.value for one in node.args if isinstance(one, ast.Constant)]
            words = [text for text in texts if isinstance(text, str)]
            if node.func.id in REMEDIES and words:
                yield f"{file.relative_to(SOURCE)}:{node.lineno}", node.func.id, words


OPTIONS: dict[str, set[str]] = {
    name: {one for option in app.get_command(None, name).params for one in option.opts}  # type: ignore[union-attr,arg-type]
    for name in COMMANDS
}
ANYWHERE = set().union(*OPTIONS.values())


def unknown_in_command_line(text: str) -> list[str]:
    """The commands and options in a text that do not exist; an option goes with its command."""
    command = re.search(r"\bmatinee ([a-z][a-z-]*)", text)
    name = command[1] if command else None
    if name is not None and name not in COMMANDS:
        return [f"matinee {name}"]
    known = OPTIONS[name] if name else ANYWHERE
    return [one for one in re.findall(r"(?<![\w-])--?[a-z][a-z-]*", text) if one not in known]


def missing_in_python(text: str) -> list[str]:
    """The names of ``matinee`` and of models in a text that do not exist."""
    roots = {"matinee": matinee, "model": matinee.Model, "ratings": matinee.Ratings}
    missing = []
    for root, path in re.findall(r"\b(matinee|model|ratings)\.([a-zA-Z_.]+)", text):
        one: object = roots[root]
        for name in path.split("."):
            one = getattr(one, name, None)
        missing += [] if one is not None else [f"{root}.{path}"]
    return missing


def test_every_advised_command_option_and_name_exists():
    found = list(remedies())
    assert len(found) > 40
    settings = {one for kind in ALGORITHMS.values() for one in kind.__dataclass_fields__}
    wrong = []
    for place, kind, texts in found:
        if kind == "Option" and f"--{texts[0].replace('_', '-')}" not in ANYWHERE | SEVERAL:
            wrong.append(f"{place}: --{texts[0]}")
        if kind == "Setting" and texts[0] not in settings:
            wrong.append(f"{place}: {texts[0]}")
        if kind == "Advice":
            wrong += [f"{place}: {one}" for one in missing_in_python(texts[0])]
            wrong += [f"{place}: {one}" for one in unknown_in_command_line(texts[1])]
    assert wrong == []


SEVERAL = {"--ratings"}  # of k-curve's Python function alone


def messages() -> Iterator[tuple[str, str]]:
    """(place, text) of every text in the source that names a command of ours."""
    for file in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(file.read_text())
        docstrings = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body
            if isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and "matinee " in text and id(node) not in docstrings:
                yield f"{file.relative_to(SOURCE)}:{node.lineno}", text


def test_every_command_that_a_message_names_exists():
    commands = [
        (place, command)
        for place, text in messages()
        for command in re.findall(r"(?<![\w.])matinee ([a-z][a-z-]+)(?= [-A-Z]|$|[;,)])", text)
    ]
    assert len(commands) > 10
    assert [one for one in commands if one[1] not in COMMANDS] == []


def test_options_of_the_functions_exist_in_python():
    parameters = set(inspect.signature(matinee.read_ratings).parameters)
    advised = {
        texts[0] for place, kind, texts in remedies() if kind == "Option" and "sour" in place
    }
    assert advised - parameters <= {"memory"}, "an argument of pack"
    assert "memory" in inspect.signature(matinee.pack).parameters


# Following them.

STARS = "".join(f"u{n % 20},i{n % 13},{n % 5 + 1}\n" for n in range(260) if n % 3)
GOOD = f"user,item,rating\n{STARS}"
BELOW = GOOD.replace(",5\n", ",-5\n")
FIT = ["fit", "r.csv", "--out", "model", "-a"]

MISTAKES: dict[str, tuple[str | bytes, list[str]]] = {
    "encoding": (GOOD.replace("u1,", "é1,").encode("latin-1"), ["inspect", "r.csv"]),
    "utf-16": (GOOD.encode("utf-16-le"), ["inspect", "r.csv"]),
    "decimal": ("user;item;plays\na;x;1,234\nb;y;2\n", ["inspect", "r.csv"]),
    "columns": ("a,x,3,7,8\nb,y,4,7,8\n", ["inspect", "r.csv"]),
    "row names": ("user,item,rating\n1,a,x,3\n2,b,y,4\n", ["inspect", "r.csv"]),
    "names alike": ("user,item,rating,rating\na,x,1,3\nb,y,2,4\n", ["inspect", "r.csv"]),
    "no rating": ("user,item,session\na,x,7\nb,y,8\n", ["inspect", "r.csv"]),
    "events": ("user,item,event\na,x,view\nb,y,buy\n", ["inspect", "r.csv"]),
    "users": ("who,x,y\na,1,2\nb,3,4\n", ["inspect", "r.csv", "--wide", "empty"]),
    "missing": ("2,3,99,8\n1,99,2,99\n0,99,99,99\n", ["inspect", "r.csv", "--wide", "empty"]),
    "repeated": (GOOD + "u1,i1,3\nu1,i1,4\n", ["inspect", "r.csv", "--duplicates", "error"]),
    "by_rating": (BELOW, [*FIT, "implicit-als", "--set", "by_rating=1"]),
    "negative": (BELOW, [*FIT, "nmf", "--set", "missing=zero"]),
    "center": (
        GOOD,
        [*FIT, "truncated-svd", "--set", "fill=user_mean", "--set", "center=user_all"],
    ),
    "solver": (GOOD, [*FIT, "mf", "--set", "solver=sgd", "--set", "implicit_weight=0.5"]),
    "rate": (GOOD, [*FIT, "mf", "--set", "solver=als", "--set", "learning_rate=0.01"]),
    "relevant": (
        GOOD,
        ["evaluate", "r.csv", "-a", "mf", "--set", "n_factors=2", "--relevant-from", "99"],
    ),
}


def followed(arguments: list[str], remedy: Setting | Option) -> list[str]:
    """A command with a remedy in the place of what it had for the same setting or option."""
    advised = remedy.worded(Face.COMMAND_LINE).split(" ", 1)
    start = f"{remedy.name}=" if isinstance(remedy, Setting) else ""
    pairs = list(zip(arguments, [*arguments[1:], ""], strict=True))
    replaced = {
        at for at, (one, value) in enumerate(pairs) if one == advised[0] and value.startswith(start)
    }
    dropped = replaced | {at + 1 for at in replaced}
    return [one for at, one in enumerate(arguments) if at not in dropped] + advised


def has_value(remedy: object) -> bool:
    """Whether a remedy can be followed as it stands."""
    if isinstance(remedy, Setting):
        return True
    if not isinstance(remedy, Option) or remedy.value is None or remedy.value is ...:
        return False
    return not (isinstance(remedy.value, dict) and "..." in remedy.value.values())


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_advice_of_a_message_works_when_it_is_followed(mistake, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content, arguments = MISTAKES[mistake]
    Path("r.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    if arguments[0] == "fit":
        arguments = [*arguments, "--no-check", *SMALL.get(arguments[5], [])]
    with pytest.raises(MatineeError) as caught:
        app.main(arguments, standalone_mode=False)
    said = caught.value.worded(Face.COMMAND_LINE)
    tried = 0
    for remedy in filter(has_value, caught.value.remedies):
        if remedy == NOT_ADVICE.get(mistake):
            continue
        assert remedy.worded(Face.COMMAND_LINE) in said
        app.main(followed(arguments, remedy), standalone_mode=False)  # type: ignore[arg-type]
        tried += 1
    assert tried, said


SMALL = {name: ["--set", "n_factors=2"] for name in ("implicit-als", "nmf", "truncated-svd", "mf")}
NOT_ADVICE = {  # what is said of the setting that there is
    "negative": Setting("missing", "zero"),
    "center": Setting("fill", "user_mean"),
}
