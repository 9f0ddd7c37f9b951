"""Articles over HTTP: each answer is true of the corpus on disk, and of the index once the task is done"""

from __future__ import annotations

import gzip
import io
import json
import logging
import os
import re
import socket
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from fastapi.testclient import TestClient

from indexer.generations.lock import writer_lock
from kb.storage.generation import pinned_generation
from kb_cli.main import run
from search_api.http.parts import part
from search_api.state import worker_client
from search_api.telemetry.metrics import Metrics
from support.library import Library, held, markdown
from support.service import API, MARKDOWN, bearer, ended, serving, working
from support.waiting import until

JSONL = {"Content-Type": "application/jsonl"}


@pytest.fixture
def service(shelf: Library) -> Iterator[TestClient]:
    with working(shelf), serving(shelf) as client:
        yield client


def put(client: TestClient, article_id: str, word: str, **headers: str) -> Any:
    content = markdown(article_id, word).encode()
    return client.put(f"{API}/articles/{article_id}", content=content, headers=MARKDOWN | headers)


def report(client: TestClient, response: Any) -> Any:
    assert response.status_code == 202, response.text
    task = ended(client, response.json()["id"])
    assert task["state"] == "done", task
    return task["report"]


def wait_for(client: TestClient, generation: str) -> None:
    """Until the service has taken that generation over."""
    until(lambda: client.get("/healthz").json()["generation"] == generation)


def until_empty(folder: Path) -> None:
    """Until the worker has deleted what it no longer needs, which it does after its reply."""
    until(lambda: not list(folder.iterdir()))


def test_an_article_is_a_file_when_it_is_accepted_and_answers_when_the_task_is_done(
    service: TestClient, shelf: Library
) -> None:
    with writer_lock(shelf.index):  # so no build can have begun
        response = put(service, "news", "tea")
        assert response.status_code == 202
        assert (shelf.corpus / "news.md").read_text() == markdown("news", "tea")
        task = response.json()
        assert (task["state"], task["kind"], task["article_id"]) == ("accepted", "put", "news")
        assert response.headers["location"] == f"{API}/tasks/{task['id']}"
        assert service.get(f"{API}/articles/news").status_code == 404
    done = ended(service, task["id"])
    assert done["report"]["articles"] == [{"id": "news", "change": "added"}]
    assert done["report"]["summary"] == {
        "added": 1,
        "changed": 0,
        "removed": 0,
        "skipped": 0,
        "failed": 0,
    }
    read = service.get(f"{API}/articles/news")
    assert read.json()["sections"][0]["text"] == "tea comes first."
    assert read.headers["etag"] == response.headers["etag"]
    assert held(shelf.index)["news"] == "tea"

    changed = report(service, put(service, "news", "honey"))
    assert changed["summary"]["changed"] == 1
    assert report(service, put(service, "news", "honey"))["summary"]["skipped"] == 1
    assert held(shelf.index)["news"] == "honey"

    removed = report(service, service.delete(f"{API}/articles/news"))
    assert removed["summary"]["removed"] == 1
    assert not (shelf.corpus / "news.md").exists()
    assert "news" not in held(shelf.index)
    assert service.delete(f"{API}/articles/news").status_code == 404
    until_empty(shelf.index / "tasks" / "received")


def test_what_was_read_can_be_sent_back_in_either_form(service: TestClient, shelf: Library) -> None:
    path = f"{API}/articles/article-1"
    for accept in ("application/json", "text/markdown"):
        read = service.get(path, headers={"Accept": accept})
        assert read.headers["content-type"].startswith(accept)
        sent = service.put(path, content=read.content, headers={"Content-Type": accept})
        wait_for(service, report(service, sent)["generation"])
        assert [s["text"] for s in service.get(path).json()["sections"]] == [
            "salt comes first.",
            "The cause of article-1 is salt. Nobody knows why.",
        ]
    assert service.get(path, params={"format": "html"}).text.count("salt comes first.") == 1


