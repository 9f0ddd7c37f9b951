"""The FastAPI application: its parts, middleware and routes, put together from the settings."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import Depends, FastAPI
from starlette.concurrency import run_in_threadpool
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from kb.ranking.reranker import Reranker
from kb.reporting.logs import report_without_messages
from kb.storage.keys import KeyRing, KeysDamaged, keys_file
from search_api.http import error_handlers
from search_api.http.hosts import TrustedHosts
from search_api.http.parts import provide
from search_api.http.problems import ProblemContext
from search_api.http.representation import representation
from search_api.http.requests import nothing_misplaced
from search_api.middleware import access
from search_api.middleware.admission import Admission
from search_api.middleware.admission_queue import AdmissionQueue
from search_api.middleware.boundary import Boundary, RouteRecorder
from search_api.middleware.caching import with_caching
from search_api.middleware.cross_origin import CrossOrigin
from search_api.middleware.head import HeadAsGet
from search_api.openapi import document
from search_api.pages import routes
from search_api.pages.assets import assets_router, load_assets
from search_api.pages.rendering import Templates
from search_api.routes import (
    article_list,
    articles,
    health,
    related,
    search,
    suggest,
    tasks,
    uploads,
)
from search_api.state.live import LiveIndex
from search_api.state.settings import Settings
from search_api.state.worker_client import WorkerClient
from search_api.state.worker_process import WorkerProcess
from search_api.telemetry.answer_recorder import AnswerRecorder
from search_api.telemetry.metrics import Metrics
from search_api.telemetry.query_log import QueryLog
from search_api.telemetry.tracing import Tracing, make_tracing

logger = logging.getLogger(__name__)

TAG_DESCRIPTIONS = [
    {"name": "search", "description": "A question in, cited passages out."},
    {"name": "articles", "description": "The articles themselves."},
    {"name": "tasks", "description": "Accepted work and its progress."},
    {"name": "operation", "description": "For operators of the service."},
]

_COMMON_DESCRIPTION = (
    "Every address that answers GET also answers HEAD, with the same status and headers, at the same cost. Errors are"
    " problem details (RFC 9457), whatever `Accept` says. If `Accept` names nothing that an operation offers, the"
    " answer is 406 and nothing is done. An unknown field or parameter is refused with 422. If it is a slip of a known"
    " name, the error names both."
)
"""The part of the API's description that holds for every operation."""

SAMPLE_INTERVAL_S = 5.0
PRUNE_INTERVAL_S = 3600.0

# FastAPI reports to a global OpenTelemetry provider by itself, query strings and validation errors
# included, and these hold questions. What may be told, search_api/telemetry/tracing.py tells.
_NO_TELEMETRY: Any = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}


