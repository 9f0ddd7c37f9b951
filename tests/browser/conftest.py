"""A real Chromium before a real server on a free port of this machine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    sync_playwright,
)

from search_api.service.server import listen, make_server
from search_api.state.settings import load_settings
from support.programs import missing, path_by
from support.questions import QUESTION
from support.waiting import until

OpenPage = Callable[..., Page]
Ask = Callable[..., None]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium() -> str:
    found = path_by("find-browser")
    if not found:
        missing("no Chromium on the PATH that starts", "KB_REQUIRE_BROWSER")
    return found


# Of the module's scope: while Playwright is at work its event loop runs, and the tests of other files need theirs.
@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield opened
        opened.close()


Serve = Callable[..., str]


@pytest.fixture(scope="session")
def serve(chromium: str) -> Iterator[Serve]:
    """Serves an index, and gives its address. Asks for a Chromium first, so as not to run for nothing."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(index: Path, **settings: Any) -> str:
        listener = listen("127.0.0.1", 0)
        server = make_server(load_settings(index=index, **settings))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        running.append((server, thread))
        until(lambda: server.started or not thread.is_alive())
        assert server.started
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(30)


@pytest.fixture(scope="session")
def origin(serve: Serve, index_path: Path) -> str:
    """The address of a service over `corpus/`."""
    return serve(index_path)


@dataclass
class Watch:
    """What pages asked for and complained of. `allowed` are further addresses that they may ask."""

    allowed: list[str]
    requests: list[Request] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        context.on("request", self._request)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("dialog", lambda dialog: self.complaints.append(f"dialog {dialog.message}"))

    def _request(self, request: Request) -> None:
        self.requests.append(request)

    def _console(self, message: ConsoleMessage) -> None:
        # That an address answers 404 or 422 is what some tests ask for.
        if message.type in ("error", "warning") and "status of 4" not in message.text:
            self.complaints.append(message.text)

    def check(self) -> None:
        urls = [request.url for request in self.requests]
        assert [url for url in urls if not url.startswith(tuple(self.allowed))] == []
        assert self.complaints == []


@pytest.fixture
def watch(origin: str) -> Iterator[Watch]:
    """Requests may go to the service alone, and nothing may be complained of."""
    watching = Watch([f"{origin}/"])
    yield watching
    watching.check()


@pytest.fixture
def open_page(browser: Browser, origin: str, watch: Watch) -> Iterator[OpenPage]:
    """Makes a page that is watched, in a browser as new."""
    contexts: list[BrowserContext] = []

    def make(**options: Any) -> Page:
        context = browser.new_context(**{"base_url": origin, **options})
        contexts.append(context)
        watch.over(context)
        return context.new_page()

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def ask() -> Ask:
    """Types a question into an empty page and presses the button."""

    def typed(page: Page, question: str = QUESTION) -> None:
        page.goto("/")
        page.get_by_label("Your question", exact=True).fill(question)
        page.get_by_role("button", name="Search").click()
        page.locator("#page\\.view[data-state=results]").wait_for()

    return typed
