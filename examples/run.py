"""Run the notebooks of this folder in place, so that their outputs are those of the code.

    python examples/run.py [NAME...]

Needs matinee, pandas, nbclient and ipykernel; ``from-other-libraries`` needs the dependency group
"bench" as well. What differs from one run to the next is not kept: times of cells, versions, and
the plain text of what shows itself as HTML. Seconds that a table of Matinee's shows are.
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent
METADATA = {  # of a notebook, without the version of Python
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def executed(path: Path, folder: Path) -> nbformat.NotebookNode:
    """A notebook with the outputs that its cells give now, run from top to bottom in a folder.

    Raises CellExecutionError where a cell fails.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=600,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "text/html" in output.get("data", {}):
                output.data.pop("text/plain", None)
    return notebook


def main(names: list[str]) -> None:
    """Run the notebooks of these names, or all."""
    for path in sorted(HERE.glob("*.ipynb")):
        if path.stem in names or not names:
            print(path.name, file=sys.stderr, flush=True)
            notebook = executed(path, HERE)
            path.write_text(nbformat.writes(notebook, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