def create_app(settings: Settings) -> FastAPI:
    """A new application. It opens its index when it starts, and also starts where there is no index.

    Raises `InvalidRequest` where a setting cannot be met, `ModelError` where no reranker can be loaded.
    """
    live = LiveIndex(
        settings.index,
        base_url=settings.base_url,
        reranker=Reranker(settings.reranker) if settings.reranker else None,
        poll_interval_s=settings.poll_interval_s,
    )
    worker = WorkerProcess(settings.index, settings.log_format)
    keys = KeyRing(settings.keys_file or keys_file(settings.index))
    queue = AdmissionQueue(settings.max_concurrent, settings.max_waiting)
    metrics = Metrics(live, queue)
    query_log = _query_log(settings)
    tracing = make_tracing(settings.otlp_endpoint)
    live.on_answer = AnswerRecorder(metrics, tracing, query_log)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(report_without_messages)
        if query_log is not None:
            logger.warning("questions are logged to %s (KB_QUERY_LOG)", settings.query_log)
        await run_in_threadpool(live.start)
        await run_in_threadpool(lambda: worker.start(expects_changes=_allow_changes(keys)))
        maintenance = asyncio.create_task(_run_maintenance(metrics, query_log))
        try:
            yield
        finally:
            maintenance.cancel()
            with suppress(asyncio.CancelledError):
                await maintenance
            await run_in_threadpool(worker.close)
            await run_in_threadpool(live.close)
            if tracing is not None:
                await run_in_threadpool(tracing.close)

    app = FastAPI(
        title="Sectioned knowledge base",
        summary="A question in, the passage that answers it out, with its article and section.",
        description=_description(settings),
        version=_version(),
        openapi_tags=TAG_DESCRIPTIONS,
        servers=[{"url": settings.base_url}] if settings.base_url else None,
        openapi_url=None,  # a route like the others, in search_api/openapi/document.py
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        telemetry=_NO_TELEMETRY,
        dependencies=[Depends(representation), Depends(nothing_misplaced)],
    )
    assets = load_assets()
    templates = Templates(assets, settings.site_name, settings.root_path)
    provide(
        app,
        *(settings, live, queue, metrics, worker, WorkerClient(settings.index, worker), templates),
        ProblemContext(settings.base_url, templates.render, lambda: metrics.shed("tasks_full")),
    )
    _add_middleware(app, settings, keys, queue, metrics, tracing)
    error_handlers.install(app)
    document.install(app, settings.search_access, settings.base_url)
    for module in (search, related, suggest, article_list):
        app.include_router(module.router)
    app.include_router(document.router)
    app.include_router(health.router)
    app.include_router(articles.router)
    app.include_router(uploads.router)
    app.include_router(tasks.router)
    app.include_router(routes.router)
    app.include_router(assets_router(assets))
    return app


def _add_middleware(
    app: FastAPI,
    settings: Settings,
    keys: KeyRing,
    queue: AdmissionQueue,
    metrics: Metrics,
    tracing: Tracing | None,
) -> None:
    """Add the middleware, the innermost first."""
    # What refuses for want of a key, or of time, is logged and opened to other sites like the rest.
    app.add_middleware(RouteRecorder)
    app.add_middleware(with_caching)
    app.add_middleware(access.KeyCheck, keys=keys, reading=settings.search_access)
    app.add_middleware(Admission, queue=queue, limits=settings, metrics=metrics)
    app.add_middleware(CrossOrigin, origins=settings.origins)
    app.add_middleware(HeadAsGet)
    app.add_middleware(
        Boundary,
        hosts=TrustedHosts(settings.trusted_hosts.split()),
        metrics=metrics,
        tracing=tracing,
    )
    if settings.trusted_proxies:
        # uvicorn's: the last address before those of trusted proxies is the client's.
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=settings.trusted_proxies.split())


def _allow_changes(keys: KeyRing) -> bool:
    """Whether any key allows changes to articles."""
    try:
        return any({"articles", "admin"} & set(key.scopes) for key in keys.all())
    except KeysDamaged:
        return False


def check_settings(settings: Settings) -> None:
    """Raise `InvalidRequest` where a setting cannot be met, as `create_app` would."""
    _query_log(settings)
    if tracing := make_tracing(settings.otlp_endpoint):
        tracing.close()


def _query_log(settings: Settings) -> QueryLog | None:
    if settings.query_log is None:
        return None
    return QueryLog(settings.query_log, settings.query_log_days)


async def _run_maintenance(metrics: Metrics, query_log: QueryLog | None) -> None:
    """Periodic work: sample the gauges for other workers to read, and delete questions that are too old."""
    since_pruned = PRUNE_INTERVAL_S
    while True:
        metrics.sample()
        if query_log is not None and since_pruned >= PRUNE_INTERVAL_S:
            since_pruned = 0.0
            try:
                await run_in_threadpool(query_log.prune)
            except OSError as error:
                logger.error("old questions could not be deleted: %s", error.strerror)
        await asyncio.sleep(SAMPLE_INTERVAL_S)
        since_pruned += SAMPLE_INTERVAL_S


def _description(settings: Settings) -> str:
    kept = (
        "Questions are not logged."
        if settings.query_log is None
        else f"This service keeps questions for {settings.query_log_days} days, without saying who asked."
    )
    return f"{_COMMON_DESCRIPTION} {kept}"


def _version() -> str:
    try:
        return version("sectioned-kb")
    except PackageNotFoundError:
        return "unknown"
