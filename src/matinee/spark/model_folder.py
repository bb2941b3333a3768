"""A saved model that every task process loads from its folder."""

import atexit
import shutil
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from matinee.models import Model, load
from matinee.storage.model_files import MANIFEST


@dataclass(frozen=True)
class ModelFolder:
    """The folder of a model, and its version by modification time."""

    folder: Path
    changed: int  # nanoseconds since 1970

    @classmethod
    def of(cls, model: Model | str | Path, folder: str | Path | None) -> "ModelFolder":
        """The folder of a saved model. A model in memory is saved to a temporary folder first."""
        if isinstance(model, Model):
            place = Path(tempfile.mkdtemp(prefix="matinee-", dir=folder))
            place.chmod(0o755)
            atexit.register(shutil.rmtree, place, ignore_errors=True)
            model = model.save(place / "model")
        path = Path(model).absolute()
        load_once(path, changed := _changed(path))
        return cls(path, changed)

    def model(self) -> Model:
        """The model, loaded once per process."""
        return load_once(self.folder, self.changed)


@lru_cache(maxsize=1)
def load_once(folder: Path, changed: int) -> Model:
    """The model of a folder at a version, which is the key of the cache."""
    return load(folder)


def _changed(folder: Path) -> int:
    manifest = folder / MANIFEST
    return manifest.stat().st_mtime_ns if manifest.is_file() else 0  # load raises
