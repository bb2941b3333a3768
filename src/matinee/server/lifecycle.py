"""The lifecycle of a server's models and feedback: load, reload, rename, follow, shut down."""

import asyncio
import logging
import signal
import threading
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from matinee.disk.locks import InUse
from matinee.errors import MatineeError
from matinee.feedback.catalog_changes import CatalogChanges, ItemChange
from matinee.feedback.change_index import ChangeIndex
from matinee.feedback.exposures import ArmOutcome
from matinee.feedback.store import Store
from matinee.feedback.writer import Writer
from matinee.list_store.places import open_lists
from matinee.models import FactorModel
from matinee.server.arms import BESIDE, MAIN, assigned
from matinee.server.catalog_overlay import overlaid, takes_items
from matinee.server.evaluation_record import EvaluationRecord
from matinee.server.list_lookup import ListLookup
from matinee.server.problems import Problem
from matinee.server.prometheus import ServerMetrics
from matinee.server.snapshot import ModelSnapshot
from matinee.server.workers import WorkerLink
from matinee.storage.model_files import Replaced
from matinee.storage.serialization import save_model

log = logging.getLogger("matinee.server")

OUTCOME_SECONDS = 5.0  # that online figures are cached
POLL_SECONDS = 1.0  # between looks for feedback that other servers wrote


