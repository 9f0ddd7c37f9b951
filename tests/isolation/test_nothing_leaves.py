"""Nothing is sent to anybody: each command, the service, the server for assistants and the retrievers, under strace.

Nobody's home is written to, no other machine is connected to, no name is looked up, and stderr holds nothing but what
this program says.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from scripts import reference
from support.json_lines import write_records
from support.ports import free_port
from support.waiting import until
from tests.isolation.conftest import KB, LONGEST_S, Machine, Watched
from tests.kb.ranking.test_reranker import make_cross_encoder

QUESTION = "what causes leg cramps at night"
SUMMARY = (
    r"Built .*|Articles: .*|Added .*|Removed .*"
    r"|  (written|replaced|deleted) .*|  .* is not there any more"
)
WORDS = ("legs", "arms", "sleep", "salt", "iron", "water", "light")
ARTICLE = """---
id: {word}
title: Trouble with {word}
aliases: [bad {word}]
tags: [cramps]
---
Many people have trouble with their {word} at night.

## Causes

The cause of bad {word} is most often tiredness. Nobody knows why.

## When to see a doctor

See a doctor when the trouble with your {word} lasts longer than a week.
"""

AS_JSON = {
    "id": "sand",
    "title": "Trouble with sand",
    "sections": [
        {"id": "causes", "heading": "Causes", "level": 2, "text": "The cause of bad sand is sea."}
    ],
}

INITIALIZE = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}


@dataclass
class Library:
    """A corpus, an index of it that a watched `kb build` made, and the machine that both are on."""

    machine: Machine
    root: Path
    built: Watched

    @property
    def index(self) -> Path:
        return self.root / "index"

    @property
    def corpus(self) -> Path:
        return self.root / "corpus"

    def write(self, word: str) -> Path:
        path = self.root / f"{word}.md"
        path.write_text(ARTICLE.format(word=word))
        return path

    def live(self) -> str:
        return (self.index / "CURRENT").read_text()

    def kb(self, name: str, *arguments: object, given: tuple[Path, ...] = ()) -> Watched:
        whole = (*name.split(), *arguments, "--index", self.index)
        return self.machine.kb(*whole, given=(self.index, self.corpus, *given))

    def running(self, *arguments: object, **options: Any) -> Any:
        whole = (*arguments, "--index", self.index)
        return self.machine.running(*whole, given=(self.index, self.corpus), **options)


@pytest.fixture(scope="module")
def library(strace: str, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Built by the model that comes with the program: loaded by torch, exported, run."""
    root = tmp_path_factory.mktemp("library")
    machine = Machine(strace, root / "machine")
    (root / "corpus").mkdir()
    for word in WORDS:
        (root / "corpus" / f"{word}.md").write_text(ARTICLE.format(word=word))
    folders = (root / "corpus", root / "index")
    built = machine.kb("build", "--index", folders[1], "--corpus", folders[0], given=folders)
    assert built.code == 0, built.err
    return Library(machine, root, built)


def build(library: Library) -> None:
    library.built.kept_to_the_rules(told=SUMMARY)
    library.kb("build", "--if-stale").kept_to_the_rules(told=".* is up to date.")


def add(library: Library) -> None:
    library.kb("add", library.write("teeth")).kept_to_the_rules(told=SUMMARY)


def remove(library: Library) -> None:
    library.kb("remove", "iron").kept_to_the_rules(told=SUMMARY)


def addresses(library: Library) -> None:
    library.kb("addresses", "--json").kept_to_the_rules()


def watch(library: Library) -> None:
    before = library.live()
    often = ("--interval", "0.1", "--settle", "0.1")
    with library.running("watch", *often, stop=signal.SIGINT) as running:
        running.said("(Nothing to do)")
        (library.corpus / "light.md").write_text(ARTICLE.format(word="light") + "\nMore of it.\n")
        running.said("(Articles:)")
    told = rf"{SUMMARY}|Watching .*|Nothing to do in .*|Stopped\.|"
    running.ended.kept_to_the_rules(code=130, told=told)
    assert library.live() != before


def search(library: Library) -> None:
    in_german, misspelt = "warum zucken nachts meine beine", "wat causes tirednes"
    for question in (QUESTION, in_german, misspelt, '"trouble with" -legs'):
        found = library.kb("search", question, "--json", "--explain").kept_to_the_rules()
        assert json.loads(found.out)["results"]
    library.kb("search", QUESTION, "--mode", "keyword").kept_to_the_rules()
    reranker = make_cross_encoder(library.root / "reranker")
    library.kb("search", QUESTION, "--reranker", reranker).kept_to_the_rules()


