from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from kb.schema.errors import InvalidRequest, KbError
from search_api.service.server import listen
from search_api.service.shared_socket import SharedSocket


def start(index: Path) -> subprocess.Popen[str]:
    script = (
        "from search_api.service.server import serve; from search_api.state.settings import load_settings;"
        f"serve(load_settings(index={str(index)!r}, port=0))"
    )
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", script],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "KB_LOG_LEVEL": "info"},
    )


def test_it_says_where_it_serves_answers_and_stops_in_good_order(index_path: Path) -> None:
    with start(index_path) as process:
        assert process.stderr is not None
        lines: list[str] = []
        while not (found := re.search(r"Serving (\d+) articles on (http://\S+)", "".join(lines))):
            line = process.stderr.readline()
            assert line, lines
            lines.append(line)
        assert int(found[1]) > 3
        with urlopen(f"{found[2]}/api/v1/search?q=pterodactyl") as response:
            assert response.status == 200
            assert "server" not in response.headers
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 0, rest
    log = "".join(lines) + rest
    assert "GET /api/v1/search 200" in log
    assert "pterodactyl" not in log
    assert "Traceback" not in log


@pytest.mark.slow
def test_it_starts_without_an_index_and_says_what_to_do(tmp_path: Path) -> None:
    with start(tmp_path / "none") as process:
        assert process.stderr is not None
        lines: list[str] = []
        while not any(line.startswith("Serving no articles yet on http") for line in lines):
            line = process.stderr.readline()
            assert line, lines
            lines.append(line)
        process.send_signal(signal.SIGTERM)
        process.stderr.read()
    assert "kb build" in lines[-1]
    assert process.returncode == 0


def test_a_port_that_is_taken_is_named() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(KbError, match=f"127.0.0.1 port {port}, .*in use.*KB_PORT") as caught:
            listen("127.0.0.1", port)
    assert not isinstance(caught.value, InvalidRequest), "the port may be free the next time"


def test_no_part_of_an_answer_waits_for_a_word_from_the_reader() -> None:
    with listen("127.0.0.1", 0) as listener, SharedSocket.of(listener) as shared:
        for accepting in (listener, shared):
            with socket.create_connection(listener.getsockname()), accepting.accept()[0] as taken:
                assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_an_unknown_host_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "create_server", unknown)
    with pytest.raises(InvalidRequest, match=r"nowhere.*KB_HOST"):
        listen("nowhere", 0)
