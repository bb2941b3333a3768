"""The getting-started of other libraries and ours, run, compared and counted in lines.

    python benchmarks/side_by_side.py --write

The code is read from docs/side-by-side.md: under each heading the block of the other library, then
ours. Each block runs in a fresh interpreter, in a folder with MovieLens 100K. ``--write`` puts the
table into the page; a library that is not installed keeps the row that the page has.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from argparse import ArgumentParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from data import ROOT, folder_of_data

PAGE = ROOT / "docs" / "side-by-side.md"
SECTION = re.compile(r"^## (.*?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```py\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TABLE = re.compile(r"(?<=the table by hand\. -->\n).*?(?=<!-- end of the table -->)", re.DOTALL)
REST = "ratings.csr().toarray() - model.user_factors @ model.item_factors.T"
COLUMNS = ("task", "their lines", "our lines", "compared", "theirs", "ours")
TIMEOUT = 600  # seconds for a block; no measure of speed


class Figure(NamedTuple):
    """What is compared: expressions over the names that the two blocks define."""

    package: str
    name: str
    theirs: str
    ours: str


class Task(NamedTuple):
    """A section of the page: a task, in the code of another library and in ours."""

    title: str
    theirs: str
    ours: str
    figure: Figure


FIGURES = {  # by the first word of the heading
    "Surprise": Figure(
        "surprise",
        "RMSE",
        "float(results['test_rmse'].mean())",
        "results.to_dict()['metrics']['rmse']",
    ),
    "implicit": Figure(
        "implicit",
        "the same among ten related items",
        "titles[1:].astype(str).tolist()",
        "list(related.item_id)",
    ),
    "LensKit": Figure(
        "lenskit",
        "NDCG@100 of ALS",
        "float(means.loc['ALS', 'NDCG'])",
        "results.results[1].to_dict()['metrics']['ndcg@100']",
    ),
    "scikit-learn": Figure(
        "sklearn",
        "distance from the table",
        "float(model.reconstruction_err_)",
        f"float((({REST}) ** 2).sum() ** 0.5)",
    ),
    "Spark": Figure("pyspark", "RMSE", "rmse", "rmse"),
}


def tasks() -> list[Task]:
    """The tasks of the page, in its order."""
    sections = SECTION.findall(PAGE.read_text(encoding="utf-8"))
    return [
        Task(title, *BLOCK.findall(text), FIGURES[title.split(":")[0]]) for title, text in sections
    ]


def n_lines(code: str) -> int:
    """Lines that are neither empty nor comments."""
    lines = (line.strip() for line in code.splitlines())
    return sum(bool(line) and not line.startswith("#") for line in lines)


def lay_out(zipped: Path, folder: Path) -> None:
    """Put the data where the blocks look for them: the zip, unpacked, and as Spark's guide has."""
    (folder / "ml-100k.zip").symlink_to(zipped.resolve())
    with zipfile.ZipFile(zipped) as files:
        files.extractall(folder)
        files.extractall(folder / "ml-100k")  # Surprise has a folder of its own around it
    rows = (folder / "ml-100k" / "u.data").read_text(encoding="utf-8")
    (folder / "ratings.dat").write_text(rows.replace("\t", "::"), encoding="utf-8")


def value_of(code: str, expression: str, folder: Path) -> Any:
    """What an expression is after some code, both run in a fresh interpreter.

    Raises RuntimeError with what was printed where the code fails.
    """
    answer = folder / "answer.json"
    closing = (
        f"import json\nwith open({str(answer)!r}, 'w') as file:\n    json.dump({expression}, file)"
    )
    # LensKit starts processes that import the main module again, so it must be a guarded file.
    script = folder / "block.py"
    body = "\n".join(f"    {line}" for line in f"{code}\n{closing}".splitlines())
    script.write_text(f"if __name__ == '__main__':\n{body}\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=folder,
        env={**os.environ, "SURPRISE_DATA_FOLDER": str(folder), "OPENBLAS_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    if done.returncode:
        raise RuntimeError(f"{code}\n{done.stdout}{done.stderr}")
    return json.loads(answer.read_text(encoding="utf-8"))


def compared(task: Task, folder: Path) -> tuple[float, float]:
    """The figure of the other library and ours; of two lists, their length and what they share."""
    theirs = value_of(task.theirs, task.figure.theirs, folder)
    ours = value_of(task.ours, task.figure.ours, folder)
    if isinstance(theirs, list):
        return float(len(theirs)), float(len(set(theirs) & set(ours)))
    return theirs, ours


def row_of(task: Task, folder: Path) -> str:
    """A task's row of the table."""
    figures = [f"{figure:.4g}" for figure in compared(task, folder)]
    lines = [str(n_lines(code)) for code in (task.theirs, task.ours)]
    return f"| {' | '.join([task.title, *lines, task.figure.name, *figures])} |"


def table_on_page() -> dict[str, str]:
    """The rows that the page has, by task."""
    found = TABLE.search(PAGE.read_text(encoding="utf-8"))
    rows = found[0].splitlines() if found else []
    return {row.split(" | ")[0].removeprefix("| "): row for row in rows if row.startswith("| ")}


def main() -> None:
    """Run what is installed, show the table, and write it where that is asked for."""
    parser = ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--data", help="the folder of ml-100k.zip")
    parser.add_argument("--write", action="store_true", help="put the table into the page")
    options = parser.parse_args()
    rows = table_on_page()
    with tempfile.TemporaryDirectory() as where:
        lay_out(folder_of_data(options.data) / "ml-100k.zip", Path(where))
        for task in tasks():
            if find_spec(task.figure.package):
                rows[task.title] = row_of(task, Path(where))
                print(rows[task.title], flush=True)
            else:
                print(f"{task.figure.package} is not installed", file=sys.stderr)
    heading = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    body = [rows[task.title] for task in tasks() if task.title in rows]
    if options.write:
        text = "\n".join(["", *heading, *body, "", ""])
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(TABLE.sub(lambda _: text, page), encoding="utf-8")


if __name__ == "__main__":
    main()
