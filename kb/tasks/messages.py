"""Messages between the service and the worker that changes its articles, and their encoding.

Each connection carries one request and one reply, each as a frame: its length in four bytes, then JSON. Both sides come
from one installation and version. A message holds no article: the files of a change lie on disk, in the folder of its
task (`kb.tasks.store`).
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from kb.schema.service import Failure, IndexStatus, TaskKind, TaskView

RefusalKind = Literal["missing", "precondition", "invalid", "unwritable"]
IndexProblemKind = Literal["missing", "damaged", "format", "unusable"]

FRAME_MAX_BYTES = 256 * 1024 * 1024
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that came with a change: the name it was sent under, and the SHA-256 of its content in hex."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class PutRequest:
    """Put one article, sent as a file of this suffix, under a condition on the article that is there.

    `if_match` holds digests of which the article must have one, or `*`, or is None. With `if_none_match` there must be
    no article.
    """

    file: SentFile
    suffix: str
    if_match: tuple[str, ...] | None = None
    if_none_match: bool = False
    kind: Literal["put"] = "put"


@dataclass(frozen=True, slots=True)
class DeleteRequest:
    """Delete one article, under the condition `if_match` (see `PutRequest`).

    `because` is the reason that its address gives afterwards, `see` the id of the article that it leads to. Both may be
    empty.
    """

    if_match: tuple[str, ...] | None = None
    because: str = ""
    see: str = ""
    kind: Literal["delete"] = "delete"


@dataclass(frozen=True, slots=True)
class BulkRequest:
    """Add the articles of files and archives, within limits on their unpacked bytes and files."""

    files: tuple[SentFile, ...]
    unpacked_max_bytes: int
    max_files: int
    kind: Literal["upload", "import"] = "upload"


@dataclass(frozen=True, slots=True)
class RebuildRequest:
    """Make the index hold what the corpus holds; with `replace`, even if most of the library goes."""

    replace: bool = False
    kind: Literal["rebuild"] = "rebuild"


ChangeRequest = PutRequest | DeleteRequest | BulkRequest | RebuildRequest
_TaggedRequest = Annotated[ChangeRequest, Field(discriminator="kind")]


@dataclass(frozen=True, slots=True)
class SubmitTask:
    """Make this change, as the task with that id.

    `subject` is the id of the article that the change is about, or empty. The same `idempotency_key` of the same
    `owner` is the same task. `fingerprint` tells one piece of work from another. A new task is refused where
    `max_waiting` tasks wait.
    """

    task_id: str
    request: _TaggedRequest
    subject: str
    owner: str
    idempotency_key: str | None
    fingerprint: str
    max_waiting: int

    @property
    def kind(self) -> TaskKind:
        """The kind of change."""
        return self.request.kind


@dataclass(frozen=True, slots=True)
class GetStatus:
    """Say how the index stands."""


@dataclass(frozen=True, slots=True)
class StandAside:
    """Leave the tasks to another process that can do all of them. A worker that can do all itself refuses."""


@dataclass(frozen=True, slots=True)
class TaskAccepted:
    """The corpus has the change on disk. `digest` is the digest of the article put. Not `is_new`: the task was
    known."""

    task: TaskView
    digest: str | None
    is_new: bool


@dataclass(frozen=True, slots=True)
class TaskRefused:
    """Nothing was changed and no task made. `failures` name the files that could not be read, where several came."""

    reason: RefusalKind
    detail: str
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyReused:
    """The idempotency key was used for other work."""


@dataclass(frozen=True, slots=True)
class TooManyTasks:
    """As many tasks wait as may wait."""


@dataclass(frozen=True, slots=True)
class StatusReply:
    """How the index stands."""

    status: IndexStatus


@dataclass(frozen=True, slots=True)
class IndexProblem:
    """There is no index to report on."""

    kind: IndexProblemKind


@dataclass(frozen=True, slots=True)
class StandingAside:
    """Whether the worker ends, so that another can take its place."""

    yes: bool


@dataclass(frozen=True, slots=True)
class CannotChange:
    """This worker can report the status and nothing else; `detail` says what it lacks."""

    detail: str


@dataclass(frozen=True, slots=True)
class WorkerFailed:
    """The worker failed, by no fault of the request. No task was made."""

    detail: str


Request = SubmitTask | GetStatus | StandAside
Reply = (
    TaskAccepted
    | TaskRefused
    | KeyReused
    | TooManyTasks
    | StatusReply
    | IndexProblem
    | StandingAside
    | CannotChange
    | WorkerFailed
)
Message = Request | Reply

_KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        *(SubmitTask, GetStatus, StandAside),
        *(TaskAccepted, TaskRefused, KeyReused, TooManyTasks, StatusReply, IndexProblem),
        *(StandingAside, CannotChange, WorkerFailed),
    )
}

_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)


class NoMessage(Exception):
    """The bytes are no message, or only a part of one."""


def request_as_json(request: ChangeRequest) -> str:
    """The JSON of a change request, for `request_from_json`."""
    text: bytes = _adapter(_TaggedRequest).dump_json(request)
    return text.decode()


def request_from_json(content: str) -> ChangeRequest:
    """The change request. Raises ValueError for anything else."""
    request: ChangeRequest = _adapter(_TaggedRequest).validate_json(content)
    return request


def encode(message: Message) -> bytes:
    """The message as one frame."""
    kind = type(message)
    # The name is one of `_KINDS`, and needs no escapes.
    content = b'{"%s":%s}' % (kind.__name__.encode(), _adapter(kind).dump_json(message))
    return _LENGTH.pack(len(content)) + content


HEAD_BYTES = _LENGTH.size


def length_of(head: bytes) -> int:
    """Number of bytes after the head of a frame. Raises NoMessage for more than a message has."""
    length: int = _LENGTH.unpack(head)[0]
    if length > FRAME_MAX_BYTES:
        raise NoMessage(f"a frame of {length:,} bytes")
    return length


def decode(content: bytes) -> Message:
    """The message of a frame without its head. Raises NoMessage."""
    name, _, rest = content.removeprefix(b'{"').partition(b'":')
    kind = _KINDS.get(name.decode("ascii", "replace"))
    if kind is None or not rest.endswith(b"}"):
        raise NoMessage("a frame of an unknown kind")
    try:
        message: Message = _adapter(kind).validate_json(rest[:-1])
    except ValueError as error:
        raise NoMessage(f"a frame that is no {kind.__name__}") from error
    return message


def send(connection: socket.socket, message: Message) -> None:
    """Send one message. Raises OSError."""
    connection.sendall(encode(message))


def receive(connection: socket.socket) -> Message:
    """Wait for one message. Raises NoMessage where the other side ends before it is whole, and OSError."""
    return decode(_exactly(connection, length_of(_exactly(connection, HEAD_BYTES))))


def _exactly(connection: socket.socket, count: int) -> bytes:
    content = bytearray()
    while len(content) < count:
        part = connection.recv(min(count - len(content), 1 << 20))
        if not part:
            raise NoMessage("the connection ended within a frame")
        content += part
    return bytes(content)
