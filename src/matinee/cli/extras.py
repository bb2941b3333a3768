"""Commands that need more than the library itself: say what to install."""

from importlib.util import find_spec

from matinee.errors import MatineeError


def wants(extra: str, *modules: str) -> None:
    """Raise MatineeError, with what to type, unless the modules of an extra are installed."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        names = " and ".join(name.replace("_", "-") for name in missing)
        raise MatineeError(f'this needs {names}: pip install "matinee[{extra}]"')
