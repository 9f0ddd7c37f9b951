"""Given the settings, the application: routes, pages, errors and the index behind them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from kb.keys import KeyRing, keys_file
from search_api import (
    access,
    administration,
    api,
    articles,
    bulk,
    openapi,
    pages,
    problems,
    searching,
)
from search_api.assets import assets_router, load_assets
from search_api.caching import with_caching
from search_api.cross_origin import CrossOrigin
from search_api.guard import Guard
from search_api.live import LiveIndex
from search_api.settings import Settings
from search_api.templates import Templates
from search_api.worker import TaskWorker

TAGS = [
    {"name": "search", "description": "A question in, cited passages out."},
    {"name": "articles", "description": "The articles themselves."},
    {"name": "tasks", "description": "Work that was accepted."},
    {"name": "operation", "description": "For those who run the service."},
]

# FastAPI reports to a global OpenTelemetry provider by itself, query strings and validation errors
# included, and these hold questions. It may be turned on once it can be made to leave them out.
_NO_TELEMETRY: Any = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}


def create_app(settings: Settings) -> FastAPI:
    """A new application. It opens its index when it starts, and starts also when there is none."""
    live = LiveIndex(
        settings.index, base_url=settings.base_url, poll_interval_s=settings.poll_interval_s
    )
    worker = TaskWorker(settings.index)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(live.start)
        await run_in_threadpool(worker.start)
        try:
            yield
        finally:
            await run_in_threadpool(worker.close)
            await run_in_threadpool(live.close)

    app = FastAPI(
        title="Sectioned knowledge base",
        summary="A question in, the passage that answers it out, with its article and section.",
        description="Errors are problem details by RFC 9457. Questions are never logged.",
        version=_version(),
        openapi_tags=TAGS,
        servers=[{"url": settings.base_url}] if settings.base_url else None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        telemetry=_NO_TELEMETRY,
    )
    assets = load_assets()
    app.state.settings = settings
    app.state.live = live
    app.state.worker = worker
    app.state.one_status = asyncio.Lock()
    app.state.templates = Templates(assets, settings.site_name, settings.root_path)
    # Innermost: what refuses for want of a key is bounded, logged and opened to other sites like the rest.
    keys = KeyRing(settings.keys_file or keys_file(settings.index))
    app.add_middleware(with_caching)
    app.add_middleware(access.KeyCheck, keys=keys, reading=settings.search_access)
    app.add_middleware(CrossOrigin, origins=settings.origins)
    app.add_middleware(Guard)
    problems.install(app)
    openapi.install(app, settings.search_access)
    app.include_router(searching.router)
    app.include_router(api.router)
    app.include_router(articles.router)
    app.include_router(bulk.router)
    app.include_router(administration.router)
    app.include_router(pages.router)
    app.include_router(assets_router(assets))
    return app


def _version() -> str:
    try:
        return version("sectioned-kb")
    except PackageNotFoundError:
        return "unknown"
