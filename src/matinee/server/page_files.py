"""The page, served where no route matches: three files that are made when the server starts.

What the first view needs takes one round trip after the document: a script and a style sheet, whose
names change with their content, so that a browser keeps them, and the first requests to the API,
which a script inside the document sends beside them.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import NamedTuple

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from matinee.charts import stylesheet
from matinee.display.palette import custom_properties
from matinee.server.asgi import Scope
from matinee.server.middleware.security import content_security_policy
from matinee.server.script_bundle import bundles

PAGE = Path(__file__).parent / "page"
FOREVER = "public, max-age=31536000, immutable"  # for what has its content's hash in its name


class PageFile(NamedTuple):
    """A file of the page in memory."""

    content: str
    media_type: str
    headers: Mapping[str, str]

    def response(self) -> Response:
        """The file as a response."""
        return Response(self.content, headers=self.headers, media_type=self.media_type)


class PageFiles(StaticFiles):
    """The files of the page; a path without a file is unknown for every method."""

    def __init__(self) -> None:
        super().__init__(directory=PAGE)
        self.assembled = assemble(PAGE)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file. Raises HTTPException: 404 for an unknown path, 405 for another method."""
        if path in self.assembled:
            response = self.assembled[path].response()
        else:
            response = await super().get_response(path, {**scope, "method": "GET"})
        if scope["method"] != "GET":
            raise HTTPException(405)
        return response


def assemble(folder: Path) -> dict[str, PageFile]:
    """The document of the page, its script and its style sheet, by path."""
    early, script = bundles(folder / "js", "early", "app")
    if "</script" in early or "<!--" in early:
        raise ValueError("the script inside the document would end early")
    styles = (folder / "style.css").read_text(encoding="utf-8") + chart_styles()
    script_name, style_name = hashed_name(script, "js"), hashed_name(styles, "css")
    document = Template((folder / "index.html").read_text(encoding="utf-8")).substitute(
        early=early, script=script_name, styles=style_name
    )
    forever = {"cache-control": FOREVER}
    policy = {"content-security-policy": content_security_policy(early)}
    index = PageFile(document, "text/html", policy)
    return {
        ".": index,
        "index.html": index,
        script_name: PageFile(script, "text/javascript", forever),
        style_name: PageFile(styles, "text/css", forever),
    }


def hashed_name(content: str, suffix: str) -> str:
    """A file name that no other content has."""
    return f"page-{hashlib.blake2b(content.encode(), digest_size=12).hexdigest()}.{suffix}"


def chart_styles() -> str:
    """The style sheet of the charts in responses, and the colours of the page."""
    return custom_properties() + stylesheet()
