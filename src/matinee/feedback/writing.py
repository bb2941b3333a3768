"""Group commit: what arrives while one commit runs is written by the next, all at once."""

import asyncio
from dataclasses import dataclass, field

from matinee.errors import MatineeError
from matinee.feedback.store import Post, Receipt, Store

MOST_WAITING = 20_000  # events not yet written; more are asked to come again


class TooMuch(MatineeError):
    """The store cannot keep up; what was not taken may be sent again."""


@dataclass
class Writer:
    """Writes the posts of many requests; ``write`` returns when its post is durable."""

    store: Store
    waiting: list[tuple[Post, asyncio.Future[Receipt]]] = field(default_factory=list)
    n_waiting: int = 0
    task: asyncio.Task[None] | None = None

    async def write(self, post: Post) -> Receipt:
        """Have a post written. Raises TooMuch when too many wait, StoreError when it failed."""
        if self.n_waiting + len(post.events) > MOST_WAITING:
            raise TooMuch(
                f"{self.n_waiting:,} events wait to be written; send these again in a second"
            )
        done: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self.waiting.append((post, done))
        self.n_waiting += len(post.events)
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self._write_all())
        return await done

    async def _write_all(self) -> None:
        while self.waiting:
            arrived, self.waiting = self.waiting, []
            try:
                receipts = await asyncio.to_thread(self.store.write, [post for post, _ in arrived])
            except Exception as error:
                for _, done in arrived:
                    if not done.done():
                        done.set_exception(error)
            else:
                for (_, done), receipt in zip(arrived, receipts, strict=True):
                    if not done.done():
                        done.set_result(receipt)
            self.n_waiting -= sum(len(post.events) for post, _ in arrived)
