"""What a framework for networks costs to install: the table of docs/neural.md, "Why JAX".

    python benchmarks/frameworks.py jax
    python benchmarks/frameworks.py torch --download-only --no-deps

Needs a package index. Everything goes into a temporary folder: what pip downloads for this system
and this Python, what that takes when it is installed, and the quickest of some imports. All without
what Matinee itself asks for.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

OURS = ("numpy-", "scipy-")  # wheels that are there already
IMPORTS = 5  # of which the first fills the caches
IMPORT = """
import time
started, used = time.perf_counter(), time.process_time()
import {}
print(time.perf_counter() - started, time.process_time() - used)
"""


def megabytes(folder: Path) -> float:
    """The size of all files in a folder, in 10^6 bytes."""
    return sum(one.stat().st_size for one in folder.rglob("*") if one.is_file()) / 1e6


def pip(*words: str) -> None:
    """Run pip of this Python."""
    subprocess.run([sys.executable, "-m", "pip", "--quiet", *words], check=True)


def import_seconds(package: str, folder: Path) -> tuple[float, float]:
    """Seconds by the clock and of the processor that an import takes: the quickest."""
    times = []
    for _ in range(IMPORTS):
        done = subprocess.run(
            [sys.executable, "-c", IMPORT.format(package)],
            env={**os.environ, "PYTHONPATH": str(folder)},
            capture_output=True,
            text=True,
            check=True,
        )
        times.append(tuple(map(float, done.stdout.split())))
    clock, processor = map(min, zip(*times, strict=True))
    return clock, processor


def measured(package: str, download_only: bool, with_deps: bool) -> dict[str, object]:
    """The figures of one package."""
    deps = [] if with_deps else ["--no-deps"]
    with tempfile.TemporaryDirectory() as folder:
        wheels, site = Path(folder, "wheels"), Path(folder, "site")
        pip("download", *deps, "--only-binary=:all:", "--dest", str(wheels), package)
        for wheel in wheels.iterdir():
            if wheel.name.startswith(OURS):
                wheel.unlink()
        row: dict[str, object] = {
            "package": package,
            "python": platform.python_version(),
            "system": platform.platform(),
            "wheels": sorted(one.name for one in wheels.iterdir()),
            "download_mb": round(megabytes(wheels)),
        }
        if download_only:
            return row
        pip(
            "install",
            "--no-index",
            "--no-deps",  # all that is needed is among these, or there already
            "--no-compile",
            "--target",
            str(site),
            *map(str, wheels.iterdir()),
        )
        row["installed_mb"] = round(megabytes(site))
        row["import_s"], row["import_processor_s"] = import_seconds(package, site)
        return row


def main() -> None:
    """Print the figures as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package", help="as it is installed and imported")
    parser.add_argument("--download-only", action="store_true")
    parser.add_argument("--no-deps", action="store_true", help="without what it asks for")
    given = parser.parse_args()
    print(json.dumps(measured(given.package, given.download_only, not given.no_deps)))


if __name__ == "__main__":
    main()
