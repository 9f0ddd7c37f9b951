"""A real Chromium before a real server on a free port of this machine."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from search_api.server import listen, make_server
from search_api.settings import load_settings

FIND_BROWSER = Path(__file__).parents[2] / "scripts" / "find-browser"
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
    found = subprocess.run(
        ["sh", str(FIND_BROWSER)], stdout=subprocess.PIPE, text=True, check=False
    ).stdout.strip()
    if not found:
        reason = "no Chromium on the PATH that starts"
        if os.environ.get("KB_REQUIRE_BROWSER") == "1":
            pytest.fail(f"{reason}, and KB_REQUIRE_BROWSER=1 asks for these tests")
        pytest.skip(reason)
    return found


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def origin(chromium: str, index_path: Path) -> Iterator[str]:
    """The address of the running service. Asks for a Chromium first, so as not to run for nothing."""
    listener = listen("127.0.0.1", 0)
    server = make_server(load_settings(index=index_path))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert thread.is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(30)
