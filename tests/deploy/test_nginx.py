"""What only nginx can get wrong: variables that split answers, questions in its files and in its error log."""

from __future__ import annotations

import ssl
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from servers import DEPLOY, SITE, Certificate, Proxies, Service, nginx, shipped

CANARY = "quetzalcoatlus"


def faults_found(file: Path) -> tuple[int, str]:
    done = subprocess.run(
        [Path(sys.executable).with_name("gixy"), "--format", "text", file],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_an_analyser_of_nginxs_configuration_finds_nothing() -> None:
    code, report = faults_found(DEPLOY / "nginx.conf")
    assert (code, "Total issues" in report) == (0, True), report


@pytest.mark.parametrize(
    ("pattern", "worse", "name"),
    [
        (r"\$request_uri;", "$uri;", "http_splitting"),
        (r"Host \$host;", "Host $http_host;", "host_spoofing"),
        (r"server_tokens off;", "server_tokens on;", "version_disclosure"),
    ],
)
def test_the_analyser_would_find_what_it_is_there_for(
    tmp_path: Path, pattern: str, worse: str, name: str
) -> None:
    (tmp_path / "nginx.conf").write_text(shipped("nginx.conf", {pattern: worse}))
    code, report = faults_found(tmp_path / "nginx.conf")
    assert code == 1
    assert name in report


def test_no_question_is_ever_in_a_file_of_nginxs(proxies: Proxies) -> None:
    """However large it is. A folder's time of change tells of files that were in it."""
    proxy = proxies["nginx"]
    before = (proxy.folder / "bodies").stat().st_mtime_ns
    content = f'{{"question": "my {CANARY} hurts"}}'.encode().ljust(65_536)
    said = proxy.client().request(
        "POST", "/api/v1/search", content, {"Content-Type": "application/json"}
    )
    assert said.status == 200
    assert (proxy.folder / "bodies").stat().st_mtime_ns == before
    assert list((proxy.folder / "bodies").iterdir()) == []


@pytest.mark.parametrize("is_careful", [True, False])
def test_no_question_is_in_a_log_when_nginx_runs_out_of_file_descriptors(
    tmp_path: Path, service: Service, certificate: Certificate, is_careful: bool
) -> None:
    """At the level that is shipped; and with the request's first line at the next."""
    level = {} if is_careful else {r"kb-error\.log emerg;": "kb-error.log alert;"}
    few = "worker_processes 1;\nworker_rlimit_nofile 30;"
    with nginx(tmp_path, service.port, certificate, few, level) as proxy, ExitStack() as opened:
        client = proxy.client()
        connections = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("servers.CONNECT_TIMEOUT_S", 2)
            try:
                for _ in range(40):
                    connections.append(opened.enter_context(client.connect()))
            except (TimeoutError, ssl.SSLError, ConnectionError):
                pass
        assert 0 < len(connections) < 30
        for connection in connections:
            connection.settimeout(30)
            connection.sendall(f"GET /?q={CANARY} HTTP/1.1\r\nHost: {SITE}\r\n\r\n".encode())
        heads = [connection.recv(1000) for connection in connections]
        assert [head for head in heads if head.startswith(b"HTTP/1.1 500 ")], heads
        time.sleep(0.3)
        text = proxy.written()
    assert " 500 " in text, "the access log tells of it"
    assert (CANARY in text) != is_careful
