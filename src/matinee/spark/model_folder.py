"""A fitted model where tasks can find it: a folder, from which each of their processes loads it."""

import atexit
import shutil
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from matinee.models import Model, load
from matinee.models.storage import MANIFEST


@dataclass(frozen=True)
class ModelFolder:
    """Where a model is, and which of those that were there."""

    folder: Path
    changed: int  # nanoseconds since 1970

    @classmethod
    def of(cls, model: Model | str | Path, folder: str | Path | None) -> "ModelFolder":
        """The folder of a saved model; another is saved first, for as long as this program runs."""
        if isinstance(model, Model):
            place = Path(tempfile.mkdtemp(prefix="matinee-", dir=folder))
            place.chmod(0o755)
            atexit.register(shutil.rmtree, place, ignore_errors=True)
            model = model.save(place / "model")
        path = Path(model).absolute()
        load_once(path, changed := _changed(path))
        return cls(path, changed)

    def model(self) -> Model:
        """The model; a process that has loaded it has it still."""
        return load_once(self.folder, self.changed)


@lru_cache(maxsize=1)
def load_once(folder: Path, changed: int) -> Model:
    """The model of a folder that was changed last at some time."""
    return load(folder)


def _changed(folder: Path) -> int:
    manifest = folder / MANIFEST
    return manifest.stat().st_mtime_ns if manifest.is_file() else 0  # load says what is wrong
