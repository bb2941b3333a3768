"""The files of the page, served where no route matches."""

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from matinee.server.asgi import Scope

PAGE = Path(__file__).parent / "page"


class PageFiles(StaticFiles):
    """The files of the page; a path without a file is unknown for every method."""

    def __init__(self) -> None:
        super().__init__(directory=PAGE, html=True)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file. Raises HTTPException: 404 for an unknown path, 405 for another method."""
        response = await super().get_response(path, {**scope, "method": "GET"})
        if scope["method"] != "GET":
            raise HTTPException(405)
        return response
