"""A reader of a page, who types its commands: imported by the page's own fresh interpreter."""

import math
import os
import re
import subprocess
import sys

SHELL = """\
set -euo pipefail
matinee() { "$PYTHON" -m matinee "$@"; }
python() { "$PYTHON" "$@"; }
"""
# An error or a metric, but not its spread over a few folds; seconds and megabytes are shorter.
FIGURE = re.compile(r"(?<![±\d])\d+\.\d{4}\b")


def commands_of(code: str) -> dict[str, str]:
    """Each line after ``$``, continued as the shell does, and the output shown below it."""
    _, *parts = re.split(r"^\$ ", code.replace("\\\n", " "), flags=re.MULTILINE)
    return {part.partition("\n")[0]: part.partition("\n")[2] for part in parts}


def run_commands(code: str) -> None:
    """Run the commands of a block; the figures it shows come out, to 1 in 100 or 5 in 10,000."""
    for command, shown in commands_of(code).items():
        came_out = figures_of(in_shell(command))
        for name, values in figures_of(shown).items():
            assert len(came_out[name]) == len(values), (command, name)
            for one, other in zip(came_out[name], values, strict=True):
                assert math.isclose(one, other, rel_tol=0.01, abs_tol=5e-4), (command, name)


def figures_of(output: str) -> dict[str, list[float]]:
    """The figures of each line that has some, by what stands first in the line."""
    lines = {line: FIGURE.findall(line) for line in output.splitlines()}
    return {line.split()[0]: list(map(float, found)) for line, found in lines.items() if found}


def in_shell(command: str) -> str:
    """Run a command as a reader would, with the ``matinee`` and the Python under test."""
    assert "matinee serve" not in command, "it never ends: write it in text, or in a block of sh"
    done = subprocess.run(
        ["bash", "-c", SHELL + command],
        env={**os.environ, "PYTHON": sys.executable, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,  # not a measure of speed: a command that waits for ever fails, and is named
    )
    assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"
    return done.stdout
