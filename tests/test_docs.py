"""What the documentation says, done: every example runs, every reference page is up to date."""

import csv
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import matinee
from matinee import splitting
from matinee.algorithms import ALGORITHMS
from matinee.cli import COMMANDS
from matinee.evaluation.metrics import METRICS
from reader import commands_of
from scripts import script_of

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = [README, *sorted(DOCS.glob("*.md"))]

COMMANDS_OF_README = """\
pip install . && python -m matinee demo
pip install -e ".[test]" && python -m pytest
"""

FENCE = re.compile(r"^```(?P<language>\S*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://)(?P<target>[^)#\s]+)(?:#[^)]*)?\)")
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


def typed(page: Path) -> str:
    """What a reader of a page types, as one script whose lines are those of the page."""
    lines = ["from reader import run_commands"]
    for block in blocks_of(page):
        lines += [""] * (block.line - len(lines))
        if block.language == "python":
            lines += block.code.splitlines()
        elif block.language == "console":
            lines.append(f"run_commands({block.code!r})")
    return "\n".join(lines)


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
def test_examples_run_in_a_fresh_interpreter(page, workshop, tmp_path_factory, request):
    for block in blocks_of(page):
        bring_real_data(block, workshop, request)
    script = tmp_path_factory.mktemp("typed") / f"{page.stem}.py"
    script.write_text(typed(page), encoding="utf-8")
    path = os.pathsep.join([str(Path(matinee.__file__).parents[1]), str(ROOT / "tests")])
    strict = ["-W", "error", "-W", "ignore::matinee.errors.DataWarning"]
    done = subprocess.run(
        [sys.executable, *strict, str(script)],
        cwd=workshop,
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


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
    return script_of("docs/generate.py")


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


def test_every_public_name_stands_in_an_example():
    examples = "".join(
        block.code
        for block in blocks_of(DOCS / "reference-python.md")
        if block.language == "python"
    )
    names = {*re.findall(r"\w+", examples)}
    assert set(matinee.__all__) - names == set()
    assert {one.__name__ for one in splitting.SPLITS.values()} - names == set()


def test_continuous_integration_runs_what_contributing_says():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    contributing = ROOT / "CONTRIBUTING.md"
    said = [line for block in blocks_of(contributing) for line in commands_of(block.code)]
    missing = [command for command in said if command not in script + COMMANDS_OF_README]
    site = "sphinx-build --fail-on-warning --conf-dir docs . build/site"  # there elsewhere
    assert missing == ["python docs/generate.py", site], "the former's result is held by a test"
    assert "sphinx-build --fail-on-warning" in script