def test_an_id_may_be_left_out_and_may_not_be_another(service: TestClient, shelf: Library) -> None:
    article = {"title": "T", "sections": [{"id": "s", "text": "Some words."}]}
    odd = "A/b c".replace(" ", "%C3%A9")
    response = service.put(f"{API}/articles/{odd}", json=article)
    assert response.status_code == 202, response.text
    assert response.json()["article_id"] == "A/bé" + "c"
    response = service.put(f"{API}/articles/x", json=article | {"id": "y"})
    assert response.status_code == 422
    assert "'y'" in response.json()["detail"]
    tea = "# Tea\n\nSome words.\n"
    response = service.put(f"{API}/articles/tea-time", content=tea, headers=MARKDOWN)
    assert (response.status_code, (shelf.corpus / "tea-time.md").read_text()) == (202, tea)
    response = service.put(f"{API}/articles/tea/time", content=tea, headers=MARKDOWN)
    assert response.status_code == 422
    assert "no file can be called 'tea/time': state that id in it" in response.json()["detail"]
    stated = f"---\nid: tea/time\n---\n{tea}"
    response = service.put(f"{API}/articles/tea/time", content=stated, headers=MARKDOWN)
    assert (response.status_code, response.json()["article_id"]) == (202, "tea/time")


def test_half_an_emoji_does_not_cost_the_article(service: TestClient, shelf: Library) -> None:
    content = b'{"title": "\\ud800", "sections": [{"id": "s", "text": "Words \\udfff."}]}'
    headers = {"Content-Type": "application/json"}
    response = service.put(f"{API}/articles/half", content=content, headers=headers)
    assert response.status_code == 202, response.text
    stored = json.loads((shelf.corpus / "half.article.json").read_text())
    assert stored["sections"][0]["text"] == "Words \ufffd."


BAD_IDS = ["..%2F..%2Fevil", "%2Fetc%2Fevil", "%2e%2e", "a%00b", "a%0Ab", "x" * 300, "%FF%20"]


@pytest.mark.parametrize("article_id", BAD_IDS)
def test_no_id_is_a_way_out_of_the_corpus(
    service: TestClient, shelf: Library, article_id: str
) -> None:
    def files() -> set[Path]:
        # Not by rglob, which fails where a build takes its folder away meanwhile.
        return {
            Path(folder, name)
            for folder, folders, names in os.walk(shelf.root)
            for name in (*folders, *names)
            if shelf.index not in (Path(folder), *Path(folder).parents)
            and not name.startswith("._addresses")  # the ledger, about to take its place
        }

    before = files()
    for kind, content in (
        ("text/markdown", b"# T\n\nText.\n"),
        ("application/json", b'{"title": "T", "sections": [{"id": "s", "text": "Text."}]}'),
    ):
        url = f"{API}/articles/{article_id}"
        response = service.put(url, content=content, headers={"Content-Type": kind})
        assert response.status_code in (202, 404, 422), response.text
        assert service.delete(url).status_code in (202, 404)
        written = files() - before
        assert all(path.parent in (shelf.corpus, shelf.corpus / "added") for path in written)
        for path in written:
            path.unlink()


@pytest.mark.parametrize("article_id", ["..%2F..%2Fevil", "%2e%2e", "a%2F.%2Fb"])
def test_an_id_that_a_url_would_resolve_is_refused(service: TestClient, article_id: str) -> None:
    article = {"title": "T", "sections": [{"id": "s", "text": "Text."}]}
    response = service.put(f"{API}/articles/{article_id}", json=article)
    assert response.status_code == 422, response.text
    assert "means a folder in a URL" in response.json()["detail"]


