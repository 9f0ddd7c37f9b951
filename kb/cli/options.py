"""The options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

index_option: Decorator = click.option(
    "--index",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("index"),
    envvar="KB_INDEX",
    show_default=True,
    show_envvar=True,
    help="The folder of the index.",
)

json_option: Decorator = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, the same as the HTTP API's."
)
