"""What is compiled does not grow: counts that are the same on every machine.

They are those of a new process, as the others of this one may have compiled anything.
"""

import json
import subprocess
import sys

import numba
import pytest

pytestmark = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")

# How many types of arguments a kernel is compiled for, where it is not 1.
SIGNATURES = {"row_solve._solve_rows": 2}  # with bounds and without

COUNT = """
import json, pkgutil, warnings
from importlib import import_module
import matinee.kernels

warnings.simplefilter("ignore")
{code}
counts = {{}}
for module in pkgutil.iter_modules(matinee.kernels.__path__):
    names = vars(import_module(f"matinee.kernels.{{module.name}}"))
    for name, function in names.items():
        ours = getattr(function, "__module__", "").endswith(f".{{module.name}}")
        if ours and hasattr(function, "signatures"):
            counts[f"{{module.name}}.{{name}}"] = len(function.signatures)
print(json.dumps(counts))
"""
FIT = """
from matinee.algorithms import ALGORITHMS
from matinee.sources.synthetic import checkerboard
ALGORITHMS["{name}"]({settings}).fit(checkerboard(30))
"""
WARM_UP = """
from matinee.cli.commands.warm_up import uses
assert len(list(uses())) > 10
"""


COMPILE_FOR = """
from matinee.cli.compile_ahead import compile_for
from matinee.algorithms import default_algorithm
from matinee.sources.sample import sample
ratings = sample()
ratings = ratings.subset(ratings.user < 400)
compile_for(default_algorithm(ratings))
"""
MEASURE = """
from matinee.evaluation.model_quality import fit_and_measure
from matinee.splitting import random
fit_and_measure(default_algorithm(ratings), random(ratings))
"""


DEMO_AHEAD = """
import sys
from io import StringIO
from matinee.cli import compile_ahead
from matinee.cli.commands.demo import NEEDED
sys.stdin = StringIO(" ".join(NEEDED))
compile_ahead.main()
"""
REPORT = """
from matinee.algorithms import default_algorithm
from matinee.sources.sample import sample
ratings = sample()
model = default_algorithm(ratings).fit(ratings.subset(ratings.user < 400))
model.explain(model.users.ids[0], model.items.ids[0], by="history")
"""


def signatures_after(code: str) -> dict[str, int]:
    """How many signatures each kernel has, in a process that has run some code."""
    done = subprocess.run(
        [sys.executable, "-c", COUNT.format(code=code)], capture_output=True, text=True, check=True
    )
    counts: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return counts


def test_warm_up_compiles_every_kernel_and_each_for_one_kind_of_arguments():
    counts = signatures_after(WARM_UP)
    run_by_drivers = {name: n for name, n in counts.items() if name.split(".")[1].startswith("_")}
    assert {name: n for name, n in run_by_drivers.items() if n != 1} == SIGNATURES


@pytest.mark.parametrize(
    ("name", "settings", "kernels"),
    [
        ("popularity", "", set()),
        (
            "mf",
            "n_epochs=2, choice=None",
            {
                "factors._squared_errors",
                "random._draw_normal",
                "row_solve._solve_rows",
                "rows._add_row_sums",
                "varimax._rotate_pairs",
            },
        ),
        ("rp3beta", "", {"similarities._nearest_rows"}),
        ("slim", "", {"elastic_net._diagonal_and_cost", "elastic_net._sparse_regressions"}),
    ],
)
def test_a_fit_compiles_what_it_needs_alone(name, settings, kernels):
    counts = signatures_after(FIT.format(name=name, settings=settings))
    compiled = {name for name, n in counts.items() if n}
    assert {name for name in compiled if name.split(".")[1].startswith("_")} == kernels


def test_seconds_of_a_fit_hold_no_compilation_where_it_was_compiled_for():
    assert signatures_after(COMPILE_FOR) == signatures_after(COMPILE_FOR + MEASURE)


def test_the_other_process_compiles_all_that_the_demo_fits_and_explains():
    assert signatures_after(DEMO_AHEAD) == signatures_after(DEMO_AHEAD + REPORT)


def test_the_row_solve_that_is_compiled_ahead_is_that_of_fits():
    code = "from matinee.cli.compile_ahead import compile_row_solve\ncompile_row_solve()\n"
    counts = signatures_after(code + FIT.format(name="bias", settings="choice=None"))
    assert counts["row_solve._solve_rows"] == 1
