"""Scripts outside the package as modules, so that tests can call what they are made of."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]


def script_of(path: str) -> ModuleType:
    """The script at a path from the root of the project."""
    file = ROOT / path
    spec = spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(file.parent))  # where a script finds those beside it
        spec.loader.exec_module(module)
    return module
