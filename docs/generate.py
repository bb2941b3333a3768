"""The reference pages, written from the code itself: ``python docs/generate.py``.

A test fails when a page that is checked in differs from what this writes.
"""

import dataclasses
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import click
import numpy as np

import matinee
from matinee import splitting
from matinee.algorithms import ALGORITHMS
from matinee.algorithms.base import Algorithm
from matinee.algorithms.hyperparameters import hyperparameter_of
from matinee.cli import COMMANDS, app
from matinee.data.ratings import Ratings
from matinee.evaluation.metrics import METRICS, explanations
from matinee.models import Model
from matinee.models.baseline import BaselineModel
from matinee.models.folding import FoldingModel
from matinee.row_solvers import to_plain
from matinee.sources.sample import sample

HERE = Path(__file__).resolve().parent
MADE = "<!-- Written by docs/generate.py from the code; do not edit by hand. -->"
WIDTH = 100  # characters of a help text
SOME_USERS = 300  # of the embedded ratings; a network solves each by itself
SOURCE = re.compile(r"[A-Z]\w+(?:, \w+)?(?: (?:&|and) \w+| et al\.)? (?:19|20)\d\d")

BETTER = {
    True: "Higher is better.",
    False: "Lower is better.",
    None: "Neither end is good by itself.",
}


def algorithms_page() -> str:
    """Every registered algorithm: what it fits, its source, and its hyper-parameters."""
    parts = [
        MADE,
        "# Algorithms",
        "Every algorithm is a frozen value of hyper-parameters whose `fit(train)` returns a model. "
        "The fields below are its keyword arguments in Python, and `--set name=value` on the "
        "command line. The notation is explained in [methods.md](methods.md).",
        "## What each can do",
        "Read off models fitted with the usual settings on a part of the embedded ratings. What "
        "learns from ratings predicts stars; what learns from choices gives points that only "
        "rank. An unknown user or item is predicted as the average one and marked. Newcomers get "
        "the row solve of `row_solvers/` that is named. Terms of every view sum to the score; "
        "by history they are exact where each rating's term is its part of the row solve, and "
        "else what training added beyond the ratings is a term of its own.",
        "\n".join(capabilities()),
    ]
    for name, kind in ALGORITHMS.items():
        parts += [f"## `{name}`: `{kind.__name__}`", *as_typed(module_doc(kind))]
        parts += fields_table(kind)
    return "\n\n".join(parts) + "\n"


@cache
def some_ratings() -> Ratings:
    """A small part of the embedded ratings: enough to see what a model can do."""
    ratings = splitting.random(sample(), test_share=0.9).train
    return ratings.subset(ratings.user < SOME_USERS)


def capabilities() -> Iterator[str]:
    """The table of what each algorithm learns from, answers, explains and searches."""
    yield "| algorithm | learns from | newcomers folded in by | explains by | tuned | source |"
    yield "|---|---|---|---|---|---|"
    for name, kind in ALGORITHMS.items():
        model = kind().fit(some_ratings())
        data = "ratings, in stars" if model.kind == "rating" else "choices, in points"
        searched = ", ".join(f"`{setting}`" for setting in kind.space) or "none"
        views = ", ".join(view_in_words(model, view) for view in model.views)
        sources = "; ".join(dict.fromkeys(SOURCE.findall(module_doc(kind)))) or "–"
        yield f"| `{name}` | {data} | {newcomers(model)} | {views} | {searched} | {sources} |"


def newcomers(model: Model) -> str:
    """How a model folds somebody in."""
    if isinstance(model, BaselineModel):
        return "their ratings as they are, and a bias"
    if not isinstance(model, FoldingModel):
        return "as each of its models does"
    words = to_plain(model.fold)["kind"].replace("_", " ")
    return f"non-negative {words}" if getattr(model.fold, "nonnegative", False) else words


def view_in_words(model: Model, view: str) -> str:
    """A view, and whether each rating's term is exact where the view is by history."""
    if view != "history":
        return view
    user = model.users.ids[int(np.argmax(model.seen.counts))]
    terms = model.explain(user, model.items.ids[0], by=view)
    beyond = any(term.kind == "remainder" for term in terms)
    return "history (and what is beyond it)" if beyond else "history (exact)"


