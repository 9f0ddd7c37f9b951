"""The service on a real socket: clients that are slow, endless or broken do not hold it."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import uvicorn

from search_api.http import protocol
from search_api.service.server import listen, make_server
from search_api.state.settings import load_settings
from support.waiting import until

CLIENT_TIMEOUT_S = 0.5


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A service without an index: all that matters here happens before it is asked."""
    settings = load_settings(
        index=tmp_path_factory.mktemp("none"), client_timeout_s=CLIENT_TIMEOUT_S
    )
    listener = listen("127.0.0.1", 0)
    server: uvicorn.Server = make_server(settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    number: int = listener.getsockname()[1]
    thread.start()
    until(lambda: server.started)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocol, "MAX_LINGER_S", 0.3)
        yield number
    server.should_exit = True
    thread.join()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def everything(connection: socket.socket) -> bytes:
    """What the service says until it closes."""
    said = b""
    try:
        while piece := connection.recv(65_536):
            said += piece
    except ConnectionResetError:
        pass
    return said


def one_problem(connection: socket.socket) -> bytes:
    """A problem, of which the head may come by itself; the connection may stay open."""
    said = connection.recv(65_536)
    while not said.endswith(b"}"):
        piece = connection.recv(65_536)
        assert piece, said
        said += piece
    return said


def problem_of(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    status = re.match(rb"HTTP/1.1 (\d{3}) ", head)
    assert status is not None, answer
    assert b"application/problem+json" in head.lower()
    assert json.loads(body)["status"] == int(status[1])
    return int(status[1]), json.loads(body)["type"].rpartition("#")[2]


POST = b"POST /api/v1/search HTTP/1.1\r\nHost: kb\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"zebrafinch\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: zebra finch\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: zebra/finch\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: kb\r\nzebrafinch\r\n\r\n",
        b"GET /zebra finch HTTP/1.1\r\nHost: kb\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: kb\r\nX: " + b"zebrafinch" * 20_000,
        POST + b"Transfer-Encoding: chunked\r\n\r\nzebrafinch\r\n",
        POST + b"Content-Length: zebrafinch\r\n\r\n",
        POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    ],
)
def test_what_is_no_request_gets_a_problem_and_nothing_of_it_is_written(
    port: int,
    sent: bytes,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with connect(port) as connection:
        connection.sendall(sent)
        with suppress(OSError):  # the service may have hung up already
            connection.shutdown(socket.SHUT_WR)
        answer = everything(connection)
    assert problem_of(answer) == (400, "unreadable-request")
    assert b"zebra" not in answer
    assert "zebra" not in caplog.text + "".join(capfd.readouterr())


def test_a_head_that_never_ends_is_not_waited_for(port: int) -> None:
    with connect(port) as slow, connect(port) as silent:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: kb\r\n")
        began = time.monotonic()
        assert problem_of(everything(slow)) == (408, "request-timeout")
        assert everything(silent) == b""
        assert time.monotonic() - began >= CLIENT_TIMEOUT_S * 0.9


def test_a_second_head_that_never_ends_is_not_waited_for_either(port: int) -> None:
    with connect(port) as slow:
        slow.sendall(b"GET /nope HTTP/1.1\r\nHost: kb\r\n\r\nGET /nope HT")
        answer = everything(slow)
    assert answer.count(b"HTTP/1.1 ") == 2
    assert b" 408 " in answer


def test_a_body_that_never_ends_is_not_waited_for(port: int) -> None:
    with connect(port) as slow:
        slow.sendall(POST + b"Content-Length: 50\r\n\r\n{")
        slow.settimeout(20)
        answer = one_problem(slow)
    assert problem_of(answer) == (408, "request-timeout")


def test_many_slow_clients_do_not_hold_the_service(port: int) -> None:
    slow = [connect(port) for _ in range(200)]
    try:
        for number, connection in enumerate(slow):
            connection.sendall(POST + b"Content-Length: 50\r\n\r\n{" if number % 2 else POST[:20])
        with connect(port) as quick:
            quick.sendall(b"GET /api/v1/articles HTTP/1.1\r\nHost: kb\r\nConnection: close\r\n\r\n")
            assert problem_of(everything(quick)) == (503, "index-unavailable")
    finally:
        for connection in slow:
            connection.close()


@pytest.mark.parametrize("path", ["/api/v1/search", "/answers", "/found", "/nope", "/api/nope"])
def test_a_body_without_end_is_cut_off_and_told_why(port: int, path: str) -> None:
    """Ten gigabytes would take as much memory as this: nothing is kept of what is over the limit."""
    head = f"POST {path} HTTP/1.1\r\nHost: kb\r\nContent-Type: application/json\r\n"
    chunk = b"10000\r\n" + b"a" * 65_536 + b"\r\n"
    sent = 0
    with connect(port) as connection:
        connection.sendall(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n")
        answer = b""
        connection.settimeout(0.01)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                connection.settimeout(30)
                connection.sendall(chunk)
                sent += len(chunk)
                connection.settimeout(0.001)
                answer += connection.recv(65_536)
            except TimeoutError:
                continue
            except (BrokenPipeError, ConnectionResetError):
                break
    status = problem_of(answer)
    assert status in {(413, "body-too-large"), (404, "not-found"), (405, "method-not-allowed")}
    assert path in ("/nope", "/api/nope") or status[0] == 413
    assert time.monotonic() < deadline, "the connection is closed, however much more would come"


def test_a_declared_length_is_believed_at_once(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(POST + b"Content-Length: 10000000000\r\n\r\n")
        assert problem_of(one_problem(connection)) == (413, "body-too-large")


def test_a_client_that_leaves_is_no_fault_of_the_service(
    port: int, caplog: pytest.LogCaptureFixture
) -> None:
    for sent in (POST + b"Content-Length: 50\r\n\r\n{", POST[:30]):
        connect(port).close()
        with connect(port) as connection:
            connection.sendall(sent)
    with connect(port) as connection:
        connection.sendall(b"GET /nope HTTP/1.1\r\nHost: kb\r\nConnection: close\r\n\r\n")
        everything(connection)
    assert [r for r in caplog.records if r.levelname == "ERROR"] == []


def test_settings_reach_the_protocol(tmp_path: Path) -> None:
    server = make_server(load_settings(index=tmp_path, client_timeout_s=7))
    assert server.config.http.keywords["client_timeout_s"] == 7  # type: ignore[union-attr]
