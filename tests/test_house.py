"""The rules of the house: layers, sizes, quick imports, public names, and docstrings."""

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import pytest

import matinee

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "matinee"
FILES = sorted(SOURCE.rglob("*.py"))
BENCHMARKS = ROOT / "benchmarks"

# Imports go down only: a module may import from its own line and from the lines above it.
LAYERS = [
    "errors garbage interrupts",
    "display",
    "disk",
    "data kernels",
    "sources splitting storage",
    "row_solvers tastes",
    "lists",
    "explain",
    "models",
    "training",
    "algorithms",
    "evaluation",
    "tuning",
    "charts",
    "report",
    "feedback",
    "list_store",
    "spark server",
    "cli",
    "__main__",
]
HEIGHT = {name: height for height, line in enumerate(LAYERS) for name in line.split()}

MOST_LINES_OF_FUNCTION = 60  # with its signature, which may take a line for each argument

MOST_ARGUMENTS = 7
# Kernels may have more, as may what click and FastAPI call, and public functions with options.
WIDE_ROOMS = ("kernels/", "cli/commands/", "server/routes/")

MOST_ANY = 3.2  # uses per thousand lines, besides imports

SLOW_TO_IMPORT = [
    "fastapi",
    "sqlalchemy",
    "numba",
    "scipy",
    "sklearn",
    "duckdb",
    "pandas",
    "polars",
    "pyarrow",
    "pyspark",
    "jax",
]

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(file: Path) -> str:
    return file.relative_to(SOURCE).as_posix()


def part_of(file: Path) -> str:
    """The first name below ``matinee``: the part of the package that has a layer."""
    return file.relative_to(SOURCE).parts[0].removesuffix(".py")


def height_of(part: str) -> int:
    """The line of LAYERS that a part stands in; parts without one are above all others."""
    return 0 if part == "__init__" else HEIGHT.get(part, len(LAYERS))


def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def imports_of(file: Path) -> Iterator[tuple[int, str]]:
    """(line, module) of every import, those inside functions and for types included."""
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")


# Layers.


def test_every_part_of_the_package_has_a_layer():
    parts = {part_of(file) for file in FILES} - {"__init__"}
    assert parts <= set(HEIGHT), f"give a line of LAYERS to {sorted(parts - set(HEIGHT))}"


def test_imports_go_down_only():
    upward = [
        f"{name_of(file)}:{line}: {module} is above {part_of(file)}"
        for file in FILES
        for line, module in imports_of(file)
        if module.startswith("matinee.")
        and height_of(module.split(".")[1]) > height_of(part_of(file))
    ]
    assert not upward


def test_only_kernels_know_of_threads_and_compilation():
    """Their drivers take and return plain arrays; ``kernels.blas`` holds BLAS to one thread."""
    inside = ("matinee.kernels.jit", "matinee.kernels.threads")
    outside = [
        f"{name_of(file)}:{line}: {module}"
        for file in FILES
        for line, module in imports_of(file)
        if module in inside and part_of(file) != "kernels"
    ]
    assert not outside


@pytest.mark.parametrize("top", [SOURCE.parent, BENCHMARKS], ids=lambda top: top.name)
def test_no_module_imports_itself_through_others(top):
    """Imports inside functions and those for types included."""
    assert not list(strongly_connected(import_graph(top)))


def module_of(file: Path, top: Path) -> str:
    """The dotted name of a file's module, below the folder that is on the path."""
    parts = file.relative_to(top).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def import_graph(top: Path) -> dict[str, set[str]]:
    """The modules below a folder that each of them imports, anywhere in its file."""
    files = {module_of(file, top): file for file in top.rglob("*.py")}
    modules = set(files)
    graph: dict[str, set[str]] = {}
    for module, file in files.items():
        imported = graph.setdefault(module, set())
        for node in ast.walk(tree_of(file)):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names} & modules
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = {f"{node.module}.{alias.name}" for alias in node.names}
                imported |= {name if name in modules else node.module for name in names} & modules
    return graph


