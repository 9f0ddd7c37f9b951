"""Request spans with the steps of a question, sent by OTLP to the collector that `KB_OTLP_ENDPOINT` names.

Spans hold the method, the route as declared, the status, the generation and the time of each step. The client
contributes the trace id alone (`traceparent`). `tracestate` and `baggage` can hold anything, so they are not read.
FastAPI's own instrumentation stays off: it reports query strings and validation errors, and these hold questions.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import Scope

from kb.schema.errors import InvalidRequest
from kb.schema.extras import install

if TYPE_CHECKING:
    from contextvars import Token

    from opentelemetry.context import Context


class OpenSpan(NamedTuple):
    """A request's span, and the context before it."""

    span: trace.Span
    before: Token[Context]


class Tracing:
    """Tracing to a collector. Its own thread sends spans in batches; an unreachable collector costs nothing."""

    def __init__(self, endpoint: str) -> None:
        """`endpoint` is the collector's address. Raises InvalidRequest if the extra is missing."""
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
                OTLPSpanExporter,
            )
            from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
            from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
            from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        except ImportError:
            raise InvalidRequest(
                "otlp_endpoint",
                f"KB_OTLP_ENDPOINT is set, but OpenTelemetry's SDK is not installed. {install('telemetry')}",
            ) from None
        # Further attributes and the sampler are taken from the SDK's own variables (OTEL_TRACES_SAMPLER and so on).
        named = "OTEL_SERVICE_NAME" in os.environ
        resource = Resource.create({} if named else {"service.name": "kb"})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces")
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("search_api")
        self._propagator = TraceContextTextMapPropagator()

    def begin(self, scope: Scope) -> OpenSpan | None:
        """Begin the request's span, in the trace that its `traceparent` names."""
        parents = [value for name, value in scope["headers"] if name == b"traceparent"]
        carrier = {"traceparent": parents[0].decode("latin-1")} if len(parents) == 1 else {}
        parent = self._propagator.extract(carrier, context=contexts.Context())
        span = self._tracer.start_span("request", context=parent, kind=SpanKind.SERVER)
        return OpenSpan(span, contexts.attach(trace.set_span_in_context(span, parent)))

    def end(self, opened: OpenSpan, method: str, route: str, status: int) -> None:
        """End the request's span."""
        contexts.detach(opened.before)
        span = opened.span
        span.update_name(f"{method} {route}")
        span.set_attribute("http.request.method", method)
        span.set_attribute("http.route", route)
        span.set_attribute("http.response.status_code", status)
        if status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end()

    def question(self, generation: str, timings_ms: Mapping[str, float]) -> None:
        """Add a span for each step of the question, in the current request's span."""
        parent = trace.get_current_span()
        parent.set_attribute("kb.generation", generation)
        steps = {name: ms for name, ms in timings_ms.items() if name != "total"}
        begins = time.time_ns() - int(sum(steps.values()) * 1_000_000)
        for name, milliseconds in steps.items():
            ends = begins + int(milliseconds * 1_000_000)
            self._tracer.start_span(name, start_time=begins).end(end_time=ends)
            begins = ends

    def close(self) -> None:
        """Send the remaining spans, and end the thread."""
        self._provider.shutdown()


def make_tracing(endpoint: str) -> Tracing | None:
    """Tracing to that collector; None if the address is empty."""
    return Tracing(endpoint) if endpoint else None
