"""Every operation of the OpenAPI document, asked for what it says that it takes, and for what it does not.

Schemathesis makes the requests from the document, so that a new route is covered as soon as it is there, and walks from
answers to further requests by the document's links.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from search_api.server import listen, make_server
from search_api.settings import Settings

HOOKS = Path(__file__).parent / "schemathesis_hooks.py"
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "3")
"""Requests for each operation in each phase; `make api` takes more."""


@pytest.fixture
def address(settings: Settings) -> Iterator[str]:
    """The service over the shared index, listening."""
    listener = listen("127.0.0.1", 0)
    server = make_server(settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def test_nothing_that_the_document_says_is_untrue(address: str, tmp_path: Path) -> None:
    options = {
        "--phases": "examples,coverage,fuzzing,stateful",
        "--checks": "all",
        "--max-examples": EXAMPLES,
        "--seed": "7",
        "--generation-database": "none",
        "--suppress-health-check": "all",
        "--wait-for-schema": "60",
        "--request-timeout": "60",
    }
    done = subprocess.run(
        [
            Path(sys.executable).parent / "schemathesis",
            "run",
            f"{address}/openapi.json",
            *(part for option in options.items() for part in option),
        ],
        cwd=tmp_path,
        env={**os.environ, "SCHEMATHESIS_HOOKS": str(HOOKS)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "Stateful" in done.stdout
