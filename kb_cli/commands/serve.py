"""`kb serve`: the HTTP API and the web page."""

from __future__ import annotations

import os
from pathlib import Path

import click
from click.core import ParameterSource

from kb_cli.terminal.exit_codes import errors_to_log
from kb_cli.terminal.options import index_option


class ServeCommand(click.Command):
    """A command with a flag for each setting of the service.

    They are made when they are needed, since reading the settings' table takes longer than many commands do.
    """

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The options written here, then one for each other setting, in the table's order."""
        from search_api.state.settings import VARIABLE_PREFIX, Settings

        own = super().get_params(ctx)
        known = {parameter.name for parameter in own}
        options = [
            click.Option(
                [f"--{name.replace('_', '-')}"],
                help=f"{field.description}  [env: {VARIABLE_PREFIX}{name.upper()}]",
            )
            for name, field in Settings.model_fields.items()
            if name not in known
        ]
        return [*own[:-1], *options, own[-1]]  # --help comes last


@click.command(cls=ServeCommand)
@index_option
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A TOML file of settings.  [env: KB_CONFIG]",
)
@click.option("--host", help="The address to listen on.  [env: KB_HOST; default: 127.0.0.1]")
@click.option("--port", help="The port.  [env: KB_PORT; default: 8000]")
@click.option("--base-url", help="The public address, for links in citations.  [env: KB_BASE_URL]")
@click.option("--workers", help="Number of processes that answer.  [env: KB_WORKERS; default: 1]")
@click.pass_context
def serve(
    context: click.Context, /, index: Path, config: Path | None, **overrides: str | int | None
) -> None:
    """Serve the API and the search page, and switch to each newly published index.

    Settings can also come from the environment or a file. docs/reference/settings.md lists them all.
    """
    from kb.ranking import tuned_weights
    from kb.storage.open_newest import open_newest
    from search_api.service.server import serve as run_server
    from search_api.state.settings import load_settings

    # The option's own default must not pass for a flag, which would win over the file.
    is_given = context.get_parameter_source("index") is not ParameterSource.DEFAULT
    log_format = overrides.get("log_format") or os.environ.get("KB_LOG_FORMAT", "text")
    with errors_to_log(str(log_format).strip().lower()):  # a setting that is wrong
        settings = load_settings(config, index=index if is_given else None, **overrides)
    with errors_to_log(settings.log_format):
        # Nothing that can be served is an error here, not a page that says so.
        open_newest(settings.index).lease.release()
        tuned_weights.load(settings.index)
        run_server(settings)
