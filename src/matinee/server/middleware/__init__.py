"""ASGI middleware, outermost first: request metrics, security, request limits, response cache."""
