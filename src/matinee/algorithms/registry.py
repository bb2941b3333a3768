"""Algorithms by name: those of ``ALGORITHMS``, of other packages, and of a user's own file.

A package offers an algorithm by the entry point group ``matinee.algorithms``; ``module:Class`` is a
class in a module that can be imported, or that lies where the command is run.
"""

import sys
from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

from matinee.algorithms.base import ALGORITHMS, Algorithm
from matinee.algorithms.external import as_algorithm
from matinee.errors import BadSetting, check_known

GROUP = "matinee.algorithms"  # of entry points

# What others call an algorithm, and which of ours it is.
ALSO_CALLED = {
    "svd": "mf, which Surprise calls SVD, or truncated-svd of linear algebra",
    "funk-svd": "mf with solver=sgd",
    "svd++": "svdpp",
    "als": "mf for stars, or implicit-als for plays and choices",
    "ials": "implicit-als",
    "wals": "implicit-als",
    "wrmf": "implicit-als",
    "pmf": "mf, or bayesian-mf",
    "bpmf": "bayesian-mf",
    "knn": "item-knn or user-knn",
    "itemknn": "item-knn",
    "userknn": "user-knn",
    "baseline": "bias",
    "baseline-only": "bias",
    "pop": "popularity",
    "most-popular": "popularity",
    "top-popular": "popularity",
    "slopeone": "slope-one",
    "p3alpha": "rp3beta with beta=0",
    "lightfm": "hybrid",
    "bprmf": "bpr",
    "bayesianmf": "bayesian-mf",
    "multvae": "mult-vae",
    "vae": "mult-vae",
    "neumf": "neural-mf",
    "ncf": "neural-mf",
    "autoencoder": "mult-vae",
}


def find_algorithm(name: str) -> type:
    """The class of that name: of ours a subclass of ``Algorithm``, else any with ``fit``.

    Raises BadSetting for an unknown name, with the nearest, and for what cannot be imported.
    """
    if name in ALGORITHMS:
        return ALGORITHMS[name]
    if ":" in name:
        return _imported(name)
    for offer in entry_points(group=GROUP):
        if offer.name == name:
            return offer.load()  # type: ignore[no-any-return]
    if ours := ALSO_CALLED.get(name.casefold().replace("_", "-").replace(" ", "-")):
        raise BadSetting(f"there is no algorithm {name!r} here; it is {ours}")
    check_known("algorithm", name, [*ALGORITHMS, *(one.name for one in entry_points(group=GROUP))])
    raise AssertionError("a known name was not found")


def choose(algorithms: Iterable[object] | None) -> list[Algorithm]:
    """Algorithms as values; a name stands for the usual settings, None for all that can be fitted.

    Names, values and classes of ours and from outside are taken. Raises BadSetting for others.
    """
    if isinstance(algorithms, str) or (algorithms is not None and hasattr(algorithms, "fit")):
        alone = algorithms if isinstance(algorithms, str) else "one algorithm"
        raise BadSetting(f"algorithms is {alone} alone; give a list, even of one")
    return [choose_one(one) for one in (fittable() if algorithms is None else algorithms)]


def fittable() -> list[str]:
    """The names of the registered algorithms whose extras are installed."""
    return [
        name for name, kind in ALGORITHMS.items() if kind.extra is None or not kind.extra.missing
    ]


def choose_one(algorithm: object) -> Algorithm:
    """One algorithm as a value; see ``choose``."""
    choice = find_algorithm(algorithm) if isinstance(algorithm, str) else algorithm
    return as_algorithm(choice)


def label(algorithm: object) -> str:
    """The name, and the settings that differ from the defaults; anything without them as it is."""
    if isinstance(algorithm, tuple):
        return f"({', '.join(map(label, algorithm))})"
    settings = getattr(algorithm, "non_default_settings", None)
    if settings is None:
        return str(algorithm)
    name = getattr(algorithm, "name", type(algorithm).__name__)
    return " ".join([name, *(f"{key}={label(value)}" for key, value in settings.items())])


def _imported(name: str) -> type:
    """The class of ``module:Class``. Raises BadSetting where it cannot be had."""
    module_name, _, attribute = name.partition(":")
    folder = str(Path.cwd())
    added = folder not in sys.path
    if added:
        sys.path.insert(0, folder)
    try:
        module = import_module(module_name)
    except ImportError as error:
        raise BadSetting(f"{name} cannot be imported: {error}") from error
    finally:
        if added:
            sys.path.remove(folder)
    kind = getattr(module, attribute, None)
    if not isinstance(kind, type):
        raise BadSetting(f"the module {module_name} has no class {attribute!r}")
    return kind
