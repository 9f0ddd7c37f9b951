"""`kb serve`: the HTTP API and the web page."""

from __future__ import annotations

from pathlib import Path

import click

from kb.cli.options import index_option


@click.command()
@index_option
@click.option("--host", help="The address to listen on.  [env: KB_HOST; default: 127.0.0.1]")
@click.option("--port", type=int, help="The port.  [env: KB_PORT; default: 8000]")
@click.option("--base-url", help="The public address, for citations' links.  [env: KB_BASE_URL]")
def serve(index: Path, host: str | None, port: int | None, base_url: str | None) -> None:
    """Serve the API and the search page, and take over each newer index once it is published."""
    from kb.fallback import open_newest
    from search_api.server import serve as run_server
    from search_api.settings import load_settings

    settings = load_settings(index=index, host=host, port=port, base_url=base_url)
    # Nothing that can be served is an error here, not a page that says so.
    open_newest(index).lease.release()
    run_server(settings)
