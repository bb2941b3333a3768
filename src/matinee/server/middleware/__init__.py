"""ASGI middleware, outermost first.

HEAD, metrics, security, request limits, compression, changes of other workers, response cache.
"""
