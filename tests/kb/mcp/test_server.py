"""kb.mcp: spoken to by the SDK's own client, over stdio as assistants do, and over HTTP"""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import INVALID_PARAMS, CallToolResult, TextContent

from kb.knowledge_base import KnowledgeBase
from kb.mcp.envelopes import NOT_A_MESSAGE_TEXT
from support.ports import free_port
from support.questions import QUESTION

NO_ANSWER = "how do I file a tax return"
CANARY = "quetzalcoatlus"
Call = Callable[..., CallToolResult]
SCRIPT = "from kb_cli.main import main; main()"


@asynccontextmanager
async def assistant(log: Path, *arguments: str) -> AsyncIterator[Client]:
    """A client of `kb mcp` in a process of its own, whose stderr goes to `log`."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-W", "error", "-c", SCRIPT, "mcp", *arguments],
        env={**os.environ},
    )
    with log.open("w") as errlog:
        async with Client(stdio_client(server, errlog=errlog)) as client:
            yield client


@contextmanager
def talking(log: Path, *arguments: str) -> Iterator[Call]:
    """Calls tools of a server that was started with these arguments."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(assistant(log, *arguments)) as client,
    ):

        def call(tool: str, **given: Any) -> CallToolResult:
            return portal.call(client.call_tool, tool, given)

        call.tools = portal.call(client.list_tools).tools  # type: ignore[attr-defined]
        yield call


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mcp") / "stderr"


@pytest.fixture(scope="module")
def call(index_path: Path, log: Path) -> Iterator[Call]:
    """One conversation over stdio with a server of the index of `corpus/`."""
    with talking(log, "--index", str(index_path), "--base-url", "https://kb.example.org") as opened:
        yield opened


