"""``matinee doctor``: what runs here, on what, and which optional parts are installed."""

import platform
import re
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

import click

import matinee
from matinee.cli.console import json_option, painted, print_json, width, wrap
from matinee.display.notebook import Grid
from matinee.display.optional import extra

REQUIREMENT = re.compile(r"""(?P<name>[\w.-]+).*extra == ["'](?P<extra>\w+)["']""")
FOR_DEVELOPERS = {"test"}  # extras that give a user nothing


@click.command("doctor")
@json_option
def command(as_json: bool) -> None:
    """Show what a report of a problem should say.

    Versions, the processor and which vector code it gets, threads, BLAS, where compiled code is
    cached, memory, and the optional parts with what each lacks.
    """
    facts, parts = facts_here(), optional_parts()
    if as_json:
        print_json({**facts, "parts": parts})
        return
    print_pairs(list(facts.items()))
    click.echo()
    if not parts:
        parts_of = "The optional parts are those of an installation; this runs from the source."
        click.echo(wrap(parts_of))
        return
    print_pairs([("part", "state"), *((name, state(name, lacks)) for name, lacks in parts.items())])


def print_pairs(rows: list[tuple[str, str]]) -> None:
    """Write names with their texts, which are broken where the terminal ends."""
    grid, columns = Grid(rows, has_heading=False, left=(0, 1)), width()
    click.echo("\n".join(painted(grid.lines(columns), columns)))


def facts_here() -> dict[str, str]:
    """What computes here, by name."""
    from matinee.kernels import machine

    libraries = ("numpy", "scipy", "numba", "llvmlite", "duckdb")
    return {
        "matinee": f"{matinee.__version__}, {Path(matinee.__file__).parent}",
        "python": f"{platform.python_version()}, {platform.platform()}",
        "libraries": ", ".join(f"{name} {version(name)}" for name in libraries),
        "vectors": machine.vector_code(),
        "threads": machine.threads(),
        "blas": machine.blas(),
        "code cache": machine.code_cache(),
        "memory": memory(),
    }


def memory() -> str:
    """What the machine has, where it says so."""
    from matinee.algorithms.host_memory import machine_memory

    total = machine_memory()
    return "unknown" if total is None else f"{total / 2**30:.1f} GiB"


def optional_parts() -> dict[str, list[str]]:
    """The extras that the installed package declares, and what each lacks."""
    try:
        requirements = distribution("matinee").requires or []
    except PackageNotFoundError:  # run from its source, without an installation
        return {}
    parts: dict[str, list[str]] = {}
    for match in filter(None, map(REQUIREMENT.match, requirements)):
        name, extra = match["name"], match["extra"]
        if extra in FOR_DEVELOPERS:
            continue
        lacks = parts.setdefault(extra, [])
        if not is_installed(name):
            lacks.append(name)
    return parts


def is_installed(name: str) -> bool:
    """Whether a distribution is installed."""
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


def state(name: str, lacks: list[str]) -> str:
    """Whether a part is there, or what brings it."""
    if not lacks:
        return "installed"
    return f"lacks {', '.join(lacks)}: {extra(name).remedy}"
