"""A Model Context Protocol server with three read-only tools.

The SDK logs the message of an error that a tool raises, so no error here contains a question. It traces only the names
of tools. The SDK's own messages repeat arguments, so this module replaces them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, ParamSpec

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import CallToolResult, InputRequiredResult, TextContent, Tool, ToolAnnotations
from pydantic import BaseModel, Field, ValidationError

from kb.library import Library
from kb.mcp import answers, wording
from kb.mcp.answers import ArticlesAnswer, SearchAnswer, SectionAnswer
from kb.mcp.arguments import no_such_tool, unknown_arguments, wrong_arguments
from kb.mcp.envelopes import PlainEnvelopeErrors
from kb.schema.errors import InvalidRequest, KbError
from kb.schema.filters import MAX_VALUES
from kb.schema.search_request import SearchRequest

P = ParamSpec("P")

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 1024 * 1024
"""Maximum size of an HTTP request's body in bytes."""
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")

INSTRUCTIONS = """\
A library of articles to quote word for word. Ask `search` a question in plain words. Quote its passages unchanged, each
with article, section and link. Say when the article was last changed and whether a clinician reviewed it. Show notices
first, unchanged. If `answered` is `none`, say that this library has no answer. `read_section` gives the text around a
passage. The articles are general information, not medical advice."""

_READ_ONLY = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)

Question = Annotated[
    str, Field(description="The question to answer, in plain words, at most 4,000 characters.")
]
Passages = Annotated[int, Field(description="Maximum number of passages.", ge=1, le=20)]
DEFAULT_PASSAGES = 5
"""Default number of passages, half of a search's default: an assistant reads each one in full."""
_SEVERAL = (
    f"A list, at most {MAX_VALUES}: any of them matches; one that begins with `-` is excluded."
)
Values = str | list[str] | None
Topic = Annotated[
    Values,
    Field(description=f"Only articles with this topic, as named by `list_articles`. {_SEVERAL}"),
]
Host = Annotated[
    Values,
    Field(description=f"Only articles published at this host, such as nhs.uk. {_SEVERAL}"),
]
ArticleId = Annotated[
    str, Field(description="The article's id, as returned by `search` and `list_articles`.")
]
SectionId = Annotated[
    str, Field(description="The section's id. If left out, the article's sections are named.")
]
PageLength = Annotated[int, Field(description="Maximum number of articles.", ge=1, le=100)]
Offset = Annotated[int, Field(description="Number of articles to skip.", ge=0, le=1_000_000_000)]


