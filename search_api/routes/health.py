"""Health, readiness and metrics, for machines.

These routes are exempt from queue and limits and run on the event loop, so they answer under overload too.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic.dataclasses import dataclass
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from kb.schema.errors import IndexUnusable
from kb.schema.service import Health
from search_api.http.parts import part
from search_api.http.problem_kinds import index_remedy
from search_api.http.problems import problem
from search_api.middleware.admission import OVERLOADED_MESSAGE, RETRY_AFTER_S
from search_api.middleware.admission_queue import AdmissionQueue
from search_api.openapi import examples
from search_api.openapi.document import problem_responses
from search_api.openapi.field_docs import FIELD_DOCS
from search_api.state.live import Live
from search_api.state.settings import Settings
from search_api.telemetry.metrics import CONTENT_TYPE, Metrics

router = APIRouter()


@dataclass(frozen=True, config=FIELD_DOCS)
class Readiness:
    """The service takes questions."""

    status: Literal["ready"]
    """Always `ready`."""
    generation: str
    """The id of the index generation that answers."""
    at_work: int
    """Number of requests that this worker is processing."""
    waiting: int
    """Number of requests in this worker's queue."""


# The routes are coroutines, so that FastAPI asks no thread for them: all threads may be busy with questions.


@router.get(
    "/healthz",
    tags=["operation"],
    operation_id="health",
    summary="Say what is being served",
    description="200 while questions can be answered, 503 while no index can be served.",
    response_description="The generation that answers, and its size.",
    responses={**examples.ok(examples.HEALTH), **problem_responses(503)},
)
async def health(live: Live) -> Health:
    with live.use() as knowledge_base:
        failure = live.failure
        return Health(
            status="degraded" if failure else "ok",
            generation=knowledge_base.generation,
            created=knowledge_base.manifest.created,
            model=knowledge_base.manifest.model.name,
            articles=knowledge_base.article_count,
            sections=knowledge_base.section_count,
            passages=knowledge_base.passage_count,
            reason=_why_degraded(failure) if failure else None,
        )


@router.get(
    "/readyz",
    tags=["operation"],
    operation_id="readiness",
    summary="Say whether to send questions here",
    response_model=Readiness,
    description="200 while an index is served and the queue has room. Otherwise 503, and a balancer should ask"
    " another.",
    response_description="The generation that answers, and the load of this worker.",
    responses={**examples.ok(examples.READINESS), **problem_responses(503)},
)
async def readiness(request: Request, live: Live) -> Readiness | Response:
    queue = part(request, AdmissionQueue)
    with live.use() as knowledge_base:
        if queue.is_full:
            headers = {"Retry-After": str(RETRY_AFTER_S)}
            return problem(request, 503, OVERLOADED_MESSAGE, kind="overloaded", headers=headers)
        return Readiness("ready", knowledge_base.generation, queue.active, queue.waiting)


@router.get(
    "/metrics",
    include_in_schema=False,
    response_class=PlainTextResponse,
)
async def metrics(request: Request) -> Response:
    """All metrics, for Prometheus. 404 for clients that the setting `metrics_clients` does not name."""
    client = request.client.host if request.client else ""
    if not _is_among(client, part(request, Settings).metrics_clients):
        raise HTTPException(404)
    exposition = await run_in_threadpool(part(request, Metrics).exposition)
    return Response(exposition, media_type=CONTENT_TYPE)


@lru_cache(maxsize=256)
def _is_among(client: str, networks: str) -> bool:
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in ipaddress.ip_network(network) for network in networks.split())


def _why_degraded(failure: IndexUnusable) -> str:
    return f"An older index answers because the newest does not open. {index_remedy(failure)}"
