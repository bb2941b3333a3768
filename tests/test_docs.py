"""What the documentation says, done: every example runs, every reference page is up to date."""

import csv
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import NamedTuple

import pytest

import matinee
from matinee.algorithms import ALGORITHMS
from matinee.cli import COMMANDS
from matinee.evaluation.metrics import METRICS

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = [README, *sorted(DOCS.glob("*.md"))]

COMMANDS_OF_README = """\
pip install . && python -m matinee demo
pip install -e ".[test]" && python -m pytest
"""

SHELL = """\
set -euo pipefail
matinee() { "$PYTHON" -m matinee "$@"; }
python() { "$PYTHON" "$@"; }
"""

FENCE = re.compile(r"^```(?P<language>\S*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://)(?P<target>[^)#\s]+)(?:#[^)]*)?\)")
FIGURE = re.compile(r"^([a-z_]+(?:@\d+)?) +(\d+\.\d{4})$", re.MULTILINE)
CITED = re.compile(r"([A-Z][\w'-]+)(?: et al\.)? ((?:19|20)\d\d)\b")  # the last name before a year
REAL_DATA = re.compile(r"\bml-[\w-]+\.zip\b")


class Block(NamedTuple):
    """A fenced block of a page."""

    language: str
    code: str
    line: int


def blocks_of(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        yield Block(found["language"], found["code"], text.count("\n", 0, found.start()) + 1)


def commands_of(block: Block) -> dict[str, str]:
    """Each line after ``$``, continued as the shell does, and the output shown below it."""
    _, *parts = re.split(r"^\$ ", block.code.replace("\\\n", " "), flags=re.MULTILINE)
    return {part.partition("\n")[0]: part.partition("\n")[2] for part in parts}


def in_shell(command: str, folder: Path) -> str:
    """Run a command as a reader would, with the ``matinee`` and the Python under test."""
    assert "matinee serve" not in command, "it never ends: write it in text, or in a block of sh"
    path = str(Path(matinee.__file__).parents[1])
    done = subprocess.run(
        ["bash", "-c", SHELL + command],
        cwd=folder,
        env={**os.environ, "PYTHON": sys.executable, "PYTHONPATH": path, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,  # not a measure of speed: a command that waits for ever fails, and is named
    )
    assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"
    return done.stdout


def check_figures(shown: str, output: str) -> None:
    """The metrics that a page shows are those that come out, to 1 in 100."""
    found = dict(FIGURE.findall(output))
    for name, value in FIGURE.findall(shown):
        assert float(found[name]) == pytest.approx(float(value), rel=0.01), name


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with a reader's own ``ratings.csv`` in it, and the shell standing there."""
    monkeypatch.chdir(tmp_path)
    sample = matinee.sample()
    with (tmp_path / "ratings.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["user_id", "item_id", "rating"])
        users, items = sample.users.ids[sample.user], sample.items.ids[sample.item]
        rows.writerows(zip(users, items, sample.rating.tolist(), strict=True))
    return tmp_path


def bring_real_data(block: Block, folder: Path, request: pytest.FixtureRequest) -> None:
    """Put the data sets that a block names beside the reader, or skip."""
    for name in sorted(set(REAL_DATA.findall(block.code))):
        data_set = request.getfixturevalue(name.removesuffix(".zip").replace("-", "_"))
        if not (folder / name).exists():
            (folder / name).symlink_to(data_set)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_run_in_order(page, workshop, request):
    names: dict[str, object] = {"__name__": page.stem}
    for block in blocks_of(page):
        bring_real_data(block, workshop, request)
        if block.language == "python":
            code = "\n" * block.line + block.code  # so that a traceback names the page's line
            exec(compile(code, str(page), "exec"), names)
        elif block.language == "console":
            for command, shown in commands_of(block).items():
                check_figures(shown, in_shell(command, workshop))


def test_first_screen_of_readme_has_the_two_commands():
    first = next(blocks_of(README))
    assert first.code == COMMANDS_OF_README
    assert first.line <= 25


@pytest.mark.parametrize("page", [*PAGES, *sorted(ROOT.glob("*.md"))], ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    targets = {found["target"] for found in LINK.finditer(page.read_text(encoding="utf-8"))}
    assert not [target for target in targets if not (page.parent / target).exists()]


def generator():
    """``docs/generate.py`` as a module."""
    spec = spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_methods_cites_is_among_its_sources():
    text, sources = (DOCS / "methods.md").read_text(encoding="utf-8").split("## Sources")
    cited = set(CITED.findall(" ".join(text.split())))
    assert len(cited) > 40
    lines = sources.splitlines()
    missing = [one for one in cited if not any(all(part in line for part in one) for line in lines)]
    assert missing == []


def test_reference_pages_are_up_to_date():
    """Word by word: another version of click may break lines elsewhere."""
    stale = [
        name
        for name, page in generator().PAGES.items()
        if (DOCS / name).read_text(encoding="utf-8").split() != page().split()
    ]
    assert not stale, "run python docs/generate.py"


@pytest.mark.parametrize(
    "name, page",
    [
        *((name, "reference-algorithms.md") for name in ALGORITHMS),
        *((name, "methods.md") for name in ALGORITHMS),
        *((name, "reference-metrics.md") for name in METRICS),
        *((f"matinee {name}", "reference-cli.md") for name in COMMANDS),
    ],
)
def test_everything_registered_is_documented(name, page):
    assert f"`{name}`" in (DOCS / page).read_text(encoding="utf-8")


def test_continuous_integration_runs_what_contributing_says():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    contributing = ROOT / "CONTRIBUTING.md"
    said = [command for block in blocks_of(contributing) for command in commands_of(block)]
    missing = [command for command in said if command not in script + COMMANDS_OF_README]
    site = "sphinx-build --fail-on-warning --conf-dir docs . build/site"  # there elsewhere
    assert missing == ["python docs/generate.py", site], "the former's result is held by a test"
    assert "sphinx-build --fail-on-warning" in script