def module_doc(kind: type) -> str:
    """The docstring of the module that a class is from: its mathematics."""
    return inspect.getdoc(inspect.getmodule(kind)) or ""


def as_typed(docstring: str) -> Iterator[str]:
    """The first line of a docstring as a sentence, the rest as it is typed: formulas line up."""
    first, _, rest = docstring.partition("\n")
    yield first
    if rest.strip():
        yield f"```text\n{rest.strip(chr(10))}\n```"


def as_prose(docstring: str) -> str:
    """A docstring without laid-out formulas, as Markdown."""
    return docstring.strip().replace("``", "`")


def fields_table(kind: type[Algorithm]) -> Iterator[str]:
    """The hyper-parameters of an algorithm: name, default, range, meaning."""
    fields = dataclasses.fields(kind)
    if not fields:
        yield "It has no hyper-parameters."
        return
    rows = ["| setting | default | takes | meaning |", "|---|---|---|---|"]
    for field in fields:
        stated = hyperparameter_of(field)
        default, takes = stated.default_in_words, stated.range_in_words(field.type)
        rows.append(f"| `{field.name}` | {default} | {takes} | {stated.meaning} |")
    yield "\n".join(rows)


def metrics_page() -> str:
    """Every metric: its contract, from its docstring."""
    parts = [
        MADE,
        "# Metrics",
        "What is measured, by its name in tables. `n` is the length of the list, as in `ndcg@10`.",
        "\n".join(
            [
                "| metric | in one sentence | one number for | |",
                "|---|---|---|---|",
                *(metric_row(name) for name in METRICS),
            ]
        ),
    ]
    for name, metric in METRICS.items():
        contract = as_prose(inspect.getdoc(metric.compute) or "")
        parts += [f"## `{name}`", f"{BETTER[metric.higher_is_better]}", contract]
    parts += ["## How good explanations are", as_prose(inspect.getdoc(explanations) or "")]
    for one in (
        explanations.largest_terms_share,
        explanations.stability,
        explanations.deletion_fidelity,
    ):
        parts += [f"### `{one.__name__}`", as_prose(inspect.getdoc(one) or "")]
    shared = dict.fromkeys(inspect.getmodule(metric.compute) for metric in METRICS.values())
    parts += ["## What they share", *(as_prose(inspect.getdoc(one) or "") for one in shared)]
    return "\n\n".join(parts) + "\n"


def metric_row(name: str) -> str:
    """A metric in the table of all."""
    metric = METRICS[name]
    contract = as_prose(inspect.getdoc(metric.compute) or "").split("\n\n")[0]
    contract = re.sub(r"(, per user)?: float64 \(n_users,\)", "", contract)
    sentence = re.split(r"(?<=\.)\s", contract.replace("\n", " "))[0].replace("|", "\\|")
    of = {"ratings": "all test ratings", "intervals": "some test ratings", "catalog": "all lists"}
    at = "@n" if metric.at_n else ""
    better = BETTER[metric.higher_is_better].rstrip(".")
    return f"| `{name}{at}` | {sentence} | {of.get(metric.source, 'each user')} | {better} |"


def cli_page() -> str:
    """Every command, by its own ``--help``."""
    parts = [
        MADE,
        "# Command line",
        "Each command is `matinee COMMAND`, or `python -m matinee COMMAND`.",
    ]
    program = app.make_context("matinee", [], resilient_parsing=True)
    for name in COMMANDS:
        command = app.get_command(program, name)
        assert command is not None
        context = click.Context(command, program, info_name=name, terminal_width=WIDTH)
        parts += [f"## `matinee {name}`", f"```text\n{command.get_help(context)}\n```"]
    return "\n\n".join(parts) + "\n"


