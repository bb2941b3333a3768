"""The reference pages, written from the code itself: ``python docs/generate.py``.

A test fails when a page that is checked in differs from what this writes.
"""

import dataclasses
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from matinee.algorithms import ALGORITHMS
from matinee.algorithms.base import Algorithm
from matinee.algorithms.mf import MF
from matinee.cli import COMMANDS, app
from matinee.metrics import METRICS, explanations

HERE = Path(__file__).resolve().parent
MADE = "<!-- Written by docs/generate.py from the code; do not edit by hand. -->"
WIDTH = 100  # characters of a help text
COMMENTED = re.compile(r"^    (\w+): .*?  # (.+)$", re.MULTILINE)

BETTER = {
    True: "Higher is better.",
    False: "Lower is better.",
    None: "Neither end is good by itself.",
}

# Beside its defaults, the settings of an algorithm that come out otherwise for another solver.
VARIANTS: dict[str, tuple[Algorithm, ...]] = {"mf": (MF(solver="sgd"),)}


def algorithms_page() -> str:
    """Every registered algorithm: what it fits, its source, and its hyper-parameters."""
    parts = [
        MADE,
        "# Algorithms",
        "Every algorithm is a frozen value of hyper-parameters whose `fit(train)` returns a model. "
        "The fields below are its keyword arguments in Python, and `--set name=value` on the "
        "command line. The notation is explained in [methods.md](methods.md).",
    ]
    for name, kind in ALGORITHMS.items():
        parts += [f"## `{name}`: `{kind.__name__}`", *as_typed(module_doc(kind))]
        parts += fields_table(kind)
        parts += [
            f"With {chosen} the defaults are: {', '.join(following)}."
            for chosen, *following in (differences(one, kind) for one in VARIANTS.get(name, ()))
        ]
    return "\n\n".join(parts) + "\n"


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
    """The hyper-parameters of an algorithm: name, default, meaning."""
    parents = [one for one in reversed(kind.__mro__) if dataclasses.is_dataclass(one)]
    meaning = dict(pair for one in parents for pair in COMMENTED.findall(inspect.getsource(one)))
    fields = dataclasses.fields(kind)
    if not fields:
        yield "It has no hyper-parameters."
        return
    rows = [
        f"| `{field.name}` | `{getattr(kind(), field.name)!r}` | {meaning.get(field.name, '')} |"
        for field in fields
    ]
    yield "\n".join(["| setting | default | meaning |", "|---|---|---|", *rows])


def differences(other: Algorithm, kind: type[Algorithm]) -> list[str]:
    """The settings in which a variant differs from the defaults: the chosen one, what follows."""
    defaults = kind().settings
    return [f"`{name}={value!r}`" for name, value in other.settings.items()
            if value != defaults[name]]  # fmt: skip


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
    for one in (explanations.largest_terms_share, explanations.stability,
                explanations.deletion_fidelity):  # fmt: skip
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


PAGES: dict[str, Callable[[], str]] = {
    "reference-algorithms.md": algorithms_page,
    "reference-cli.md": cli_page,
    "reference-metrics.md": metrics_page,
}


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        (HERE / name).write_text(page(), encoding="utf-8")
        print(HERE / name, file=sys.stderr)


if __name__ == "__main__":
    main()