def strongly_connected(graph: dict[str, set[str]]) -> list[list[str]]:
    """The strongly connected components of two modules or more."""
    reached = {module: reachable_from(module, graph) for module in graph}
    components = {
        tuple(sorted(other for other in reached[module] if module in reached[other]))
        for module in graph
        if module in reached[module]
    }
    return [list(component) for component in sorted(components)]


def reachable_from(module: str, graph: dict[str, set[str]]) -> set[str]:
    """The modules that one step or more lead to."""
    reached: set[str] = set()
    ahead = list(graph[module])
    while ahead:
        other = ahead.pop()
        if other not in reached:
            reached.add(other)
            ahead += graph[other]
    return reached


def test_own_modules_are_imported_by_their_full_names():
    """``from matinee.x import y``; ``import matinee`` is for the version alone."""
    otherwise = [
        f"{name_of(file)}:{node.lineno}: {ast.unparse(node)}"
        for file in FILES
        for node in ast.walk(tree_of(file))
        if (isinstance(node, ast.Import) and any(map(is_part, node.names)))
        or (isinstance(node, ast.ImportFrom) and (node.level or node.module == "matinee"))
    ]
    assert not otherwise


def is_part(alias: ast.alias) -> bool:
    return alias.name.startswith("matinee.")


# Sizes.


def test_a_function_reads_as_a_paragraph():
    long = {
        f"{name_of(file)}:{function.name}": n
        for file in FILES
        for function in ast.walk(tree_of(file))
        if isinstance(function, Function) and (n := lines_of(function)) > MOST_LINES_OF_FUNCTION
    }
    assert not long, "which sentence of it is a function of its own?"


def lines_of(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_what_travels_together_is_a_value():
    wide = {
        f"{name_of(file)}:{function.name}"
        for file in FILES
        if not name_of(file).startswith(WIDE_ROOMS)
        for function in ast.walk(tree_of(file))
        if isinstance(function, Function) and arguments_of(function) > MOST_ARGUMENTS
        if function.name not in matinee.__all__
    }
    assert wide == {"data/ratings.py:of"}  # the columns of ratings, and what is known of them


def arguments_of(function: Function) -> int:
    """How many a caller can give."""
    names = [one.arg for one in [*function.args.posonlyargs, *function.args.args]]
    return len(names) - (names[:1] in (["self"], ["cls"])) + len(function.args.kwonlyargs)


# Types.


def test_any_stands_only_where_an_untyped_library_begins():
    """JSON has ``display.plain_data``, columns ``display.frames``, JAX ``kernels.devices``."""
    lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in FILES)
    uses = sum(
        isinstance(node, ast.Name) and node.id == "Any"
        for file in FILES
        for node in ast.walk(tree_of(file))
    )
    assert uses <= MOST_ANY * lines / 1000


# Quick imports.


def loaded_by(code: str) -> set[str]:
    """The slow modules that a fresh interpreter has loaded after some code."""
    report = f"import sys; print(*(set({SLOW_TO_IMPORT}) & set(sys.modules)), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"],
        env={"PYTHONPATH": str(SOURCE.parent), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.split())