def text(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


def structured(result: CallToolResult) -> dict[str, Any]:
    assert not result.is_error, text(result)
    assert result.structured_content is not None
    return result.structured_content


def refusal(result: CallToolResult) -> str:
    assert result.is_error
    return text(result)


def test_the_tools_say_that_they_only_read_and_what_they_take(call: Call) -> None:
    tools = {tool.name: tool for tool in call.tools}  # type: ignore[attr-defined]
    assert tools.keys() == {"search", "read_section", "list_articles"}
    for tool in tools.values():
        hints = tool.annotations
        assert (hints.read_only_hint, hints.destructive_hint) == (True, False)
        assert tool.description
        assert tool.output_schema
        assert all("description" in field for field in tool.input_schema["properties"].values())
        assert tool.input_schema["additionalProperties"] is False
        for described in (tool.description, json.dumps([tool.input_schema, tool.output_schema])):
            assert not re.search(r"  |\\n", described or ""), "no indentation of the source"


def test_a_passage_is_quoted_word_for_word_with_all_that_cites_it(
    call: Call, knowledge_base: KnowledgeBase
) -> None:
    found = call("search", question=QUESTION, limit=2)
    expected = knowledge_base.search(QUESTION, 2)
    told, words = structured(found), text(found)
    assert told["answered"] == expected.answered
    for passage, result in zip(told["passages"], expected.results, strict=True):
        citation = result.citation
        section = knowledge_base.article(citation.article_id).section(citation.section_id)
        assert section is not None
        assert passage["quote"] == section.text[passage["start"] : passage["end"]] == result.text
        assert passage["url"] == f"https://kb.example.org{citation.url}"
        assert (passage["updated"], passage["reviewed"]) == (citation.updated, citation.reviewed)
        assert f"{citation.article_title} › {citation.section_heading}" in words
        assert passage["url"] in words
        assert all(f"> {line}" in words for line in citation.quote.split("\n") if line)
        assert f"updated {citation.updated}; not clinically reviewed" in words


def test_the_section_around_a_passage_can_be_read(
    call: Call, knowledge_base: KnowledgeBase
) -> None:
    passage = structured(call("search", question=QUESTION, limit=1))["passages"][0]
    article_id, section_id = passage["article_id"], passage["section_id"]
    section = structured(call("read_section", article_id=article_id, section_id=section_id))
    assert section["text"][passage["start"] : passage["end"]] == passage["quote"]
    assert section["url"] == passage["url"]
    outline = structured(call("read_section", article_id=article_id))
    assert (outline["text"], outline["section_id"]) == ("", "")
    own = knowledge_base.article(article_id).sections
    assert [entry["section_id"] for entry in outline["sections"]] == [each.id for each in own]


def test_the_list_of_articles_can_be_paged_to_its_end(
    call: Call, knowledge_base: KnowledgeBase
) -> None:
    listed: list[str] = []
    offset: int | None = 0
    while offset is not None:
        page = structured(call("list_articles", limit=10, offset=offset))
        listed += [entry["article_id"] for entry in page["articles"]]
        offset = page["next_offset"]
    assert listed == [summary.id for summary in knowledge_base.articles(limit=1000)]
    beyond = structured(call("list_articles", offset=1000))
    assert (beyond["articles"], beyond["next_offset"]) == ([], None)


def test_notices_of_an_emergency_come_first(call: Call) -> None:
    found = call("search", question="crushing chest pain")
    told, words = structured(found), text(found)
    assert next(iter(told)) == "notices"
    notice = told["notices"][0]
    assert 0 < words.index(notice["title"]) < words.index(notice["text"]) < words.index("[1]")
    assert notice["links"][0]["url"] in words


def test_what_a_minus_left_out_is_said(call: Call) -> None:
    found = call("search", question="leg cramps -magnesium")
    assert structured(found)["left_out"] == ["magnesium"]
    assert "Left out, as the question asks with a minus: magnesium" in text(found)
    assert structured(call("search", question="leg cramps"))["left_out"] == []


def test_where_nothing_answers_it_is_said_plainly(call: Call) -> None:
    found = call("search", question=NO_ANSWER)
    assert structured(found)["answered"] == "none"
    assert text(found).startswith("This library has no answer to the question. The passages below")
    nothing = call("search", question="legs", topic="no such topic")
    assert structured(nothing)["passages"] == []
    assert "only the nearest" not in text(nothing)


def test_what_went_wrong_is_told_with_the_remedy_and_without_the_question(
    call: Call, knowledge_base: KnowledgeBase
) -> None:
    assert refusal(call("read_section", article_id=CANARY)) == (
        "There is no article with that id. `search` and `list_articles` give the ids."
    )
    article = knowledge_base.article("sleep-hygiene")
    told = refusal(call("read_section", article_id=article.id, section_id=CANARY))
    known = ", ".join(section.id for section in article.sections)
    assert told == f"The article has no section with that id; it has: {known}."
    told = refusal(call("search", question=f"{CANARY} " * 500))
    assert "4,000" in told
    assert CANARY not in told


TAKES = "It takes question (required), limit, topic and source."
LIMIT = "limit must be a whole number from 1 to 20."
VALUES = "must be text or a list of texts."
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("search", {"query": CANARY}, f"search has no such argument. Did you mean question? {TAKES}"),
    (
        "search",
        {"question": CANARY, "limt": 3},
        f"search has no such argument. Did you mean limit? {TAKES}",
    ),
    ("search", {"question": "a", f"why {CANARY}": 1}, f"search has no such argument. {TAKES}"),
    ("search", {}, "question is required: text."),
    ("search", {"limit": 0}, f"question is required: text. {LIMIT}"),
    ("search", {"question": [CANARY]}, "question must be text."),
    ("search", {"question": None}, "question must be text."),
    ("search", {"question": CANARY, "limit": 500}, LIMIT),
    ("search", {"question": CANARY, "limit": CANARY}, LIMIT),
    ("search", {"question": CANARY, "limit": 2.5}, LIMIT),
    ("search", {"question": CANARY, "topic": {CANARY: 1}}, f"topic {VALUES}"),
    ("search", {"question": CANARY, "topic": ["a", 4711]}, f"topic {VALUES}"),
    ("search", {"question": CANARY, "source": 4711}, f"source {VALUES}"),
    ("search", {"question": "a", "topic": [CANARY] * 51}, "topic has 51 values; the most is 50."),
    ("read_section", {"section_id": CANARY}, "article_id is required: text."),
    (
        "read_section",
        {"article_id": CANARY, "section": CANARY},
        "read_section has no such argument. Did you mean section_id? It takes article_id (required) and section_id.",
    ),
    (
        "list_articles",
        {"limit": 101, "offset": -1},
        "limit must be a whole number from 1 to 100. offset must be a whole number from 0 to 1,000,000,000.",
    ),
    (
        f"search {CANARY}",
        {},
        "There is no tool with that name. The tools are search, read_section and list_articles.",
    ),
    (
        "serch",
        {},
        "There is no tool with that name. Did you mean search? The tools are search, read_section and list_articles.",
    ),
]


