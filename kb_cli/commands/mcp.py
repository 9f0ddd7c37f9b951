"""`kb mcp`: the articles as tools for assistants, through the Model Context Protocol."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from click.core import ParameterSource

from kb.schema.extras import missing
from kb_cli.terminal.options import base_url_option, index_option, say


@click.command()
@index_option
@click.option("--url", help="Ask the service at this address instead of an index folder.")
@click.option(
    "--api-key",
    envvar="KB_API_KEY",
    show_envvar=True,
    help="The service's key. Prefer the environment variable: other users of a machine can see command lines.",
)
@base_url_option
@click.option(
    "--http", is_flag=True, help="Serve streamable HTTP at /mcp instead of stdin and stdout."
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="The address to listen on, with --http."
)
@click.option(
    "--port",
    default=8001,
    show_default=True,
    type=click.IntRange(1, 65535),
    help="The port, with --http.",
)
@click.option(
    "--allow-host",
    "allowed_hosts",
    multiple=True,
    help="An accepted `Host` for HTTP requests, besides this machine's own, such as kb.example.org. May be given "
    "several times.",
)
@click.pass_context
def mcp(
    context: click.Context,
    index: Path,
    url: str | None,
    api_key: str | None,
    base_url: str,
    http: bool,
    host: str,
    port: int,
    allowed_hosts: tuple[str, ...],
) -> None:
    """Let assistants search, read and list the articles, and quote them with citations.

    Speaks the Model Context Protocol on stdin and stdout. An assistant starts this command itself.
    """
    if url is not None and context.get_parameter_source("index") is ParameterSource.COMMANDLINE:
        raise click.UsageError("Give either --index or --url.")
    try:
        from kb.library import FolderLibrary, open_library
        from kb.mcp.server import make_server, run_http, run_stdio
    except ModuleNotFoundError as error:
        raise missing(error.name, "kb mcp", "mcp") from None

    library = open_library(None if url else index, url=url, api_key=api_key, base_url=base_url)
    try:
        if isinstance(library, FolderLibrary) and library.damage is not None:
            say(f"kb: {library.damage} An older index answers.")
        server = make_server(library)
        if http:
            say(
                f"Serving the Model Context Protocol on http://{f'[{host}]' if ':' in host else host}:{port}/mcp"
            )
            run_http(server, host, port, allowed_hosts)
        else:
            if sys.stdin.isatty():
                say(
                    "Waiting for the Model Context Protocol on stdin. An assistant starts this command by itself."
                )
            run_stdio(server)
    finally:
        library.close()
