"""Duration of every request, by route, method and status."""

import time

from matinee.server.asgi import App, Message, Receive, Scope, Send
from matinee.server.prometheus import ServerMetrics

START_TIME = "matinee.start_time"  # scope key: when the request arrived, in seconds
CACHED_ROUTE = "matinee.cached_route"  # scope key: the route of a response from the cache


class RequestMetricsMiddleware:
    """Measures all that happens inside it."""

    def __init__(self, app: App, metrics: ServerMetrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = scope[START_TIME] = time.perf_counter()
        status = 500

        async def send_observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_observed)
        finally:
            seconds = time.perf_counter() - start
            self.metrics.seconds.labels(route_of(scope), scope["method"], status).observe(seconds)


def route_of(scope: Scope) -> str:
    """The route template of a request, such as ``/v1/items/{item}``, which holds no id."""
    route = scope.get("route")
    return scope.get(CACHED_ROUTE) or getattr(route, "path", None) or "other"
