"""Several worker processes behind one listening socket, each replaced when it dies.

uvicorn's supervisor starts the workers, checks each every half second, and passes SIGTERM on. SIGHUP replaces the
workers one by one. Each worker opens and watches the index for itself: the files are memory-mapped, so their pages are
in memory once. A worker ends with its supervisor, however that ends.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import shutil
import signal
import socket
import tempfile
import threading
from functools import partial

import uvicorn
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from kb.reporting.logs import announce, configure_logging
from kb.reporting.safe_traceback import safe_traceback
from kb.schema.errors import KbError
from search_api.http.protocol import http_protocol
from search_api.service.app import create_app
from search_api.service.shared_socket import SharedSocket
from search_api.state.settings import Settings
from search_api.telemetry.metrics import FOLDER_VARIABLE

logger = logging.getLogger(__name__)

WORKER_TIMEOUT_S = 30
"""Seconds without an answer after which the supervisor replaces a worker. On a busy machine, starting takes seconds."""


def serve_by_workers(settings: Settings, listener: socket.socket, address: str) -> None:
    """Serve until SIGINT or SIGTERM, then let the requests under way end. Raises KbError if no worker starts."""
    config = uvicorn.Config(
        partial(worker_app, settings),
        factory=True,
        http=http_protocol(settings.client_timeout_s, settings.base_url),
        ws="none",
        workers=settings.workers,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="on",
        timeout_graceful_shutdown=settings.shutdown_grace_s,
        timeout_worker_healthcheck=WORKER_TIMEOUT_S,
    )
    folder = tempfile.mkdtemp(prefix="kb-metrics-")
    os.environ[FOLDER_VARIABLE] = folder
    shared = SharedSocket.of(listener)
    supervisor = _AnnouncedSupervisor(config, shared, address)
    try:
        supervisor.run()
    finally:
        shared.close()
        del os.environ[FOLDER_VARIABLE]
        shutil.rmtree(folder, ignore_errors=True)
    if any(worker.exitcode == STARTUP_FAILURE for worker in supervisor.processes):
        raise KbError("A worker could not start; its log says why.")


def worker_app(settings: Settings) -> FastAPI:
    """The application of one worker, made in its own process. The process ends where it cannot be made; the log says
    why."""
    configure_logging(settings.log_level, settings.log_format)
    threading.Thread(target=_end_with_supervisor, name="supervisor-watcher", daemon=True).start()
    try:
        return create_app(settings)
    except Exception as error:  # multiprocessing would write its message to stderr, past the log
        why = str(error) if isinstance(error, KbError) else safe_traceback(error)
        logger.error("a worker cannot start: %s", why)
        raise SystemExit(STARTUP_FAILURE) from None


def _end_with_supervisor() -> None:
    supervisor = multiprocessing.parent_process()
    if supervisor is not None:
        supervisor.join()
        os.kill(os.getpid(), signal.SIGTERM)


class _AnnouncedSupervisor(Multiprocess):
    """Announces its address once the first worker serves."""

    def __init__(self, config: uvicorn.Config, listener: SharedSocket, address: str) -> None:
        super().__init__(config, [listener])
        self._address = address

    def init_processes(self) -> None:
        super().init_processes()
        first = self.processes[0]
        while not self.should_exit.is_set() and first.process.is_alive():
            self.handle_signals()
            if first.is_ready(timeout=1):
                announce(f"Serving on {self._address} with {self.processes_num} workers")
                return
            self.should_exit.wait(0.1)

    def keep_subprocess_alive(self) -> None:
        for worker in self.processes:
            if worker.exitcode is not None:
                code = worker.exitcode
                logger.error(
                    "worker %s ended with exit code %s; a new one is started", worker.pid, code
                )
        super().keep_subprocess_alive()
