"""The methods that paths allow: HEAD wherever GET is, and OPTIONS everywhere."""

from collections.abc import Sequence

from starlette.routing import BaseRoute, Match

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def allowed_methods(routes: Sequence[BaseRoute], path: str) -> list[str]:
    """The methods allowed on a path; where no route matches, those of the page's files."""
    methods = [method for method in METHODS if _is_allowed(routes, path, method)] or ["GET"]
    return [*methods, *(["HEAD"] if "GET" in methods else []), "OPTIONS"]


def _is_allowed(routes: Sequence[BaseRoute], path: str, method: str) -> bool:
    scope = {"type": "http", "path": path, "root_path": "", "method": method, "headers": []}
    return any(route.matches(scope)[0] is Match.FULL for route in routes)
