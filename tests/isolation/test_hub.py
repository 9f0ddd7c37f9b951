"""A model of the hub, where a user names one: it is downloaded, and that is all that the hub is asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from support.tiny import make_tiny_model
from tests.isolation.conftest import Machine

MODEL = "example/tiny"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
ARTICLE = "---\nid: legs\ntitle: Legs\n---\nLegs jerk.\n\n## Causes\n\nNobody knows the cause.\n"


class Hub(BaseHTTPRequestHandler):
    """Serves one model as the hub does, and keeps what it was asked."""

    folder: ClassVar[Path]
    asked: ClassVar[list[tuple[str, str]]] = []

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_POST(self) -> None:
        self._answer(with_body=True)

    def _answer(self, with_body: bool) -> None:
        path = self.path.partition("?")[0]
        self.asked.append((f"{self.command} {path}", self.headers.get("User-Agent", "")))
        found = self._found(path)
        body = b"{}" if found is None else found
        self.send_response(404 if found is None else 200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{hash(body):x}"')
        self.send_header("Content-Length", str(len(body)))
        if found is None:
            self.send_header("X-Error-Code", "EntryNotFound")
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def _found(self, path: str) -> bytes | None:
        if path in (
            f"/api/models/{MODEL}",
            *(f"/api/models/{MODEL}/revision/{r}" for r in REVISIONS),
        ):
            files = [{"rfilename": name} for name in self._files()]
            return json.dumps({"id": MODEL, "sha": COMMIT, "siblings": files}).encode()
        for revision in REVISIONS:
            if path.startswith(f"/api/models/{MODEL}/tree/{revision}"):
                below = path.removeprefix(f"/api/models/{MODEL}/tree/{revision}").strip("/")
                entries = [
                    {"type": "file", "path": name, "size": size, "oid": COMMIT}
                    for name, size in self._files().items()
                    if name.startswith(below)
                ]
                return json.dumps(entries).encode() if entries else None
            file = self.folder / path.removeprefix(f"/{MODEL}/resolve/{revision}/")
            if path.startswith(f"/{MODEL}/resolve/{revision}/") and file.is_file():
                return file.read_bytes()
        return None

    def _files(self) -> dict[str, int]:
        return {
            path.relative_to(self.folder).as_posix(): path.stat().st_size
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }

    def log_message(self, *_: object) -> None:
        """Nothing: this is no part of the program."""


REVISIONS = ("main", COMMIT)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[str]:
    Hub.folder = Path(make_tiny_model(tmp_path / "model"))
    Hub.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_named_model_is_downloaded_and_nothing_is_reported(
    machine: Machine, hub: str, tmp_path: Path
) -> None:
    corpus, index, cache = (tmp_path / name for name in ("corpus", "index", "downloaded"))
    corpus.mkdir()
    (corpus / "legs.md").write_text(ARTICLE)
    machine.more = {"HF_ENDPOINT": hub, "HF_HOME": str(cache)}
    done = machine.kb(
        *("build", "--index", index, "--corpus", corpus, "--model", MODEL),
        given=(index, corpus, cache),
        loopback=True,
    )
    done.kept_to_the_rules(told="Built .*|Articles: .*")
    assert any(path.name == "model.safetensors" for path in cache.rglob("*"))
    beside = [
        line
        for line, _ in Hub.asked
        if not line.split()[1].startswith((f"/{MODEL}/", f"/api/models/{MODEL}"))
    ]
    assert beside == []
    assert {line.split()[0] for line, _ in Hub.asked} <= {"GET", "HEAD"}
    assert any("telemetry/off" in agent for _, agent in Hub.asked)
    assert [agent for _, agent in Hub.asked if "agent/" in agent] == []
