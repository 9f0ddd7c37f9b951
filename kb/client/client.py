"""The API of the service as methods: `Client` blocks, `AsyncClient` is awaited.

Both have a method for each function of kb.client.calls and kb.client.changes, with its types. kb.client.conversation
decides for both what is sent, and when.
"""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterator
from contextlib import ExitStack, aclosing, closing, contextmanager
from functools import wraps
from typing import Any, Generic, ParamSpec, Self, TypeVar, overload
from urllib.parse import urlsplit

import anyio
import httpx2

from kb.client import calls, changes
from kb.client.calls import Call
from kb.client.conversation import Answer, Broken, Heard, RetryPolicy, Send, Wait, converse
from kb.client.following import EVENT_STREAM, Following
from kb.schema.errors import InvalidRequest
from kb.schema.service import TaskView

P = ParamSpec("P")
T = TypeVar("T")

CONNECT_TIMEOUT_S = 5.0
"""Seconds to wait for a connection. A slower one counts as broken, and is tried again."""


class Method(Generic[P, T]):
    """Turns a function that makes a call into a method of both clients."""

    def __init__(self, build: Callable[P, Call[T]]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    @overload
    def __get__(self, client: None, owner: type) -> Callable[P, Call[T]]: ...
    @overload
    def __get__(self, client: Client, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: AsyncClient, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, client: Client | AsyncClient | None, owner: type) -> Callable[P, Any]:
        if client is None:
            return self._build

        @wraps(self._build)
        def method(*arguments: P.args, **named: P.kwargs) -> Any:
            return client.ask(self._build(*arguments, **named))

        return method


class _Api:
    """What both clients share: address, key, retry policy and methods."""

    search = Method(calls.search)
    answer = Method(calls.answer)
    search_batch = Method(calls.search_batch)
    related = Method(calls.related)
    suggest = Method(calls.suggest)
    article = Method(calls.article)
    article_with_etag = Method(calls.article_with_etag)
    articles = Method(calls.articles)
    health = Method(calls.health)
    status = Method(calls.status)
    tasks = Method(calls.tasks)
    task = Method(calls.task)
    put_article = Method(changes.put_article)
    delete_article = Method(changes.delete_article)
    upload = Method(changes.upload)
    import_articles = Method(changes.import_articles)
    rebuild = Method(changes.rebuild)

    def __init__(self, url: str, api_key: str | None, retry: RetryPolicy | None) -> None:
        self.url = _checked(url)
        self.retry = retry or RetryPolicy()
        self._headers = {"Accept": "application/json", "User-Agent": "sectioned-kb-client"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    def _conversation(self, call: Call[T]) -> Generator[Send | Wait, Heard, T]:
        return converse(call, self.retry, self.url, time.monotonic, random.random)

    def _following(self, task_id: str, timeout_s: float | None) -> Following:
        return Following(task_id, self.retry, self.url, timeout_s, time.monotonic, random.random)

    @contextmanager
    def _request(
        self, http: httpx2.Client | httpx2.AsyncClient, call: Call[T], timeout_s: float
    ) -> Iterator[httpx2.Request]:
        """The request for a call. The files that it sends are open inside the block."""
        with ExitStack() as opened:
            files = [
                (sent.name, sent.content)
                if isinstance(sent.content, bytes)
                else (sent.name, opened.enter_context(sent.content.open("rb")))
                for sent in call.files
            ]
            yield http.build_request(
                call.method,
                self.url + call.path,
                params=call.query or None,
                json=call.body,
                content=call.content,
                files=[("file", file) for file in files] or None,
                headers={**self._headers, **call.headers},
                timeout=httpx2.Timeout(timeout_s, connect=min(timeout_s, CONNECT_TIMEOUT_S)),
            )


class Client(_Api):
    """A blocking client of the service at `url`, the address of its pages. Safe to share between threads.

    `api_key` is sent with every request. `transport` replaces httpx2's network transport. A call takes at most
    `retry.deadline_s`, plus one silence between two pieces if the answer arrives in pieces.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        retry: RetryPolicy | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        super().__init__(url, api_key, retry)
        self._http = httpx2.Client(transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def ask(self, call: Call[T]) -> T:
        """Send a call and return its answer. Raises ServiceError."""
        conversation = self._conversation(call)
        try:
            step = next(conversation)
            while True:
                heard = None
                if isinstance(step, Wait):
                    time.sleep(step.seconds)
                else:
                    heard = self._send(call, step.timeout_s)
                step = conversation.send(heard)
        except StopIteration as done:
            answer: T = done.value
            return answer

    def _send(self, call: Call[T], timeout_s: float) -> Answer | Broken:
        ends = time.monotonic() + timeout_s
        content = bytearray()
        try:
            with (
                self._request(self._http, call, timeout_s) as request,
                closing(self._http.send(request, stream=True)) as response,
            ):
                for piece in response.iter_bytes():
                    content += piece
                    if time.monotonic() > ends:
                        return Broken.LATE
        except httpx2.RequestError as error:
            return _broken(error)
        return _answer(response, content)

    def follow(self, task_id: str, *, timeout_s: float | None = None) -> Iterator[TaskView]:
        """Yield the task each time it changes, until it has ended. Reconnects if the connection breaks.

        Raises TaskNotFound, ServiceError, and DeadlineExceeded after `timeout_s` seconds (by default never).
        """
        following = self._following(task_id, timeout_s)
        while not following.has_ended:
            heard: Answer | Broken = (
                Broken.CONNECTION
            )  # a stream that ends before its task has broken
            try:
                with (
                    self._request(self._http, following.call, following.silence_s) as request,
                    closing(self._http.send(request, stream=True)) as response,
                ):
                    if not _is_stream(response):
                        heard = _answer(response, response.read())
                    else:
                        for piece in response.iter_bytes():
                            yield from following.feed(piece)
            except httpx2.RequestError as error:
                heard = _broken(error)
            if not following.has_ended:
                time.sleep(following.pause_s(heard))

    def wait(self, task_id: str, *, timeout_s: float | None = None) -> TaskView:
        """Wait for a task to end, and return it: `done` or `failed`. Raises as `follow` does."""
        *_, task = self.follow(task_id, timeout_s=timeout_s)
        return task


class AsyncClient(_Api):
    """The same as `Client`, with methods to await. For one event loop, which also reads the files that are sent."""

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        retry: RetryPolicy | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(url, api_key, retry)
        self._http = httpx2.AsyncClient(transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def ask(self, call: Call[T]) -> T:
        """Send a call and return its answer. Raises ServiceError."""
        conversation = self._conversation(call)
        try:
            step = next(conversation)
            while True:
                heard = None
                if isinstance(step, Wait):
                    await anyio.sleep(step.seconds)
                else:
                    heard = await self._send(call, step.timeout_s)
                step = conversation.send(heard)
        except StopIteration as done:
            answer: T = done.value
            return answer

    async def _send(self, call: Call[T], timeout_s: float) -> Answer | Broken:
        content = bytearray()
        try:
            with anyio.move_on_after(timeout_s):
                with self._request(self._http, call, timeout_s) as request:
                    response = await self._http.send(request, stream=True)
                    async with aclosing(response):
                        async for piece in response.aiter_bytes():
                            content += piece
                return _answer(response, content)
        except httpx2.RequestError as error:
            return _broken(error)
        return Broken.LATE

    async def follow(
        self, task_id: str, *, timeout_s: float | None = None
    ) -> AsyncGenerator[TaskView]:
        """The same as `Client.follow`, for `async for`."""
        following = self._following(task_id, timeout_s)
        while not following.has_ended:
            heard: Answer | Broken = Broken.CONNECTION
            try:
                with self._request(self._http, following.call, following.silence_s) as request:
                    response = await self._http.send(request, stream=True)
                    async with aclosing(response):
                        if not _is_stream(response):
                            heard = _answer(response, await response.aread())
                        else:
                            async for piece in response.aiter_bytes():
                                for task in following.feed(piece):
                                    yield task
            except httpx2.RequestError as error:
                heard = _broken(error)
            if not following.has_ended:
                await anyio.sleep(following.pause_s(heard))

    async def wait(self, task_id: str, *, timeout_s: float | None = None) -> TaskView:
        """The same as `Client.wait`."""
        async with aclosing(self.follow(task_id, timeout_s=timeout_s)) as tasks:
            async for task in tasks:
                last = task
        return last


def _is_stream(response: httpx2.Response) -> bool:
    kind = response.headers.get("content-type", "")
    return response.status_code == 200 and kind.startswith(EVENT_STREAM)


def _answer(response: httpx2.Response, content: bytes | bytearray) -> Answer:
    return Answer(response.status_code, dict(response.headers), bytes(content))


def _broken(error: httpx2.RequestError) -> Broken:
    """Why there is no answer. The error itself holds the request, so it is not passed on."""
    match error:
        case httpx2.ReadTimeout() | httpx2.WriteTimeout():
            return Broken.LATE
        case httpx2.ConnectError() if _has_cause(error, ssl.SSLCertVerificationError):
            return Broken.CERTIFICATE
        case httpx2.NetworkError() | httpx2.TimeoutException() | httpx2.RemoteProtocolError():
            return Broken.CONNECTION
        case _:
            return Broken.UNREADABLE


def _has_cause(error: BaseException | None, kind: type[BaseException]) -> bool:
    while error is not None and not isinstance(error, kind):
        error = error.__cause__ or error.__context__
    return error is not None


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidRequest(
            "url", f"The service's address must begin with http:// or https://, not {url!r}."
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise InvalidRequest(
            "url",
            "The service's address must have no user, query or fragment. Give a key as `api_key`.",
        )
    return url.rstrip("/")
