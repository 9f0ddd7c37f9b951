"""The service over the shared index, spoken to without a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from search_api.service.app import create_app
from search_api.state.settings import Settings, load_settings

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture(scope="session")
def settings(index_path: Path) -> Settings:
    return load_settings(index=index_path)


@pytest.fixture(scope="session")
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings)) as opened:
        yield opened


@pytest.fixture
def reader(client: TestClient) -> Callable[..., str]:
    """Opens a page as a browser does and gives its HTML."""

    def read(path: str, status: int = 200) -> str:
        response = client.get(path, headers=BROWSER)
        assert response.status_code == status, response.text
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        return response.text

    return read


@pytest.fixture
def client_without_index(tmp_path: Path) -> Iterator[TestClient]:
    settings = load_settings(index=tmp_path / "none", poll_interval_s=0.05)
    with TestClient(create_app(settings)) as opened:
        yield opened