def api_page() -> str:
    """Every endpoint of the server, from its OpenAPI document."""
    from matinee.server.app import api
    from matinee.server.middleware.security import AccessPolicy
    from matinee.server.reference import api_reference, to_markdown

    parts = [
        MADE,
        "# HTTP API",
        "What `matinee serve` answers; [serving.md](serving.md) says how to run it. A running "
        "server shows this page at `/docs`, and the OpenAPI document at `/openapi.json`. Every "
        "answer of `/v1` has the fields `model_version`, `strategy` and `took_ms`; errors are "
        "problem documents (RFC 9457), `ProblemDocument` below.",
        to_markdown(api_reference(api(AccessPolicy("")).openapi())),
    ]
    return "\n\n".join(parts) + "\n"


def python_page() -> str:
    """Every public name of the package, by subject, with the first sentence of its docstring."""
    parts = [
        MADE,
        "# Python",
        "What `import matinee` gives, by subject, and after it the modules that are public by "
        "their own names. The examples run from the top; `help(matinee.MF)` shows the same text "
        "at a prompt.",
    ]
    for title, homes in SUBJECTS.items():
        names = sorted(
            name
            for home, names in matinee.HOMES.items()
            for name in names
            if home.startswith(homes)
        )
        rows = "\n".join(f"| `{name}` | {summary(name)} |" for name in names)
        parts += [f"## {title}", f"| name | what it is |\n|---|---|\n{rows}", example(title)]
        entries = "\n\n".join(filter(None, map(entry, names)))
        parts.append(f"```{{eval-rst}}\n{entries}\n```")
    for module, title in MODULES.items():
        parts += [
            f"## {title}",
            example(title.partition(":")[0]),
            f"```{{eval-rst}}\n.. automodule:: {module}\n   :members:\n```",
        ]
    return "\n\n".join(parts) + "\n"


def summary(name: str) -> str:
    """The first paragraph of the docstring of a public name; a dict has none of its own."""
    value = getattr(matinee, name)
    text = "Every algorithm by name." if isinstance(value, dict) else inspect.getdoc(value) or ""
    return " ".join(text.split("\n\n")[0].split()).replace("|", "\\|")


def example(title: str) -> str:
    """The cell of a subject, as a block of Python."""
    _, *cells = (HERE / "reference_examples.py").read_text(encoding="utf-8").split("\n# %% ")
    code = dict(cell.split("\n", 1) for cell in cells)[title]
    return f"```python\n{code.strip()}\n```"


def entry(name: str) -> str:
    """The directive that shows all of a public name on the site."""
    value = getattr(matinee, name)
    kind = "autoclass" if inspect.isclass(value) else "autofunction" if callable(value) else ""
    members = "fit" if name in ALGORITHM_NAMES else ""
    shown = f"\n   :members: {members}".rstrip() if kind == "autoclass" else ""
    if value is matinee.Model:  # what it has from Fitted is public too
        shown += "\n   :inherited-members:"
    return kind and f".. {kind}:: matinee.{name}{shown}"


SUBJECTS = {  # titles, and where the names that stand under them live
    "Reading ratings": ("matinee.sources", "matinee.data"),
    "Algorithms": ("matinee.algorithms", "matinee.kernels"),
    "Models": ("matinee.models",),
    "Explanations": ("matinee.explain",),
    "Measuring": ("matinee.evaluation", "matinee.splitting"),
    "Choosing": ("matinee.tuning",),
    "Errors": ("matinee.errors",),
}
MODULES = {  # that are public by their own names
    "matinee.splitting": "Splitting: `matinee.splitting`",
    "matinee.charts": "Charts: `matinee.charts`",
    "matinee.report": "Report: `matinee.report`",
}
ALGORITHM_NAMES = {kind.__name__ for kind in ALGORITHMS.values()}
PAGES: dict[str, Callable[[], str]] = {
    "reference-python.md": python_page,
    "reference-algorithms.md": algorithms_page,
    "reference-cli.md": cli_page,
    "reference-metrics.md": metrics_page,
}
if find_spec("fastapi"):  # the extra "serve"
    PAGES["reference-api.md"] = api_page


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        (HERE / name).write_text(page(), encoding="utf-8")
        print(HERE / name, file=sys.stderr)


if __name__ == "__main__":
    main()
