"""ASGI middleware, outermost first: HEAD, metrics, security, request limits, response cache."""
