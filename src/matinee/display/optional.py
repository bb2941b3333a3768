"""Optional parts of the installation: whether they are there, and what to type for them."""

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from matinee.errors import MatineeError


@dataclass(frozen=True)
class Optional:
    """An extra of Matinee, or a library by its own name, and the modules by which it is known."""

    requirement: str  # "matinee[charts]" or "pandas"
    modules: tuple[str, ...]

    @property
    def remedy(self) -> str:
        """The command that installs it."""
        return f'pip install "{self.requirement}"'

    @property
    def missing(self) -> tuple[str, ...]:
        """Those of its modules that are not installed."""
        return tuple(name for name in self.modules if not _installed(name))

    def require(self, purpose: str, *modules: str) -> None:
        """Raise MatineeError, with the remedy, unless modules (by default all) are installed."""
        missing = [name for name in modules or self.modules if not _installed(name)]
        if missing:
            names = " and ".join(name.replace("_", "-") for name in missing)
            verb = "is" if len(missing) == 1 else "are"
            raise MatineeError(
                f"{purpose} needs {names}, which {verb} not installed: {self.remedy}"
            )

    def load(self, module: str, purpose: str) -> Any:
        """One of its modules. Raises MatineeError, with the remedy, where it is not installed."""
        self.require(purpose, module)
        return import_module(module)


def library(name: str, purpose: str) -> Any:
    """A library that is installed by the name it is imported by.

    Raises MatineeError, with the remedy, where it is not installed.
    """
    return Optional(name, (name,)).load(name, purpose)


def extra(name: str, *modules: str) -> Optional:
    """An optional part of Matinee itself, by its name."""
    return Optional(f"matinee[{name}]", modules)


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ValueError:  # a module that has been set to None in sys.modules
        return False


ACCELERATED = extra("accelerated", "jax")
CHARTS = extra("charts", "altair", "vl_convert")
ONNX = extra("onnx", "onnx")
POSTGRESQL = extra("postgresql", "psycopg")
SERVE = extra("serve", "fastapi", "uvicorn", "sqlalchemy", "prometheus_client")
SPARK = extra("spark", "pyspark")
TUNE = extra("tune", "optuna")
