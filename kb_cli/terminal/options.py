"""The options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kb.schema.errors import InvalidRequest

if TYPE_CHECKING:
    from kb.knowledge_base import KnowledgeBase
    from kb.ranking.reranker import Reranker

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
    "--json", "as_json", is_flag=True, help="Print the same JSON as the HTTP API."
)


def _each_once(_: click.Context, __: click.Parameter, corpora: tuple[Path, ...]) -> Sequence[Path]:
    if len(corpora) < 2:
        return corpora
    from indexer.corpus.files import distinct

    return distinct(corpora)


corpus_option: Decorator = click.option(
    "--corpus",
    "corpora",
    type=click.Path(path_type=Path),
    multiple=True,
    callback=_each_once,
    help="A folder of articles, or one file: Markdown, plain text, JSONL or JSONL.gz. May be given several times. The "
    "default are those of the last build, or `corpus`.",
)

wait_option: Decorator = click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    help="Seconds to wait for another build to end.",
)


def _public_address(_: click.Context, __: click.Parameter, value: str) -> str:
    from kb.schema.web_address import public_address

    try:
        return public_address(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} cannot begin a link: {error}.") from None


base_url_option: Decorator = click.option(
    "--base-url",
    default="",
    envvar="KB_BASE_URL",
    show_envvar=True,
    callback=_public_address,
    help="The public address of the service, for links in citations.",
)

reranker_option: Decorator = click.option(
    "--reranker",
    envvar="KB_RERANKER",
    show_envvar=True,
    help="A sentence-transformers CrossEncoder, by name or path, that reorders the first results. Off by default.",
)


def load_reranker(name: str | None) -> Reranker | None:
    """The reranker with that name, or None if none is named. Raises ModelError."""
    if not name:
        return None
    from kb.ranking.reranker import Reranker

    return Reranker(name)


def warn_of_damage(knowledge_base: KnowledgeBase) -> None:
    """Warn on stderr if an older generation answers, with the reason."""
    if knowledge_base.damage is not None:
        say(
            f"kb: {knowledge_base.damage} Answered from an older index, {knowledge_base.generation}."
        )


@contextmanager
def as_typed() -> Iterator[None]:
    """Name an option in errors as it was typed: `--updated-since` instead of `updated_since`."""
    try:
        yield
    except InvalidRequest as error:
        message = str(error)
        if message.startswith(f"{error.field} "):
            option = f"--{error.field.replace('_', '-')}"
            message = option + message.removeprefix(error.field)
        raise InvalidRequest(error.field, message) from None


def say(message: str) -> None:
    """Print a message on stderr."""
    click.echo(message, err=True)
