"""Reading ratings: processor seconds and the peak of memory, each source in a process of its own.

    python benchmarks/reading.py

The seconds are those of the first `read_ratings` of the process, with what it imports; a figure is
the median of five processes.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import median

from data import folder_of_data
from jobs import RESULTS, Row, circumstances, keep
from tables import table

KEY = ("source",)
TURNS = 5
SOURCES = {  # Python that makes the source; FOLDER is that of the data
    "ml-1m.zip": "source = FOLDER + '/ml-1m.zip'",
    "a matrix of 10,000,000 rows, nearly all empty": """
import numpy as np
from scipy.sparse import coo_array
rng = np.random.default_rng(0)
user, item = np.arange(0, 10_000_000, 100), rng.integers(0, 1000, 100_000)
source = coo_array((np.full(100_000, 3.0), (user, item)), (10_000_000, 1000))
""",
}
READ = """
import json, time
import matinee
started = time.process_time()
ratings = matinee.read_ratings(source)
seconds = time.process_time() - started
(peak,) = (line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([len(ratings), seconds, int(peak.split()[1]) / 1024]))
"""


def main() -> None:
    """Measure, keep and show."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--data", help="folder of the MovieLens zips")
    parser.add_argument("--results", default=str(RESULTS), help="folder of the JSON lines")
    asked = parser.parse_args()
    folder = folder_of_data(asked.data)
    rows: list[Row] = []
    for name, source in SOURCES.items():
        turns = [measured(f"FOLDER = {str(folder)!r}\n{source}\n{READ}") for _ in range(TURNS)]
        n_ratings, seconds, peak = map(median, zip(*turns, strict=True))
        row: Row = {"source": name, "ratings": int(n_ratings)}
        row |= {"cpu_seconds": round(seconds, 2), "peak_mb": round(peak)}
        rows.append(row)
        keep(Path(asked.results) / "reading.jsonl", row | circumstances(1), KEY)
    print(table(rows))


def measured(code: str) -> list[float]:
    """What Python code prints, as JSON, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    figures: list[float] = json.loads(done.stdout)
    return figures


if __name__ == "__main__":
    main()
