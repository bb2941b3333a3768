"""The application: routes inside layers that guard, bound and remember."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from fastapi import Depends, FastAPI, Request
from starlette.responses import JSONResponse, Response
from starlette.staticfiles import StaticFiles

import matinee
from matinee.charts import stylesheet
from matinee.server import answered
from matinee.server.answers import Answers
from matinee.server.limits import Bounded
from matinee.server.people import People
from matinee.server.problems import answer_with_problems
from matinee.server.reference import html, parts_of
from matinee.server.routes import ROUTERS
from matinee.server.routes.parameters import only_known
from matinee.server.security import Guard, Rules
from matinee.server.state import State

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
PAGE = Path(__file__).parent / "page"
PROBLEM = {"model": answered.ProblemDocument, "description": "What is wrong, and what to do."}


def make_app(state: State, rules: Rules) -> FastAPI:
    """The server's application."""

    @asynccontextmanager
    async def living(app: FastAPI) -> AsyncIterator[None]:
        following = asyncio.create_task(state.follow())
        yield
        following.cancel()

    app = api(living)
    app.state.matinee = state
    app.state.people = People(state)
    app.add_api_route("/charts.css", charts_css, include_in_schema=False)
    app.add_api_route("/docs", docs, include_in_schema=False)
    if PAGE.is_dir():
        app.mount("/", StaticFiles(directory=PAGE, html=True), name="page")
    answer_with_problems(app)
    app.add_middleware(Answers, state=state)
    app.add_middleware(Bounded)
    app.add_middleware(Guard, rules=rules, metrics=state.metrics)
    return app


def api(living: Lifespan | None = None) -> FastAPI:
    """The API alone: its routes, and through them its OpenAPI document."""
    app = FastAPI(
        title="Matinee",
        version=matinee.__version__,
        description="Recommendations, and why.",
        docs_url=None,
        redoc_url=None,
        lifespan=living,
        default_response_class=JSONResponse,
        responses={"4XX": PROBLEM, "5XX": PROBLEM},
        redirect_slashes=False,
    )
    for router in ROUTERS:
        app.include_router(router, dependencies=[Depends(only_known)])
    return app


async def charts_css() -> Response:
    """The style sheet of the pictures in answers."""
    return Response(stylesheet(), media_type="text/css")


async def docs(request: Request) -> Response:
    """The API in words."""
    title = f"The API of Matinee {matinee.__version__}"
    return Response(html(title, parts_of(request.app.openapi())), media_type="text/html")