@dataclass
class ServerState:
    """The models that a server answers from, and the feedback on top of them."""

    path: Path
    store: Store
    beside_path: Path | None = None
    evaluation: EvaluationRecord = field(default_factory=EvaluationRecord)
    arm_paths: Mapping[str, Path] = field(default_factory=dict)
    link: WorkerLink | None = None  # to the other workers, if there are any
    lists_places: Mapping[str, str] = field(default_factory=dict)  # of lists made ahead, by model
    metrics: ServerMetrics = field(default_factory=ServerMetrics)

    def __post_init__(self) -> None:
        self.loaded = self._load()  # as in their folders
        self.catalog = self.store.catalog()
        self.snapshots = self._overlaid(self.catalog)
        self.changes = ChangeIndex(self.store)
        self.changes.follow()
        self.writer = Writer(self.store)
        self.reload_lock = threading.Lock()
        self.outcome_lock = threading.Lock()
        self.last_outcomes: tuple[float, Mapping[str, ArmOutcome]] | None = None
        self.metrics.set_model(self.main)

    @property
    def main(self) -> ModelSnapshot:
        """The model that answers."""
        return self.snapshots[0]

    @property
    def beside(self) -> ModelSnapshot | None:
        """The model to compare with, if there is one."""
        return next((one for one in self.snapshots if one.name == BESIDE), None)

    def model_of(self, user: str) -> ModelSnapshot:
        """The model that answers a user: of several arms, the one they are assigned to."""
        if not self.arm_paths:
            return self.main
        arms = [one for one in self.snapshots if one.name != BESIDE]
        return assigned(user, self.store.salt, arms)

    def outcomes(self) -> Mapping[str, ArmOutcome]:
        """What became of the lists that were shown, at most OUTCOME_SECONDS old."""
        now = time.monotonic()
        with self.outcome_lock:
            if self.last_outcomes is None or now - self.last_outcomes[0] > OUTCOME_SECONDS:
                self.last_outcomes = now, self.store.outcomes()
            return self.last_outcomes[1]

    def _load(self) -> tuple[ModelSnapshot, ...]:
        """All models as one value, so that they are swapped together; the main one first."""
        beside = {BESIDE: self.beside_path} if self.beside_path else {}
        paths = {MAIN: self.path, **beside, **self.arm_paths}
        return tuple(self._load_one(path, name) for name, path in paths.items())

    def _load_one(self, path: Path, name: str) -> ModelSnapshot:
        """A model, with its lists. Raises BadLists where these are another model's."""
        snapshot = ModelSnapshot.load(path, name)
        if name not in self.lists_places:
            return snapshot
        lists = open_lists(self.lists_places[name], snapshot.fingerprint)
        return replace(snapshot, lists=ListLookup(lists))

    def reload(self) -> ModelSnapshot:
        """Load the folders again and swap the models; running requests finish on the old ones.

        Raises BadModel or BadLists, and keeps the current models, when a folder cannot be read.
        """
        with self.reload_lock:
            before = self.loaded
            try:
                self.loaded = self._load()
                self.snapshots = self._overlaid(self.catalog)
            except MatineeError as error:
                self.metrics.reloads.labels("failed").inc()
                log.error("the model was not reloaded: %s", error)
                raise
            close_lists(before)
            self.metrics.reloads.labels("done").inc()
            self.metrics.set_model(self.main)
            log.info("reloaded; the model is %s", self.main.version)
            return self.main

    def rename_taste(self, number: int, name: str | None) -> ModelSnapshot:
        """Name a taste in the model folder and in the running server.

        Raises Problem: 409 when the folder holds a newer model, 422 when tastes have fixed names.
        """
        with self.reload_lock:
            if not isinstance(self.main.model, FactorModel):
                raise Problem(422, "the tastes of this model cannot be renamed")
            renamed = self.main.model.rename_taste(number, name)
            try:
                save_model(renamed, self.path, replaced=self.main.digest)
            except Replaced:
                raise Problem(409, "the folder holds a newer model; reload it first") from None
            except InUse:
                raise Problem(409, "the model is being written; rename the taste later") from None
            before, *others = self.loaded
            self.loaded = (self._load_one(self.path, MAIN), *others)
            self.snapshots = self._overlaid(self.catalog)
            close_lists([before])
            self.metrics.set_model(self.main)
            return self.main

    def close(self) -> None:
        """Close the lists that were made ahead; the store is for its maker to close."""
        close_lists(self.loaded)

    @property
    def is_behind(self) -> bool:
        """Whether another worker wrote to the store since the last ``follow``."""
        return self.link is not None and self.link.is_behind(self.changes.seq)

    def announce(self, seq: int) -> None:
        """Let the other workers know of a change of the store."""
        if self.link is not None:
            self.link.announce(seq)

    def reload_others(self) -> None:
        """Have the other workers load the model again."""
        if self.link is not None:
            self.link.reload_all()

    def change_items(self, changes: Mapping[str, ItemChange]) -> ModelSnapshot:
        """Store changes to the catalogue and answer by them.

        Raises Problem: 409 for new items that the model cannot score.
        """
        with self.reload_lock:
            model = self.loaded[0].model
            new = [item for item in changes if item not in model.items]
            if not all(changes[item].deleted for item in new) and not takes_items(model):
                raise Problem(
                    409,
                    f"item {new[0]!r} is new, and a model of {model.algorithm} knows items by "
                    "their ratings alone; fit hybrid or content, or refit once it has ratings",
                )
            self._set_catalog(self.store.write_items(changes))
            self.announce(self.catalog.seq)
            return self.main

    def follow(self) -> None:
        """Read what other servers wrote to the store. Raises StoreError."""
        self.changes.follow()
        if self.changes.catalog > self.catalog.seq:
            with self.reload_lock:  # where another thread may have done it meanwhile
                if self.changes.catalog > self.catalog.seq:
                    self._set_catalog(self.store.catalog())

    def _set_catalog(self, catalog: CatalogChanges) -> None:
        self.snapshots = self._overlaid(catalog)
        self.catalog = catalog  # the last: until then other threads are behind, and wait

    def _overlaid(self, catalog: CatalogChanges) -> tuple[ModelSnapshot, ...]:
        return tuple(overlaid(one, catalog) for one in self.loaded)

    @asynccontextmanager
    async def follow_feedback(self) -> AsyncIterator[None]:
        """Poll for feedback that other servers write, and reload on SIGHUP, until the end."""
        tasks = [asyncio.create_task(self._poll())]
        loop = asyncio.get_running_loop()
        if threading.current_thread() is threading.main_thread() and hasattr(signal, "SIGHUP"):
            loop.add_signal_handler(
                signal.SIGHUP, lambda: tasks.append(asyncio.create_task(self._reload_quietly()))
            )
        yield
        for task in tasks:
            task.cancel()

    async def _reload_quietly(self) -> None:
        """Reload; a failure is logged, and the current models stay."""
        with suppress(MatineeError):
            await asyncio.to_thread(self.reload)

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await asyncio.to_thread(self.follow)
            except MatineeError as error:
                log.warning("%s", error)


def close_lists(snapshots: Iterable[ModelSnapshot]) -> None:
    """Close the lists of models that were made ahead; a lookup that is running may fail."""
    for snapshot in snapshots:
        if snapshot.lists is not None:
            snapshot.lists.close()
