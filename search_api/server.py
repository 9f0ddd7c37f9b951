"""Given the settings, the running service, until it is told to stop."""

from __future__ import annotations

import logging
import socket
import sys
from contextlib import suppress
from logging.config import dictConfig

import uvicorn

from kb.errors import IndexUnusable, InvalidRequest
from search_api.app import create_app
from search_api.problems import index_remedy
from search_api.settings import Settings

logger = logging.getLogger(__name__)


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM, then let the requests under way end.

    Says on stderr where it listens, once it does. Raises `InvalidRequest` where it may not listen.
    """
    configure_logging(settings.log_level)
    listener = listen(settings.host, settings.port)
    server = make_server(settings)
    with suppress(KeyboardInterrupt):  # raised again by uvicorn after it has ended in good order
        server.run(sockets=[listener])


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises `InvalidRequest`, naming host or port, where there can be none."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except socket.gaierror:
        raise InvalidRequest(
            "host", f"There is no address {host!r} here: give another as --host or KB_HOST."
        ) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InvalidRequest(
            "port",
            f"Cannot listen on {host} port {port} ({reason}): give another as --port or KB_PORT.",
        ) from None


def make_server(settings: Settings) -> uvicorn.Server:
    """The server of a new application, not yet running."""
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # uvicorn's holds query strings, that is, questions
        server_header=False,
        proxy_headers=False,
        lifespan="on",
        timeout_graceful_shutdown=settings.shutdown_grace_s,
    )
    return _AnnouncedServer(config, settings)


def configure_logging(level: str) -> None:
    """Log to stderr, one line an event."""
    dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"level": "WARNING", "handlers": ["stderr"]},
            "loggers": {"search_api": {"level": level.upper()}},
        }
    )


class _AnnouncedServer(uvicorn.Server):
    """Says what it serves, and where, once it listens."""

    def __init__(self, config: uvicorn.Config, settings: Settings) -> None:
        super().__init__(config)
        self._settings = settings

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            print(self._announcement(sockets[0]), file=sys.stderr, flush=True)

    def _announcement(self, listener: socket.socket) -> str:
        host, port = listener.getsockname()[:2]
        address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        app = self.config.app
        try:
            with app.state.live.use() as knowledge_base:  # type: ignore[union-attr]
                count = knowledge_base.article_count
        except IndexUnusable as error:
            return f"Serving no articles yet on {address}. {index_remedy(error)}"
        return f"Serving {count:,} articles on {address}"
