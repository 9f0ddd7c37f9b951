"""kb.tasks.messages and kb.tasks.worker_socket"""

from __future__ import annotations

import socket
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.schema.service import Failure
from kb.tasks import messages, worker_socket
from kb.tasks.messages import (
    BulkRequest,
    DeleteRequest,
    GetStatus,
    IndexProblem,
    Message,
    NoMessage,
    PutRequest,
    RebuildRequest,
    Reply,
    Request,
    SentFile,
    StandAside,
    SubmitTask,
    TaskRefused,
    decode,
    encode,
    length_of,
    receive,
    request_as_json,
    request_from_json,
    send,
)

HEAD = messages.HEAD_BYTES
texts = st.text(st.characters(codec="utf-8"))
files = st.builds(SentFile, texts, texts)
requests = st.one_of(
    st.builds(
        PutRequest,
        files,
        texts,
        st.none() | st.lists(texts).map(tuple),
        st.booleans(),
        st.just("put"),
    ),
    st.builds(DeleteRequest, st.none() | st.lists(texts).map(tuple), st.just("delete")),
    st.builds(
        BulkRequest,
        st.lists(files).map(tuple),
        st.integers(0, 2**60),
        st.integers(0, 2**30),
        st.sampled_from(["upload", "import"]),
    ),
    st.just(RebuildRequest()),
)
sent = st.one_of(
    st.builds(SubmitTask, texts, requests, texts, texts, st.none() | texts, texts, st.integers(0)),
    st.just(GetStatus()),
    st.just(StandAside()),
    st.builds(
        TaskRefused,
        st.sampled_from(["missing", "precondition", "invalid", "unwritable"]),
        texts,
        st.lists(st.builds(Failure, texts, st.none() | st.integers(1), texts)).map(tuple),
    ),
    st.builds(IndexProblem, st.sampled_from(["missing", "damaged", "format", "unusable"])),
)


@given(sent)
def test_a_message_arrives_as_it_was_sent(message: Message) -> None:
    frame = encode(message)
    assert length_of(frame[:HEAD]) == len(frame) - HEAD
    assert decode(frame[HEAD:]) == message
    assert isinstance(message, Request) != isinstance(message, Reply)


@given(requests)
def test_a_change_is_read_back_as_what_it_was(request: messages.ChangeRequest) -> None:
    assert request_from_json(request_as_json(request)) == request


@given(st.binary(max_size=40))
def test_what_is_no_message_is_told_so(content: bytes) -> None:
    with pytest.raises(NoMessage):
        decode(content)


def test_a_message_of_another_version_is_told_so() -> None:
    for content in (b'{"Later":{}}', b'{"SubmitTask":{}}', b'{"GetStatus":[]}'):
        with pytest.raises(NoMessage):
            decode(content)
    with pytest.raises(NoMessage):
        length_of(b"\xff" * HEAD)


@pytest.mark.parametrize("depth", [0, 12])
def test_the_worker_is_reached_however_deep_its_index_lies_and_by_its_user_alone(
    tmp_path: Path, depth: int
) -> None:
    folder = tmp_path.joinpath(*["a-folder-in-a-folder"] * depth)
    folder.mkdir(parents=True, exist_ok=True)
    with pytest.raises(FileNotFoundError):
        worker_socket.connect(folder)
    for _ in range(2):  # in place of what a dead one has left
        with worker_socket.listen(folder) as listener:
            mode = (folder / worker_socket.FILE).stat().st_mode
            assert stat.S_ISSOCK(mode)
            assert stat.S_IMODE(mode) == 0o600
            echo = threading.Thread(target=_echo, args=(listener,))
            echo.start()
            with worker_socket.connect(folder) as connection:
                send(connection, GetStatus())
                assert receive(connection) == GetStatus()
                with pytest.raises(NoMessage, match="within a frame"):
                    receive(connection)
            echo.join()
    with pytest.raises(ConnectionRefusedError):
        worker_socket.connect(folder)


def _echo(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        send(connection, receive(connection))
        connection.sendall(b"\0\0")


def test_no_descriptor_is_left_where_nobody_listens(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        with pytest.raises(FileNotFoundError):
            worker_socket.connect(tmp_path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
