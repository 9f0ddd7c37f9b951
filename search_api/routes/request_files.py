"""Request bodies kept as files, for the worker to read.

No request waits for the disk. The worker acknowledges only what is in the corpus, and recognises a truncated file by
its SHA-256.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser

from kb.schema.errors import InvalidRequest
from kb.tasks.messages import SentFile
from kb.tasks.store import TaskStore
from kb.tasks.task import new_task_id

_BLOCK_BYTES = 256 * 1024
_FIELDS_MAX = 100
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(slots=True)
class RequestFiles:
    """The files of a task. File number n lies in `folder` under the name n, whatever its own name.

    `is_handed_over` once the worker may have the files: from then on they are the worker's.
    """

    task_id: str
    folder: Path
    files: list[SentFile] = field(default_factory=list)
    is_handed_over: bool = False

    def hand_over(self) -> None:
        """Leave the files to the worker."""
        self.is_handed_over = True


@contextmanager
def request_files(store: TaskStore) -> Iterator[RequestFiles]:
    """A folder for the files of a task. It is deleted at the end of the block unless it was handed over."""
    task_id = new_task_id()
    received = RequestFiles(task_id, store.received(task_id))
    received.folder.mkdir(mode=0o700)
    try:
        yield received
    finally:
        if not received.is_handed_over:
            store.discard(task_id)


def allow_large_body(request: Request, max_bytes: int) -> None:
    """Allow this request a larger body than questions have."""
    request.state.max_body_bytes = max_bytes


async def keep_body(request: Request, received: RequestFiles, name: str) -> None:
    """Keep the whole body as one file with that name. Raises InvalidRequest if it is empty."""
    size = await _keep(received, name, request.stream())
    if not size:
        raise InvalidRequest("body", "The body is empty.")


async def keep_files(request: Request, received: RequestFiles, max_files: int) -> None:
    """Keep each file of a form. Raises InvalidRequest for a form that cannot be read or has none."""
    # What is not closed here a failing parser closes itself.
    parser = MultiPartParser(
        request.headers,
        request.stream(),
        max_files=max_files,
        max_fields=_FIELDS_MAX,
        max_part_size=_BLOCK_BYTES,
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise InvalidRequest("body", f"The form cannot be read: {error.message}") from None
    try:
        for _, value in form.multi_items():
            if isinstance(value, UploadFile):
                await _keep(received, value.filename or "", _blocks(value))
    finally:
        await form.close()
    if not received.files:
        raise InvalidRequest("body", "The form has no file: send one or more.")


async def _blocks(file: UploadFile) -> AsyncIterator[bytes]:
    while block := await file.read(_BLOCK_BYTES):
        yield block


async def _keep(received: RequestFiles, name: str, stream: AsyncIterator[bytes]) -> int:
    path = received.folder / str(len(received.files))
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as file:
        async for block in stream:
            if block:
                await run_in_threadpool(_write, file, digest, block)
                size += len(block)
    received.files.append(SentFile(name, digest.hexdigest()))
    return size


def _write(file: IO[bytes], digest: Any, block: bytes) -> None:
    digest.update(block)
    file.write(block)


def media_type(request: Request) -> str:
    """The media type of the body, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def refuse_encoding(request: Request, *allowed: str) -> str:
    """The encoding of the body. Answers 415 for an encoding that is not `allowed`."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", *allowed):
        raise HTTPException(415, "Send the body without this Content-Encoding.")
    return encoding


def idempotency_key(request: Request) -> str | None:
    """The idempotency key of the request, or None. Raises InvalidRequest for a malformed key."""
    given = request.headers.getlist("idempotency-key")
    if not given:
        return None
    if len(given) > 1 or not _IDEMPOTENCY_KEY.fullmatch(given[0]):
        raise InvalidRequest(
            "Idempotency-Key", "Idempotency-Key is 1 to 255 printable ASCII characters, given once."
        )
    return given[0]
