"""The ASGI application: routes, the page, and the middleware around them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import Depends, FastAPI, Request
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, Response

import matinee
from matinee.server.lifecycle import ServerState
from matinee.server.middleware.head import HeadMiddleware
from matinee.server.middleware.request_limits import RequestLimitsMiddleware
from matinee.server.middleware.request_metrics import RequestMetricsMiddleware
from matinee.server.middleware.response_cache import ResponseCacheMiddleware
from matinee.server.middleware.security import AccessPolicy, SecurityMiddleware
from matinee.server.middleware.worker_changes import WorkerChangesMiddleware
from matinee.server.openapi import DescribedApi
from matinee.server.page_files import PageFiles, chart_styles
from matinee.server.person_resolver import PersonResolver
from matinee.server.problems import add_problem_handlers
from matinee.server.reference import STYLES, api_reference, to_html
from matinee.server.routes import ROUTERS
from matinee.server.routes.parameters import check_query_parameters
from matinee.server.schemas.operations import ProblemDocument

COMPRESSED_BYTES = 32 * 1024  # smaller responses are sent sooner as they are
GZIP_LEVEL = 4
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
PROBLEM = {"model": ProblemDocument, "description": "What is wrong and how to fix it."}


def make_app(state: ServerState, policy: AccessPolicy) -> FastAPI:
    """The complete application of a server."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with state.follow_feedback():
            yield

    app = api(policy, lifespan)
    app.state.matinee = state
    app.state.resolver = PersonResolver(state)
    app.add_api_route("/charts.css", charts_css, include_in_schema=False)
    app.add_api_route("/docs", docs, include_in_schema=False)
    app.add_api_route("/docs.css", docs_css, include_in_schema=False)
    app.router.default = PageFiles()
    add_problem_handlers(app)
    # Each is wrapped around those before it: the last is the outermost.
    app.add_middleware(ResponseCacheMiddleware, state=state)
    app.add_middleware(WorkerChangesMiddleware, state=state)
    app.add_middleware(GZipMiddleware, minimum_size=COMPRESSED_BYTES, compresslevel=GZIP_LEVEL)
    app.add_middleware(RequestLimitsMiddleware)
    app.add_middleware(SecurityMiddleware, policy=policy)
    app.add_middleware(RequestMetricsMiddleware, metrics=state.metrics)
    app.add_middleware(HeadMiddleware)
    return app


def api(policy: AccessPolicy, lifespan: Lifespan | None = None) -> FastAPI:
    """The API alone: its routes, and with them its OpenAPI document."""
    app = DescribedApi(
        policy,
        title="Matinee",
        version=matinee.__version__,
        description="Recommendations, and why.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        default_response_class=JSONResponse,
        responses={"4XX": PROBLEM, "5XX": PROBLEM},
        redirect_slashes=False,
    )
    for router in ROUTERS:
        app.include_router(router, dependencies=[Depends(check_query_parameters)])
    return app


async def charts_css() -> Response:
    """The style sheet of the charts in responses, and the colours of the page."""
    return Response(chart_styles(), media_type="text/css")


async def docs_css() -> Response:
    """The style sheet of the API reference."""
    return Response(STYLES, media_type="text/css")


async def docs(request: Request) -> Response:
    """The API reference as a page."""
    title = f"The API of Matinee {matinee.__version__}"
    page = to_html(title, api_reference(request.app.openapi()))
    return Response(page, media_type="text/html")