class Server(MCPServer[None]):
    """The SDK's server. Its errors about arguments name the parameter and the remedy, and repeat nothing."""

    async def list_tools(self) -> list[Tool]:
        """The tools. Their schemas say that unknown arguments are refused."""
        return [
            tool.model_copy(
                update={"input_schema": {**tool.input_schema, "additionalProperties": False}}
            )
            for tool in await super().list_tools()
        ]

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[None, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool. Raises ToolError, UnexpectedToolError and MCPError, as the SDK's own method does."""
        schemas = {tool.name: tool.input_schema for tool in await self.list_tools()}
        if name not in schemas:
            raise ToolError(no_such_tool(name, schemas))
        if told := unknown_arguments(name, schemas[name], arguments):
            raise ToolError(told)
        try:
            return await super().call_tool(name, arguments, context)
        except UnexpectedToolError:
            raise
        except ToolError as error:
            told = _told(error, schemas[name])
        raise ToolError(told)  # outside the handler, so that it carries nothing of the other

    def streamable_http_app(self, **options: Any) -> Any:
        """The application for streamable HTTP, as the SDK makes it from these options."""
        app = super().streamable_http_app(**options)
        app.add_middleware(PlainEnvelopeErrors)
        return app


def make_server(library: Library) -> Server:
    """The server, not yet running. Its tools run in threads, so several questions can run at once."""
    server = Server(
        "sectioned-kb",
        title="Knowledge base",
        instructions=INSTRUCTIONS,
        log_level="WARNING",
        subscriptions=False,
    )

    @server.tool(title="Search the articles", annotations=_READ_ONLY)
    @_tool
    def search(
        question: Question,
        limit: Passages = DEFAULT_PASSAGES,
        topic: Topic = None,
        source: Host = None,
    ) -> Annotated[CallToolResult, SearchAnswer]:
        """Answer a question with passages to quote word for word, each with its article, section, link and dates.

        Says so if the library has no answer, and puts emergency notices first.
        """
        request = SearchRequest(question, limit, topic=topic, source=source)
        answer = answers.search(library, request)
        return _result(answer, wording.of_search(answer))

    @server.tool(title="Read a section", annotations=_READ_ONLY)
    @_tool
    def read_section(
        article_id: ArticleId, section_id: SectionId = ""
    ) -> Annotated[CallToolResult, SectionAnswer]:
        """Read a section of an article word for word, with its link, dates and references."""
        answer = answers.read_section(library, article_id, section_id)
        return _result(answer, wording.of_section(answer))

    @server.tool(title="List the articles", annotations=_READ_ONLY)
    @_tool
    def list_articles(
        limit: PageLength = 50, offset: Offset = 0
    ) -> Annotated[CallToolResult, ArticlesAnswer]:
        """List the articles by title, with their dates and topics."""
        answer = answers.list_articles(library, limit, offset)
        return _result(answer, wording.of_articles(answer))

    return server


def run_stdio(server: Server) -> None:
    """Speak the protocol on stdin and stdout until stdin ends."""
    server.run("stdio")


def run_http(server: Server, host: str, port: int, allowed_hosts: tuple[str, ...]) -> None:
    """Serve the protocol over streamable HTTP at `/mcp` until SIGINT or SIGTERM.

    The `Host` of a request must be one of `allowed_hosts` or a loopback address, which stops DNS rebinding. Raises
    KbError if it cannot listen, and InvalidRequest if others could reach it and no hosts are allowed.
    """
    if host not in LOOPBACK_HOSTS and not allowed_hosts:
        raise InvalidRequest(
            "allow_host",
            f"{host} can be reached from other machines: name the hosts that requests may use, such as "
            "--allow-host kb.example.org.",
        )
    try:
        server.run(
            "streamable-http",
            host=host,
            port=port,
            transport_security=_security(allowed_hosts),
            max_request_body_size=MAX_BODY_BYTES,
        )
    except SystemExit:
        # The server has said on stderr why. Its exit code means nothing to this program.
        raise KbError(f"Cannot listen on {host} port {port}: give another as --port.") from None


def _security(allowed_hosts: tuple[str, ...]) -> TransportSecuritySettings:
    names = [*allowed_hosts, "127.0.0.1", "localhost", "[::1]"]
    hosts = [form for name in names for form in (name, f"{name}:*")]
    return TransportSecuritySettings(
        allowed_hosts=hosts,
        allowed_origins=[f"{scheme}://{host}" for scheme in ("http", "https") for host in hosts],
    )


def _tool(function: Callable[P, CallToolResult]) -> Callable[P, CallToolResult]:
    """Tell the assistant about errors of the domain, and only the type of any other error."""

    @wraps(function)  # its docstring describes the tool
    def guarded(*arguments: P.args, **named: P.kwargs) -> CallToolResult:
        try:
            return function(*arguments, **named)
        except KbError as error:
            raise ToolError(str(error)) from None
        except Exception as error:
            logger.error("%s failed: %s", function.__name__, type(error).__name__)
            raise ToolError(f"The library failed ({type(error).__name__}).") from None

    guarded.__doc__ = " ".join((function.__doc__ or "").split())
    return guarded


def _told(error: ToolError, schema: dict[str, Any]) -> str:
    """The message for an error to which the SDK has added a prefix or the arguments."""
    match error.__cause__:
        case ValidationError() as found:
            return wrong_arguments(schema, found.errors(include_input=False, include_url=False))
        case ToolError() as own:
            return str(own)
        case _:
            return str(error)


def _result(answer: BaseModel, text: str) -> CallToolResult:
    return CallToolResult(
        content=[TextContent(type="text", text=text)],
        structured_content=answer.model_dump(mode="json"),
    )
