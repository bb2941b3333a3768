"""Group commit: batches that arrive during one commit are written together by the next."""

import asyncio
from dataclasses import dataclass, field

from matinee.errors import MatineeError
from matinee.feedback.store import EventBatch, Receipt, Store

MAX_PENDING_EVENTS = 20_000  # not yet written; more are refused


class WriterBusy(MatineeError):
    """Too many events wait to be written; the refused batch may be sent again."""


@dataclass
class Writer:
    """Writes the batches of concurrent requests in few transactions."""

    store: Store
    pending: list[tuple[EventBatch, asyncio.Future[Receipt]]] = field(default_factory=list)
    n_pending: int = 0  # events
    task: asyncio.Task[None] | None = None

    async def write(self, batch: EventBatch) -> Receipt:
        """Write a batch; it is durable when this returns.

        Raises WriterBusy when too many events wait, and StoreError when the commit failed.
        """
        if self.n_pending + len(batch) > MAX_PENDING_EVENTS:
            raise WriterBusy(
                f"{self.n_pending:,} events wait to be written; send these again in a second"
            )
        receipt: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self.pending.append((batch, receipt))
        self.n_pending += len(batch)
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self._write_all())
        return await receipt

    async def _write_all(self) -> None:
        while self.pending:
            group, self.pending = self.pending, []
            try:
                receipts = await asyncio.to_thread(self.store.write, [batch for batch, _ in group])
            except Exception as error:
                for _, future in group:
                    if not future.done():
                        future.set_exception(error)
            else:
                for (_, future), receipt in zip(group, receipts, strict=True):
                    if not future.done():
                        future.set_result(receipt)
            self.n_pending -= sum(len(batch) for batch, _ in group)