def test_no_link_is_a_way_out_of_the_corpus(
    service: TestClient, shelf: Library, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (shelf.corpus / "added").symlink_to(outside)
    (shelf.corpus / "taken.md").write_text(markdown("another", "tea"))
    (shelf.corpus / "link.md").symlink_to(outside / "link.md")
    assert put(service, "taken", "tea").status_code == 202
    assert put(service, "link", "tea").status_code == 202
    assert list(outside.iterdir()) == []
    assert (shelf.corpus / "link.md").is_symlink()  # which is not ours to replace
    assert (shelf.corpus / "added-2" / "link.md").is_file()


def test_a_change_is_made_only_to_the_article_it_was_meant_for(
    service: TestClient, shelf: Library
) -> None:
    first = put(service, "news", "tea", **{"If-None-Match": "*"}).headers["etag"]
    again = put(service, "news", "milk", **{"If-None-Match": "*"})
    assert (again.status_code, again.json()["type"]) == (412, "/docs#precondition-failed")
    second = put(service, "news", "honey", **{"If-Match": f'"other", {first}'})
    assert second.status_code == 202
    # The corpus counts, whether the index has it yet or not.
    for stale in (first, f"W/{second.headers['etag']}", '"other"'):
        assert put(service, "news", "lost", **{"If-Match": stale}).status_code == 412
        url = f"{API}/articles/news"
        assert service.delete(url, headers={"If-Match": stale}).status_code == 412
    assert put(service, "new", "tea", **{"If-Match": "*"}).status_code == 412
    assert "honey" in (shelf.corpus / "news.md").read_text()
    assert put(service, "news", "milk", **{"If-Match": "no tag"}).status_code == 422
    assert put(service, "news", "milk", **{"If-None-Match": first}).status_code == 422
    found = put(service, "news", "milk", **{"If-Match": second.headers["etag"]})
    assert found.status_code == 202


def test_who_holds_an_article_is_told_so(service: TestClient) -> None:
    url = f"{API}/articles/article-1"
    tags = set()
    for form in ("json", "markdown", "html"):
        tag = service.get(url, params={"format": form}).headers["etag"]
        tags.add(tag)
        for held_tags in (tag, f'"a", W/{tag}', "*"):
            headers = {"If-None-Match": held_tags}
            response = service.get(url, params={"format": form}, headers=headers)
            assert (response.status_code, response.content) == (304, b"")
            assert response.headers["etag"] == tag
        other = service.get(url, params={"format": form}, headers={"If-None-Match": '"a"'})
        assert other.status_code == 200
    assert len(tags) == 3


def test_the_same_idempotency_key_and_work_is_the_same_task(
    service: TestClient, shelf: Library
) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = put(service, "news", "tea", **key)
    put(service, "news", "milk")
    again = put(service, "news", "tea", **key)
    assert first.json()["id"] == again.json()["id"]
    assert again.headers["idempotency-replayed"] == "true"
    assert "milk" in (shelf.corpus / "news.md").read_text()  # it was not done a second time
    other = put(service, "news", "honey", **key)
    assert other.status_code == 422
    assert other.json()["errors"][0]["field"] == "Idempotency-Key"
    assert service.delete(f"{API}/articles/news", headers=key).status_code == 422
    stranger = bearer(shelf, "articles")  # may choose the same
    assert put(service, "news", "honey", **key, **stranger).status_code == 202
    for bad in ("", "a" * 256, "a b"):
        assert put(service, "news", "tea", **{"Idempotency-Key": bad}).status_code == 422
    files = {"file": ("a.md", markdown("a", "tea"))}
    sent = [
        service.post(f"{API}/upload", files=files, headers={"Idempotency-Key": "k-2"}).json()["id"]
        for _ in range(2)  # each with a boundary of its own
    ]
    assert sent[0] == sent[1]


def zipped(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/") + ".md", content)
    return buffer.getvalue()


def line(article_id: str, text: str) -> str:
    return json.dumps({"id": article_id, "sections": [{"id": "s", "text": text}]}) + "\n"


def test_files_are_taken_in_together_and_each_that_fails_is_named(
    service: TestClient, shelf: Library
) -> None:
    files = [
        ("file", ("one.md", markdown("one", "tea"))),
        ("file", ("article-1.md", markdown("article-1", "salt"))),
        ("file", ("article-2.md", markdown("article-2", "honey"))),
        ("file", ("many.zip", zipped(a=markdown("two", "milk"), b__c="no title"))),
        ("file", ("more.jsonl", line("three", "Words.") + "{\n" + line("four", "Words."))),
        ("file", ("latin.md", b"# Caf\xe9\n")),
        ("file", ("../evil.md", markdown("evil", "tea"))),
        ("file", ("a.pdf", b"%PDF")),
    ]
    found = report(service, service.post(f"{API}/upload", files=files))
    assert found["summary"] == {"added": 4, "changed": 1, "removed": 0, "skipped": 1, "failed": 5}
    assert {each["id"]: each["change"] for each in found["articles"]} == {
        "one": "added",
        "article-1": "unchanged",
        "article-2": "changed",
        "two": "added",
        "three": "added",
        "four": "added",
    }
    failures = {each["file"]: (each["line"], each["reason"]) for each in found["failures"]}
    assert failures.keys() == {"many.zip/b/c.md", "more.jsonl", "latin.md", "../evil.md", "a.pdf"}
    assert failures["more.jsonl"][0] == 2
    assert "UTF-8" in failures["latin.md"][1]
    assert str(shelf.root) not in json.dumps(found)
    assert {"one.md", "three.article.json", "four.article.json"} <= {
        path.name for path in shelf.corpus.iterdir()
    }
    assert not list(shelf.root.rglob("evil*"))


def test_of_several_articles_of_one_id_the_first_is_taken_and_the_others_are_named(
    service: TestClient, shelf: Library
) -> None:
    lines = line("one", "First.") + line("two", "Words.") + line("one", "Second.")
    found = report(service, service.post(f"{API}/import", content=lines, headers=JSONL))
    assert found["summary"]["added"] == 2
    assert [(each["file"], each["line"]) for each in found["failures"]] == [("import.jsonl", 3)]
    assert "already that of import.jsonl:1, which stays" in found["failures"][0]["reason"]
    assert "First." in (shelf.corpus / "one.article.json").read_text()

    files = [
        ("file", ("a.md", markdown("article-1", "tea"))),
        ("file", ("b.zip", zipped(c=markdown("article-1", "honey")))),
    ]
    found = report(service, service.post(f"{API}/upload", files=files))
    assert found["articles"] == [{"id": "article-1", "change": "changed"}]
    (failure,) = found["failures"]
    assert failure["file"] == "b.zip/c.md"
    assert "already that of a.md, which stays" in failure["reason"]
    assert str(shelf.root) not in json.dumps(found)
    assert (shelf.corpus / "article-1.md").read_text() == markdown("article-1", "tea")


def test_a_collection_is_imported_compressed_or_not(service: TestClient, shelf: Library) -> None:
    lines = "".join(line(f"a{n}", f"Words {n}.") for n in range(30)).encode()
    found = report(service, service.post(f"{API}/import", content=lines, headers=JSONL))
    assert (found["summary"]["added"], found["failures"]) == (30, [])
    packed = JSONL | {"Content-Encoding": "gzip"}
    again = service.post(f"{API}/import", content=gzip.compress(lines), headers=packed)
    assert report(service, again)["summary"]["skipped"] == 30
    broken = service.post(f"{API}/import", content=lines, headers=packed)
    reason = "is not a complete gzip file: create it again"
    assert broken.status_code == 422
    assert broken.json()["errors"] == [{"field": "import.jsonl.gz", "message": reason}]


def test_what_is_too_large_is_refused_and_leaves_nothing(shelf: Library) -> None:
    limits = {"upload_max_bytes": 100_000, "unpacked_max_bytes": 200_000, "upload_max_files": 3}
    with working(shelf), serving(shelf, **limits) as service:
        large = b"# T\n\n" + b"word " * 30_000
        streamed = (large[:50_000] for _ in range(3))
        for response in (
            service.put(f"{API}/articles/a", content=large, headers=MARKDOWN),
            service.put(f"{API}/articles/a", content=streamed, headers=MARKDOWN),
            service.post(f"{API}/upload", files={"file": ("a.md", large)}),
            service.post(f"{API}/import", content=large, headers=JSONL),
        ):
            assert response.status_code == 413
            assert "100,000 bytes" in response.json()["detail"]
        files = [("file", (f"{n}.md", b"# T\n\nText.")) for n in range(4)]
        assert service.post(f"{API}/upload", files=files).status_code == 422
        bomb = gzip.compress(line("a", "0" * 1_000_000).encode())
        packed = JSONL | {"Content-Encoding": "gzip"}
        refused = service.post(f"{API}/import", content=bomb, headers=packed)
        assert refused.status_code == 422
        assert "more than 200,000 bytes" in refused.json()["errors"][0]["message"]
    until_empty(shelf.index / "tasks" / "received")


@pytest.mark.parametrize(
    ("request_line", "head", "body"),
    [
        ("PUT /api/v1/articles/news", "Content-Type: text/markdown", b"# N"),
        ("POST /api/v1/upload", "Content-Type: multipart/form-data; boundary=x", b"--x\r\n"),
    ],
)
def test_a_client_that_goes_away_while_it_sends_is_counted_as_that_and_leaves_nothing(
    shelf: Library,
    listening: Callable[..., AbstractContextManager[str]],
    caplog: pytest.LogCaptureFixture,
    request_line: str,
    head: str,
    body: bytes,
) -> None:
    (authorization,) = bearer(shelf, "articles").values()
    with listening(shelf.index) as url:
        place = urlsplit(url)
        with socket.create_connection((place.hostname, place.port)) as connection:
            lines = [f"{request_line} HTTP/1.1", f"Host: {place.netloc}", head]
            lines += [f"Authorization: {authorization}", "Content-Length: 100000", "", ""]
            connection.sendall("\r\n".join(lines).encode() + body)
            until(lambda: list((shelf.index / "tasks").glob("received/*")))
        gone = re.compile(
            r'^kb_http_requests_total{method="P\w+",.*status="0"} 1\.0$', re.MULTILINE
        )
        told = until(lambda: gone.search(urlopen(f"{url}/metrics").read().decode())).string
        assert "\nkb_failures_total 0.0\n" in told
        assert list((shelf.index / "tasks" / "received").iterdir()) == []
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize(
    ("path", "content", "kind", "status"),
    [
        ("/upload", b"", "multipart/form-data", 422),
        ("/upload", b"--x\r\nnonsense", "multipart/form-data; boundary=x", 422),
        ("/upload", b"", "application/zip", 422),
        ("/upload", b"a", "text/plain", 415),
        ("/import", b"", "application/jsonl", 422),
        ("/import", b"{}", "application/json", 415),
    ],
)
def test_what_is_no_upload_is_refused_and_leaves_nothing(
    service: TestClient, shelf: Library, path: str, content: bytes, kind: str, status: int
) -> None:
    response = service.post(f"{API}{path}", content=content, headers={"Content-Type": kind})
    assert response.status_code == status, response.text
    assert list((shelf.index / "tasks" / "received").iterdir()) == []
    assert service.get(f"{API}/tasks").json() == {"tasks": []}


@pytest.mark.parametrize(
    ("content", "kind", "reason"),
    [
        (b"# Caf\xe9\n\nText.", "text/markdown", "byte 0xE9 at offset 5 is not UTF-8: "),
        (b"No title at all", "text/markdown", "it has no title: "),
        (b"# Title", "text/markdown", "it has no text: "),
        (b"---\nurl: x\n---\n# T\n\nx", "text/markdown", 'url "x" is not a URL: '),
        (
            b"---\nid: other\n---\n# T\n\nx",
            "text/markdown",
            "it has the id 'other', and not 'bad': ",
        ),
        (
            b'{\n"title"',
            "application/json",
            "not JSON, Expecting ':' delimiter at line 2, character 8: write the article as one JSON object, over any "
            "number of lines.",
        ),
        (b"[]", "application/json", "the content is a list: write an article as a JSON object."),
        (b'{"\xe9"', "application/json", "byte 0xE9 at offset 2 is not UTF-8: write it as UTF-8."),
        (b'{"sections": []}', "application/json", 'article "bad" has no "sections": '),
        (b"[" * 100_000, "application/json", "nested too deeply: "),
        (b"one line", "text/plain", "it has a title but no text: "),
        (b"a\0b", "text/plain", "it holds a NUL character, "),
        (b"\n", "text/plain", "it is empty: "),
    ],
)
def test_an_article_that_cannot_be_read_is_refused_with_the_reason(
    service: TestClient, shelf: Library, content: bytes, kind: str, reason: str
) -> None:
    before = sorted(shelf.corpus.iterdir())
    url = f"{API}/articles/bad"
    response = service.put(url, content=content, headers={"Content-Type": kind})
    assert response.status_code == 422, response.text
    assert response.json()["detail"].startswith(f"The article cannot be taken: {reason}")
    assert sorted(shelf.corpus.iterdir()) == before


def test_an_id_that_none_can_be_is_told_so(service: TestClient) -> None:
    sent = service.put(f"{API}/articles/bad%20id", content="# Title\n\nText.", headers=MARKDOWN)
    assert sent.status_code == 422
    assert 'id "bad id" holds U+0020: an id has no white space' in sent.json()["detail"]


def test_who_is_told_that_a_task_is_done_reads_what_it_did(shelf: Library) -> None:
    url = f"{API}/articles/news"
    with working(shelf), serving(shelf, poll_interval_s=3600) as client:
        ended(client, put(client, "news", "tea").json()["id"])
        read = client.get(url)
        assert read.json()["sections"][0]["text"] == "tea comes first."
        task = put(client, "news", "honey").json()
        last = client.get(f"{API}/tasks/{task['id']}/events").text.rstrip().split("\n\n")[-1]
        assert '"state":"done"' in last
        assert client.get(url).json()["sections"][0]["text"] == "honey comes first."
        task = client.delete(url).json()
        until(lambda: client.get(f"{API}/tasks").json()["tasks"][0]["state"] == "done")
        assert client.get(url).status_code == 410


def test_progress_comes_as_events_until_the_task_has_ended(
    service: TestClient, shelf: Library
) -> None:
    with writer_lock(shelf.index):
        task_id = put(service, "news", "tea").json()["id"]
        lines: list[str] = []
        reading = threading.Thread(
            target=lambda: lines.extend(
                service.get(f"{API}/tasks/{task_id}/events").text.split("\n\n")
            )
        )
        reading.start()
        until(lambda: "wait" in service.get(f"{API}/tasks/{task_id}").json()["stage"])
    reading.join(60)
    events = [dict(part.split(": ", 1) for part in event.split("\n")) for event in lines if event]
    tasks = [json.loads(event["data"]) for event in events]
    assert {event["event"] for event in events} == {"task"}
    assert [int(event["id"]) for event in events] == sorted({int(e["id"]) for e in events})
    assert tasks[-1]["state"] == "done"
    assert tasks[0]["state"] == "accepted"
    last = {"Last-Event-ID": events[-1]["id"]}
    assert service.get(f"{API}/tasks/{task_id}/events", headers=last).text == ""
    for unknown in ("nope", "..%2F..%2Fpasswd", "20260101T000000Z-0000000000000000"):
        assert service.get(f"{API}/tasks/{unknown}").status_code == 404
        assert service.get(f"{API}/tasks/{unknown}/events").status_code == 404


def test_a_rebuild_takes_in_what_was_put_there_by_hand_and_status_says_so(
    service: TestClient, shelf: Library
) -> None:
    shelf.put("by-hand", "tea")
    assert service.get(f"{API}/status").json()["stale"]["added"] == ["by-hand"]
    found = report(service, service.post(f"{API}/rebuild"))
    assert found["summary"]["added"] == 1
    status = service.get(f"{API}/status").json()
    assert status["stale"] == {"added": [], "changed": [], "removed": [], "moved": []}
    assert (status["generation"], status["tasks"]["done"]) == (found["generation"], 1)
    assert held(shelf.index) == shelf.texts


def test_an_index_that_was_rolled_back_stays_so_but_for_what_is_removed(
    service: TestClient, shelf: Library
) -> None:
    shelf.put("article-0", "newer")
    shelf.build()
    assert run(["rollback", "--index", str(shelf.index)]) == 0
    added = report(service, put(service, "news", "tea"))
    assert "rebuild" in added["note"]
    report(service, service.delete(f"{API}/articles/article-1"))
    assert pinned_generation(shelf.index) is not None
    found = held(shelf.index)
    assert (found["article-0"], "news" in found, "article-1" in found) == ("salted", False, False)
    report(service, service.post(f"{API}/rebuild"))
    assert pinned_generation(shelf.index) is None
    assert held(shelf.index) | {"news": "tea"} == held(shelf.index)


def test_many_changes_at_once_are_all_made_and_share_builds(
    service: TestClient, shelf: Library
) -> None:
    responses: list[Any] = []
    threads = [
        threading.Thread(target=lambda n=n: responses.append(put(service, f"many-{n}", f"w{n}")))
        for n in range(12)
    ]
    with writer_lock(shelf.index):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    done = [ended(service, response.json()["id"]) for response in responses]
    assert len({task["report"]["generation"] for task in done}) <= 3
    found = held(shelf.index)
    assert {f"many-{n}": f"w{n}" for n in range(12)}.items() <= found.items()


def test_no_more_tasks_wait_than_may_and_what_is_known_is_answered_all_the_same(
    shelf: Library,
) -> None:
    with working(shelf), serving(shelf, max_tasks=2) as service:
        with writer_lock(shelf.index):
            first = put(service, "one", "tea", **{"Idempotency-Key": "k"})
            assert put(service, "two", "tea").status_code == 202
            sent = iter([b"# Three\n\n", b"Text."])
            url = f"{API}/articles/three"
            for full in (
                service.put(url, content=sent, headers=MARKDOWN),
                service.delete(url),
                service.post(f"{API}/upload", files={"file": ("a.md", b"# A\n\nText.")}),
                service.post(f"{API}/rebuild"),
            ):
                assert (full.status_code, full.json()["type"]) == (503, "/docs#tasks-full")
                assert int(full.headers["retry-after"]) > 0
            assert next(sent, None) is not None  # nothing of the body was taken
            again = put(service, "one", "tea", **{"Idempotency-Key": "k"})
            assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
            until_empty(shelf.index / "tasks" / "received")
            told = part(service.app, Metrics).exposition().decode()  # type: ignore[arg-type]
            assert 'kb_shed_total{reason="tasks_full"} 4.0' in told
        ended(service, again.json()["id"])
        report(service, put(service, "three", "tea"))
    assert "three" in held(shelf.index)


def send_everything(service: TestClient) -> list[Any]:
    headers = {"Idempotency-Key": "k"}
    return [
        put(service, "news", "tea", **headers),
        service.delete(f"{API}/articles/collected"),
        service.post(f"{API}/import", content=line("news", "Tea."), headers=JSONL),
        service.post(f"{API}/upload", files={"file": ("news.md", markdown("news", "tea"))}),
    ]


def test_what_cannot_be_stored_is_not_accepted_and_can_be_sent_again(shelf: Library) -> None:
    lines = shelf.root / "articles.jsonl"
    lines.write_text(line("collected", "Words."))
    assert run(["build", "--index", str(shelf.index), "--corpus", str(lines), "--replace"]) == 0
    with working(shelf), serving(shelf) as service:
        for response in send_everything(service):
            problem = response.json()
            assert (response.status_code, problem["type"]) == (507, "/docs#not-stored")
            assert f"`kb build --corpus FOLDER --corpus {lines}`" in problem["detail"]
        corpora = ["--corpus", str(shelf.corpus), "--corpus", str(lines)]
        assert run(["build", "--index", str(shelf.index), *corpora]) == 0
        report(service, put(service, "news", "tea", **{"Idempotency-Key": "k"}))
        assert service.get(f"{API}/articles/news").status_code == 200


def test_a_full_disk_is_no_acceptance(
    shelf: Library, service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("indexer.corpus.writable_corpus.write_durably", full)
        response = put(service, "news", "tea")
    assert (response.status_code, response.json()["type"]) == (507, "/docs#not-stored")
    assert response.json()["detail"] == "The disk failed: No space left on device."
    assert not (shelf.corpus / "news.md").exists()


def test_a_worker_that_fails_is_no_acceptance(
    service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("indexer.tasks.editor.put", lambda *_, **__: 1 / 0)
        response = put(service, "news", "tea")
    assert response.status_code == 500
    assert "ZeroDivisionError" in response.json()["detail"]
    assert service.get(f"{API}/tasks").json() == {"tasks": []}


def test_where_nobody_works_nothing_is_kept_and_the_client_is_told(
    shelf: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_client, "MAX_UNATTENDED_S", 0.2)
    monkeypatch.setattr("search_api.state.worker_process.WorkerProcess._look", lambda _: None)
    key = {"Idempotency-Key": "k"}
    with serving(shelf) as service:
        response = put(service, "news", "tea", **key)
        assert (response.status_code, response.json()["type"]) == (504, "/docs#worker-missing")
        assert int(response.headers["retry-after"]) > 0
        assert service.get(f"{API}/status").status_code == 504
        assert service.get(f"{API}/tasks").json() == {"tasks": []}
        assert list((shelf.index / "tasks" / "received").iterdir()) == []
        with working(shelf):
            report(service, put(service, "news", "tea", **key))
    assert held(shelf.index)["news"] == "tea"


def refusals(service: TestClient) -> Iterator[tuple[int, Any]]:
    """Each status that a change can be refused with, and such an answer."""
    url = f"{API}/articles/article-1"
    key = {"Idempotency-Key": "k"}
    yield 404, service.delete(f"{API}/articles/missing", headers=key)
    yield 412, put(service, "article-1", "tea", **key, **{"If-None-Match": "*"})
    yield 412, service.delete(url, headers={"If-Match": '"other"'} | key)
    yield 422, service.put(url, content=b"no title", headers=MARKDOWN | key)
    yield 422, service.post(f"{API}/upload", files={"file": ("a.pdf", b"%PDF")}, headers=key)
    yield 422, service.post(f"{API}/upload", files={"file": ("README.md", b"# R")}, headers=key)
    yield 422, service.post(f"{API}/import", content=b"\n", headers=JSONL | key)


def test_what_is_refused_is_no_task_and_is_judged_anew_when_it_is_sent_again(
    service: TestClient, shelf: Library
) -> None:
    before = {path: path.read_bytes() for path in shelf.corpus.iterdir()}
    for status, response in [*refusals(service), *refusals(service)]:
        assert response.status_code == status, response.text
    assert service.get(f"{API}/tasks").json() == {"tasks": []}
    assert service.get(f"{API}/status").json()["tasks"]["failed"] == 0
    until_empty(shelf.index / "tasks" / "received")
    assert {path: path.read_bytes() for path in shelf.corpus.iterdir()} == before
    # The key of what was refused stands for nothing yet.
    assert put(service, "article-1", "tea", **{"Idempotency-Key": "k"}).status_code == 202


def test_files_of_which_none_can_be_read_are_named_in_the_refusal(service: TestClient) -> None:
    files = [
        ("file", ("a.pdf", b"%PDF")),
        ("file", ("many.zip", zipped(a="no title"))),
        ("file", ("b.jsonl", b"{\n[]")),
    ]
    response = service.post(f"{API}/upload", files=files)
    assert response.status_code == 422
    named = [error["field"] for error in response.json()["errors"]]
    assert named == ["a.pdf", "many.zip/a.md", "b.jsonl:1", "b.jsonl:2"]
    assert "a.pdf: is a PDF, and articles are Markdown, " in response.json()["detail"]
    assert response.json()["detail"].endswith("; and 1 more.")


def test_a_condition_is_judged_against_what_others_have_changed_too(
    service: TestClient, shelf: Library
) -> None:
    first = put(service, "news", "tea").headers["etag"]
    incoming = shelf.root / "news.md"
    incoming.write_text(markdown("news", "honey"))
    assert run(["add", "--index", str(shelf.index), str(incoming)]) == 0
    assert put(service, "news", "milk", **{"If-Match": first}).status_code == 412
    assert "honey" in (shelf.corpus / "news.md").read_text()
    # By hand, in place, and with the same length.
    second = put(service, "news", "water").headers["etag"]
    with (shelf.corpus / "news.md").open("w") as file:
        file.write(markdown("news", "blood"))
    assert put(service, "news", "milk", **{"If-Match": second}).status_code == 412
    assert run(["remove", "--index", str(shelf.index), "news"]) == 0
    assert put(service, "news", "milk", **{"If-Match": "*"}).status_code == 412
    assert service.delete(f"{API}/articles/news").status_code == 404
    (shelf.corpus / "by-hand.md").write_text(markdown("news", "salt"))
    assert put(service, "news", "milk", **{"If-None-Match": "*"}).status_code == 412
