"""What one worker wrote, every other knows at its next request."""

import asyncio

from matinee.server.asgi import App, Receive, Scope, Send
from matinee.server.lifecycle import ServerState


class WorkerChangesMiddleware:
    """Reads the changes that other workers of this server wrote, before a request is answered."""

    def __init__(self, app: App, state: ServerState) -> None:
        self.app = app
        self.state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self.state.is_behind:
            await asyncio.to_thread(self.state.follow)
        await self.app(scope, receive, send)
