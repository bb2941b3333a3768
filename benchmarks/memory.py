"""What the memory of a small fit is made of: how much is resident after each step of a new process.

    python benchmarks/memory.py

Pages of files (libraries, mostly the compiler's) are shared by all processes that use them, and the
system may drop them; the rest is this process's own. Beside the peers: docs/benchmarks.md, Speed.
Loading one kernel from the cache makes the compiler load all it knows, so that is a step as well.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from jobs import RESULTS, Row, circumstances, keep
from tables import table

KEY = ("step",)
STEPS = {
    "interpreter": "pass",
    "numpy": "import numpy",
    "the compiler's libraries": "import llvmlite.binding",
    "the compiler": "import numba",
    "what it knows of numpy, with scipy.linalg": "import numba.core.registry as of; "
    "of.cpu_target.target_context.refresh(); of.cpu_target.typing_context.refresh()",
    "matinee, to fit mf": "from matinee.algorithms.mf import MF",
    "data of 40 people": "from matinee.sources.synthetic import uniform; r = uniform(40, 30, 8)",
    "fitted, kernels from their cache": "m = MF(n_factors=8, n_epochs=2).fit(r)",
    "a list": "m.recommend(r.users.ids[0], 3)",
}
MEASURE = """
import json, sys
steps, told = json.loads(sys.argv[1]), []
for step in steps:
    exec(step)
    lines = open("/proc/self/status").read().splitlines()
    status = dict(line.split(":\\t") for line in lines)
    told.append([int(status[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon")])
print(json.dumps(told))
"""


def main() -> None:
    """Measure twice, so that kernels are compiled by then; keep and show the second."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--results", default=str(RESULTS), help="folder of the JSON lines")
    asked = parser.parse_args()
    steps = json.dumps(list(STEPS.values()))
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, steps], capture_output=True, text=True, check=True
        )
    rows: list[Row] = [
        {"step": step, "resident_mb": resident, "own_mb": own, **circumstances(1)}
        for step, (resident, own) in zip(STEPS, json.loads(done.stdout), strict=True)
    ]
    for row in rows:
        keep(Path(asked.results) / "memory.jsonl", row, KEY)
    print(table(memory_lines(rows)))


def memory_lines(rows: list[Row]) -> list[Row]:
    """One line a step, for a table."""
    return [
        {
            "after": row["step"],
            "resident MB": f"{row['resident_mb']:.0f}",
            "its own MB": f"{row['own_mb']:.0f}",
            "of files, shared MB": f"{row['resident_mb'] - row['own_mb']:.0f}",
        }
        for row in rows
    ]


if __name__ == "__main__":
    main()
