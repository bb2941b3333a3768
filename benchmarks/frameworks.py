"""What a framework for networks costs to install: the table of docs/neural.md, "Why JAX".

    python benchmarks/frameworks.py jax
    python benchmarks/frameworks.py torch --download-only --no-deps
    python benchmarks/frameworks.py jax torch --installed

The first two need a package index. Everything goes into a temporary folder: what pip downloads for
this system and this Python, what that takes when it is installed, and the quickest of some imports.

``--installed`` looks at what this Python has, in one run for all: sizes, imports in turn, and the
same arithmetic on two threads of the processor. That is PRODUCTS products of matrices of SIZE^2,
and BATCH systems of UNKNOWNS equations solved by Cholesky, in float32, compiled where JAX compiles.

All without what Matinee itself asks for, and without compiled ``.pyc`` files.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, distribution
from itertools import product
from pathlib import Path

OURS = ("numpy-", "scipy-")  # wheels that are there already
IMPORTS = 5  # of which the first fills the caches
IMPORT = """
import time
started, used = time.perf_counter(), time.process_time()
import {}
print(time.perf_counter() - started, time.process_time() - used)
"""
SIZE, PRODUCTS = 2048, 5
BATCH, UNKNOWNS = 2000, 64
REPEATS = 7  # of which the quickest counts
JAX_WORK = f"""
import jax, jax.numpy as jnp
A = jnp.ones(({SIZE}, {SIZE})) * 0.5
S = jnp.eye({UNKNOWNS}) * 2 + jnp.ones(({BATCH}, {UNKNOWNS}, {UNKNOWNS}))
b = jnp.ones(({BATCH}, {UNKNOWNS}, 1))
product = jax.jit(jnp.matmul)
solve = jax.jit(lambda S, b: jax.scipy.linalg.cho_solve((jnp.linalg.cholesky(S), True), b))
works = [lambda: [product(A, A).block_until_ready() for _ in range({PRODUCTS})],
         lambda: solve(S, b).block_until_ready()]
"""
TORCH_WORK = f"""
import torch
torch.set_num_threads(2)
A = torch.ones({SIZE}, {SIZE}) * 0.5
S = torch.eye({UNKNOWNS}) * 2 + torch.ones({BATCH}, {UNKNOWNS}, {UNKNOWNS})
b = torch.ones({BATCH}, {UNKNOWNS}, 1)
works = [lambda: [torch.matmul(A, A) for _ in range({PRODUCTS})],
         lambda: torch.cholesky_solve(b, torch.linalg.cholesky(S))]
"""
WORKS = {"jax": JAX_WORK, "torch": TORCH_WORK}
TIMED = f"""
import time
for work in works:
    work()
    used = []
    for _ in range({REPEATS}):
        before = time.process_time()
        work()
        used.append(time.process_time() - before)
    print(min(used))
"""


def megabytes(folder: Path) -> float:
    """The size of all files in a folder, in 10^6 bytes."""
    return sum(one.stat().st_size for one in folder.rglob("*") if one.is_file()) / 1e6


def pip(*words: str) -> None:
    """Run pip of this Python."""
    subprocess.run([sys.executable, "-m", "pip", "--quiet", *words], check=True)


def import_seconds(package: str, folder: Path | None) -> tuple[float, float]:
    """Seconds by the clock and of the processor that an import takes."""
    clock, processor = numbers_of(IMPORT.format(package), folder)
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
        times = [import_seconds(package, site) for _ in range(IMPORTS)]
        row["import_s"], row["import_processor_s"] = map(min, zip(*times, strict=True))
        return row


def installed(packages: list[str]) -> list[dict[str, object]]:
    """The figures of packages that this Python has, measured in turn."""
    imports: dict[str, list[tuple[float, float]]] = {name: [] for name in packages}
    for _, name in product(range(IMPORTS), packages):
        imports[name].append(import_seconds(name, None))
    rows = []
    for name in packages:
        clock, processor = map(min, zip(*imports[name], strict=True))
        parts = with_what_it_asks_for(name)
        products, solutions = numbers_of(WORKS[name] + TIMED)
        rows.append(
            {
                "package": name,
                "version": distribution(name).version,
                "python": platform.python_version(),
                "parts": parts,
                "installed_mb": round(sum(parts.values())),
                "import_s": clock,
                "import_processor_s": processor,
                "products_processor_s": products,
                "solutions_processor_s": solutions,
                "load_average": os.getloadavg()[0],
            }
        )
    return rows


def with_what_it_asks_for(package: str) -> dict[str, float]:
    """Megabytes of a package and of all that it asks for without extras, by name."""
    sizes: dict[str, float] = {}
    ahead = [package]
    while ahead:
        name = ahead.pop()
        if name in sizes or f"{name}-".startswith(OURS):
            continue
        try:
            there = distribution(name)
        except PackageNotFoundError:
            continue  # for another system, or another Python
        files = (Path(str(one.locate())) for one in there.files or () if one.suffix != ".pyc")
        sizes[name] = round(sum(one.stat().st_size for one in files if one.exists()) / 1e6, 1)
        needed = [one for one in there.requires or () if "extra ==" not in one]
        ahead += [re.split(r"[^A-Za-z0-9._-]", one, maxsplit=1)[0].lower() for one in needed]
    return sizes


def numbers_of(code: str, folder: Path | None = None) -> list[float]:
    """What code prints in a fresh interpreter, which finds packages in a folder first."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **({} if folder is None else {"PYTHONPATH": str(folder)})},
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(one) for one in done.stdout.split()]


def main() -> None:
    """Print the figures as one line of JSON for each package."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package", nargs="+", help="as it is installed and imported")
    parser.add_argument("--installed", action="store_true", help="what this Python has")
    parser.add_argument("--download-only", action="store_true")
    parser.add_argument("--no-deps", action="store_true", help="without what it asks for")
    given = parser.parse_args()
    rows = (
        installed(given.package)
        if given.installed
        else [measured(one, given.download_only, not given.no_deps) for one in given.package]
    )
    for row in rows:
        print(json.dumps(row))


if __name__ == "__main__":
    main()