def show(library: Library) -> None:
    assert "tiredness" in library.kb("show", "legs#causes").kept_to_the_rules().out


def serve(library: Library) -> None:
    key = library.kb("keys add", "s", "--scope", "articles", "--scope", "admin").out.strip()
    one = ("serve", "--port", "0", "--log-format", "json")
    with library.running(*one, stop=signal.SIGINT) as running:
        url = running.said(r"Serving \d+ articles on (http://[^\"\s]+)")
        with httpx2.Client(base_url=url, timeout=120) as client:
            use_service(client, key)
        script = (
            "import sys; from kb.client import Client; print(Client(sys.argv[1]).search('legs'))"
        )
        asked = library.machine.run(sys.executable, "-c", script, url, loopback=True)
        asked.kept_to_the_rules()
    entries = running.ended.logged_json()
    assert {"search_api.access", "search_api.announcements"} <= {e["logger"] for e in entries}
    with library.running(*one, "--workers", "2") as running:
        url = running.said(r"Serving on (http://[^\"\s]+) with 2 workers")
        assert httpx2.get(f"{url}/api/v1/search", params={"q": QUESTION}, timeout=120).json()
    assert running.ended.logged_json()


def use_service(client: httpx2.Client, key: str) -> None:
    """Ask, open pages, change an article and rebuild."""
    found = client.post("/api/v1/search", json={"question": QUESTION})
    assert found.json()["results"]
    for address in ("/", "/articles/legs", "/status", "/metrics", "/readyz", "/openapi.json"):
        assert client.get(address).status_code == 200
    assert client.get("/nothing").status_code == 404
    client.headers["Authorization"] = f"Bearer {key}"
    put = client.put("/api/v1/articles/sand", json=AS_JSON)
    for accepted in (put, client.post("/api/v1/rebuild")):
        assert accepted.status_code == 202, accepted.text
        until(
            lambda at=accepted.headers["location"]: client.get(at).json()["state"] == "done",
            LONGEST_S,
        )
    assert client.get("/api/v1/status").status_code == 200


def mcp(library: Library) -> None:
    strace, broken = library.machine.watched_command(library.index)
    arguments = [*KB, "mcp", "--index", str(library.index)]
    log = library.root / "mcp-stderr"
    asyncio.run(ask_assistant_server(library, [*strace, *arguments], log))
    assert log.read_text() == ""
    assert broken() == []
    port = free_port()
    with library.running("mcp", "--http", "--port", port) as running:
        url = running.said(r"Serving the Model Context Protocol on (http://\S+/mcp)")
        until(lambda: "sectioned-kb" in posted(url), LONGEST_S)
    told = "Serving the Model Context Protocol on .*"
    running.ended.kept_to_the_rules(code=-signal.SIGTERM, told=told)


def posted(url: str) -> str:
    """The answer to a greeting; empty while nobody listens."""
    message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE}
    accept = {"Accept": "application/json, text/event-stream"}
    try:
        return httpx2.post(url, json=message, headers=accept, timeout=60).text
    except httpx2.ConnectError:
        return ""


async def ask_assistant_server(library: Library, whole: list[str], log: Path) -> None:
    server = StdioServerParameters(
        command=whole[0],
        args=whole[1:],
        env=library.machine.environment({}),
        cwd=library.machine.cwd,
    )
    with log.open("w") as errlog:
        async with Client(stdio_client(server, errlog=errlog)) as client:
            found = await client.call_tool("search", {"question": QUESTION})
    assert not found.is_error


def judged(library: Library) -> tuple[object, ...]:
    """Questions and judgments, twenty of each."""
    topics, qrels = library.root / "topics.jsonl", library.root / "qrels"
    kinds = ("what is the cause of bad {}", "when do I see a doctor about my {}", "{} at night")
    asked = [
        (f"q{place}", kind.format(word), word)
        for place, (kind, word) in enumerate((kind, word) for word in WORDS for kind in kinds)
    ]
    write_records(topics, ({"id": n, "text": text} for n, text, _ in asked))
    qrels.write_text("".join(f"{n} 0 {word}#causes 2\n" for n, _, word in asked))
    return "--topics", topics, "--qrels", qrels


def evaluate(library: Library) -> None:
    library.kb("eval", *judged(library)).kept_to_the_rules()


def tune(library: Library) -> None:
    library.kb("tune", *judged(library)).kept_to_the_rules()