@pytest.mark.parametrize(("tool", "given", "said"), WRONG)
def test_wrong_arguments_are_named_with_the_remedy_and_never_repeated(
    call: Call, log: Path, tool: str, given: dict[str, Any], said: str
) -> None:
    assert refusal(call(tool, **given)) == said
    assert not any(secret in said for secret in (CANARY, "4711"))
    assert log.read_text() == ""


def test_topics_of_several_are_any_of_them_and_none_of_those_with_a_minus(
    call: Call, knowledge_base: KnowledgeBase
) -> None:
    several = ["nerves", "muscles", "-sleep"]
    expected = knowledge_base.search(QUESTION, 5, topic=several).results
    assert expected
    # Some assistants write a list as text.
    for topic in (several, json.dumps(several)):
        told = structured(call("search", question=QUESTION, topic=topic))
        assert [each["quote"] for each in told["passages"]] == [each.text for each in expected]
    assert structured(call("search", question=QUESTION, source="-nhs.uk"))["passages"]


def test_nothing_is_written_beside_the_protocol(call: Call, log: Path) -> None:
    call("search", question=CANARY)
    assert log.read_text() == ""


def test_an_assistant_quotes_from_a_service_by_its_address(
    service_url: str, knowledge_base: KnowledgeBase, tmp_path: Path
) -> None:
    citation = knowledge_base.search(QUESTION, 1).results[0].citation
    with talking(tmp_path / "stderr", "--url", service_url) as call:
        passage = structured(call("search", question=QUESTION, limit=1))["passages"][0]
    assert passage["quote"] == citation.quote
    assert passage["url"] == service_url + citation.url


def test_where_the_service_is_gone_the_assistant_is_told(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with talking(tmp_path / "stderr", "--url", url) as call:
        told = refusal(call("search", question=CANARY))
    assert f"no connection to {url}" in told
    assert CANARY not in told + (tmp_path / "stderr").read_text()


def test_over_http_an_assistant_is_served_and_a_foreign_host_is_refused(index_path: Path) -> None:
    import httpx2

    port = free_port()
    arguments = [
        "mcp",
        "--index",
        str(index_path),
        "--http",
        "--port",
        str(port),
        "--allow-host",
        "kb.example.org",
    ]
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", SCRIPT, *arguments], stderr=subprocess.PIPE, text=True
    ) as server:
        url = f"http://127.0.0.1:{port}/mcp"

        async def ask() -> None:
            async with Client(url) as client:
                told = structured(
                    await client.call_tool("search", {"question": f"{QUESTION} {CANARY}"})
                )
                assert told["passages"]
                for tool, given, said in WRONG:
                    assert refusal(await client.call_tool(tool, given)) == said

        try:
            _wait_for(port)
            asyncio.run(ask())
            body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
            headers = {"Accept": "application/json, text/event-stream"}
            status = {
                host: httpx2.post(url, json=body, headers={**headers, "Host": host}).status_code
                for host in ("evil.example", "kb.example.org", f"localhost:{port}")
            }
            assert status.pop("evil.example") == 421
            assert 421 not in status.values()
            foreign = httpx2.post(
                url, json=body, headers={**headers, "Origin": "https://evil.example"}
            )
            assert foreign.status_code == 403
            for no_message in (
                {**body, "method": "tools/call", "params": f"why {CANARY}"},
                {**body, "method": {CANARY: 1}},
                {CANARY: 1},
                [CANARY],
                CANARY,
            ):
                refused = httpx2.post(url, json=no_message, headers=headers)
                assert refused.status_code == 400
                assert refused.json()["error"] == {
                    "code": INVALID_PARAMS,
                    "message": NOT_A_MESSAGE_TEXT,
                }
        finally:
            server.terminate()
            assert server.stderr is not None
            log = server.stderr.read()
    assert re.search(rf"http://127\.0\.0\.1:{port}/mcp", log)
    assert CANARY not in log


def _wait_for(port: int) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            continue
        return