def test_import_matinee_loads_nothing_slow():
    assert loaded_by("import matinee") == set()


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_loads_nothing_slow(argument):
    code = f"""
import sys
from matinee.cli import main
sys.argv = ["matinee", {argument!r}]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""
    assert loaded_by(code) == set()


# Public names.


@pytest.mark.parametrize("name", matinee.__all__)
def test_every_public_name_is_at_home_and_documented(name):
    value = getattr(matinee, name)
    assert value is getattr(import_module(matinee.HOME_OF[name]), name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert inspect.getdoc(value)


def test_public_names_are_listed_once():
    listed = [name for names in matinee.HOMES.values() for name in names]
    assert len(listed) == len(set(listed))
    assert {*listed, *matinee.MODULES} <= set(dir(matinee))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'nonsense'"):
        _ = matinee.nonsense


def test_methods_of_public_classes_are_documented():
    silent = [
        f"{name}.{label}"
        for name in matinee.__all__
        for label, method in inspect.getmembers(getattr(matinee, name), inspect.isroutine)
        if not label.startswith("_") and is_ours(method) and not inspect.getdoc(method)
    ]
    assert not silent


def is_ours(method: object) -> bool:
    return str(getattr(method, "__module__", "")).startswith("matinee")


def test_modules_functions_and_classes_say_what_they_are():
    silent = [
        f"{name_of(file)}:{getattr(node, 'name', 'the file itself')}"
        for file in FILES
        for node in [tree_of(file), *tree_of(file).body]
        if isinstance(node, ast.Module | Function | ast.ClassDef)
        and not getattr(node, "name", "").startswith("_")
        and not ast.get_docstring(node)
    ]
    assert not silent


# What docstrings of the rooms below the algorithms say; overriding methods may have none.

DOCUMENTED_ROOMS = {"data", "sources", "row_solvers", "explain", "models", "training"}
SHAPE = re.compile(r"\([\w .+*-]+,[\w .,+*-]*\)|\bshapes?\b")  # (n_users,), (n_items, n_factors)


def documented_functions() -> Iterator[tuple[str, Function, str]]:
    """(place, function, docstring or "") of public ones."""
    for file in FILES:
        if part_of(file) in DOCUMENTED_ROOMS:
            for parent in ast.walk(tree_of(file)):
                if isinstance(parent, ast.Module | ast.ClassDef):
                    for node in parent.body:
                        if isinstance(node, Function) and not node.name.startswith("_"):
                            text = ast.get_docstring(node) or ""
                            yield f"{name_of(file)}:{node.lineno}: {node.name}", node, text


def raises(function: Function) -> bool:
    """Whether an error is raised in the function itself, beyond "a subclass defines this"."""
    errors = [ast.unparse(one.exc) for one in ast.walk(function) if is_raise(one)]
    return any(error != "NotImplementedError" for error in errors)


def is_raise(node: ast.AST) -> bool:
    return isinstance(node, ast.Raise) and node.exc is not None


def test_docstrings_say_what_is_raised():
    silent = [
        place
        for place, function, text in documented_functions()
        if text and raises(function) and not re.search(r"\b[Rr]aises?\b", text)
    ]
    assert not silent


def test_docstrings_say_the_shapes_of_arrays():
    silent = []
    for place, function, text in documented_functions():
        annotations = [one.annotation for one in [*function.args.args, *function.args.kwonlyargs]]
        types = " ".join(ast.unparse(one) for one in [*annotations, function.returns] if one)
        if re.search(r"\bND?[aA]rray\b|np\.ndarray", types) and text and not SHAPE.search(text):
            silent.append(place)
    assert not silent


# Words.

COUNTED = re.compile(
    " (answers|columns|entries|epochs|events|factors|films|items|neighbors|people|predictions"
    "|ratings|rows|scores|tastes|trials|users|weights)\\b"
)
# What goes before these is no single number, or never 1.
NOT_COUNTED = {
    "{FEWEST} people",
    "{_short(row['group'])} ratings",
    "{size} factors",
    "{len(matches)} items",
    "{finding.count} rows",
    "{counts[0]} rows",
    "{self.n_pending} events",
    "{n_items} weights",
}


def test_a_noun_goes_with_its_number():
    """``1 rating``, ``2 ratings``: by ``words.counted``, wherever a number goes before a noun."""
    by_hand = {
        f"{{{ast.unparse(number.value)}}}{found[0]}"
        for file in FILES
        for text in ast.walk(tree_of(file))
        if isinstance(text, ast.JoinedStr)
        for number, after in pairwise(text.values)
        if isinstance(number, ast.FormattedValue)
        and isinstance(after, ast.Constant)
        and (found := COUNTED.match(after.value))
    }
    assert by_hand <= NOT_COUNTED