def new(library: Library) -> None:
    machine, folder = library.machine, library.root / "drafts"
    folder.mkdir()
    machine.kb("new", "A Title", "--folder", folder, given=(folder,)).kept_to_the_rules()
    assert list(folder.iterdir())


def lint(library: Library) -> None:
    library.machine.kb("lint", library.corpus).kept_to_the_rules(code=1, told=r"\d+ findings\.")


def status(library: Library) -> None:
    library.kb("status", "--json").kept_to_the_rules()


def check(library: Library) -> None:
    library.kb("check").kept_to_the_rules()


def rollback(library: Library) -> None:
    library.kb("add", library.write("hair"))
    library.kb("rollback").kept_to_the_rules(told=".* is rolled back to .* stays so until .*")
    library.kb("build").kept_to_the_rules(told=SUMMARY)


def gc(library: Library) -> None:
    library.kb("gc", "--keep", "1").kept_to_the_rules(told="Deleted .* generations, .*")


def backup(library: Library) -> None:
    file = library.root / "kept" / "backup.tar"
    file.parent.mkdir(exist_ok=True)
    library.kb("backup", file, given=(file.parent,)).kept_to_the_rules(told="Backed up .*")
    file.unlink()


def restore(library: Library) -> None:
    file, back = library.root / "to-restore.tar", library.root / "restored"
    library.kb("backup", file, given=(library.root,))
    back.mkdir()
    machine = library.machine
    folders = ("--index", back / "index", "--corpus", back / "corpus")
    told = r"Restored .*|Put \d+ files .*|From now on the index is built from .*|Removed since.*|The weights .*"
    machine.kb("restore", file, *folders, given=(back,)).kept_to_the_rules(told=told)


def keys(library: Library) -> None:
    made = library.kb("keys add", "test", "--scope", "search").kept_to_the_rules(told="Key .*")
    assert made.out.startswith("kb_")
    listed = library.kb("keys list", "--json").kept_to_the_rules()
    found = next(key["id"] for key in json.loads(listed.out) if key["name"] == "test")
    library.kb("keys revoke", found).kept_to_the_rules(told="Revoked key .*")


def work(library: Library) -> None:
    library.kb("work", "--idle", "0").kept_to_the_rules()


CASES: dict[str, Callable[[Library], None]] = {
    "build": build,
    "add": add,
    "remove": remove,
    "addresses": addresses,
    "watch": watch,
    "search": search,
    "show": show,
    "serve": serve,
    "mcp": mcp,
    "eval": evaluate,
    "tune": tune,
    "new": new,
    "lint": lint,
    "status": status,
    "check": check,
    "rollback": rollback,
    "gc": gc,
    "backup": backup,
    "restore": restore,
    "keys add": keys,
    "keys list": keys,
    "keys revoke": keys,
    "work": work,
}


def test_each_command_has_a_case() -> None:
    assert CASES.keys() == {name.removeprefix("kb ") for name, *_ in reference.commands()}


@pytest.mark.parametrize("case", dict.fromkeys(CASES.values()), ids=lambda case: case.__name__)
def test_a_command_sends_nothing_and_writes_only_where_it_was_told(
    library: Library, case: Callable[[Library], None]
) -> None:
    case(library)


RETRIEVERS = {
    "langchain": "[d.page_content for d in KnowledgeBaseRetriever(index=index).invoke(question)]",
    "llama_index": "[n.text for n in KnowledgeBaseRetriever(index=index).retrieve(question)]",
    "haystack": """[
    d.content
    for d in in_a_pipeline(KnowledgeBaseRetriever(index=index)).run({"r": {"query": question}})["r"]["documents"]
]""",
}
RETRIEVE = """
import sys
from kb.integrations.{name} import KnowledgeBaseRetriever
def in_a_pipeline(retriever):
    from haystack import Pipeline
    pipeline = Pipeline()
    pipeline.add_component("r", retriever)
    return pipeline
index, question = sys.argv[1:]
print({expression})
"""


@pytest.mark.parametrize("name", RETRIEVERS)
def test_a_retriever_sends_nothing_whatever_the_environment_says(
    library: Library, name: str
) -> None:
    script = RETRIEVE.format(name=name, expression=RETRIEVERS[name])
    done = library.machine.run(
        *(sys.executable, "-c", script, library.index, QUESTION),
        given=(library.index,),
        loopback=True,  # urllib3 looks whether there is IPv6 by a socket that it binds to ::1
    )
    assert "tiredness" in done.kept_to_the_rules().out
