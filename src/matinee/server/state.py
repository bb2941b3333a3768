"""What a running server holds: its models, its store, and what is known of both."""

import asyncio
import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path

from matinee.errors import MatineeError
from matinee.feedback.changes import Changes
from matinee.feedback.store import Store
from matinee.feedback.writing import Writer
from matinee.server.measured import Measured
from matinee.server.metrics import Metrics
from matinee.server.problems import Problem
from matinee.server.serving import Serving

log = logging.getLogger("matinee.server")

PEOPLE_KEPT = 4096  # folded-in people kept between requests
SECONDS_BETWEEN_NEWS = 1.0  # in which another server's writes are heard of


@dataclass
class State:
    """The models a server answers from, and the feedback that counts on top of them."""

    path: Path
    store: Store
    beside_path: Path | None = None
    measured: Measured = field(default_factory=Measured)
    metrics: Metrics = field(default_factory=Metrics)

    def __post_init__(self) -> None:
        self.serving = self._load()
        self.changes = Changes(self.store)
        self.changes.follow()
        self.writer = Writer(self.store)
        self.reloading = threading.Lock()
        self.metrics.model_is(self.main)

    @property
    def main(self) -> Serving:
        """The model that answers."""
        return self.serving[0]

    @property
    def beside(self) -> Serving | None:
        """The model beside it, to compare with."""
        return self.serving[1] if len(self.serving) > 1 else None

    def _load(self) -> tuple[Serving, ...]:
        """The models in the folders, as one value: they are swapped together."""
        paths = [self.path] + ([self.beside_path] if self.beside_path else [])
        return tuple(Serving.at(path) for path in paths)

    def reload(self) -> Serving:
        """Load the folders again and swap the models in; what runs finishes on the old ones.

        Raises BadModel, and keeps what there is, when a folder cannot be read.
        """
        with self.reloading:
            try:
                self.serving = self._load()
            except MatineeError as error:
                self.metrics.reloads.labels("failed").inc()
                log.error("the model was not reloaded: %s", error)
                raise
            self.metrics.reloads.labels("done").inc()
            self.metrics.model_is(self.main)
            log.info("reloaded; the model is %s", self.main.version)
            return self.main

    def rename_taste(self, number: int, name: str | None) -> Serving:
        """Give a taste a name, in the folder and here. Raises Problem where it cannot be kept."""
        with self.reloading:
            if not self.main.is_at(self.path):
                raise Problem(409, "the folder holds a newer model; reload it first")
            rename = getattr(self.main.model, "rename_taste", None)
            if rename is None:
                raise Problem(422, "the tastes of this model keep their names")
            rename(number, name).save(self.path)
            self.serving = (Serving.at(self.path), *self.serving[1:])
            self.metrics.model_is(self.main)
            return self.main

    async def follow(self) -> None:
        """Hear of other servers' writes, until cancelled."""
        while True:
            await asyncio.sleep(SECONDS_BETWEEN_NEWS)
            try:
                await asyncio.to_thread(self.changes.follow)
            except MatineeError as error:
                log.warning("%s", error)
