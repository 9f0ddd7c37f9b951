"""nginx and Caddy as deploy/ sets them up: what they let through, what they keep back, and what they write."""

from __future__ import annotations

import gzip
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from servers import DEPLOY, SITE, Answer, Client, Proxy, Service

from indexer.generations.lock import writer_lock
from search_api.http.body import MAX_BODY_BYTES
from search_api.middleware.boundary import SECURITY_HEADERS
from search_api.routes.tasks import _HEARTBEAT_S as HEARTBEAT_S
from search_api.service.server import make_server
from search_api.state.settings import load_settings

CANARY = "quetzalcoatlus"
QUESTION = f"my {CANARY} hurts"
JSON = {"Content-Type": "application/json"}
BROWSER = {"Accept": "text/html", "Accept-Encoding": "gzip"}
SEARCH = "/api/v1/search"
BREAKS = ["%0d%0a", "%0a", "%0d", "%0D%0A%20", "%E5%98%8A%E5%98%8D", "%250d%250a", "%u000d%u000a"]
PATHS_OF_METRICS = [
    "/metrics",
    "/metrics?x=1",
    "/metrics/",
    "//metrics",
    "///metrics//",
    "/./metrics",
    "/articles/../metrics",
    "/articles/%2e%2e/metrics",
    "/articles/..%2fmetrics",
    "/%6detrics",
    "/%6Detrics?",
    "/%256detrics",
    "/Metrics",
    "/METRICS",
    "/metrics#x",
    "/metrics%23x",
    "/metrics%3fx",
    "/metrics;x",
    "/metrics%00",
    "/metrics%2f",
    "/metrics.",
    "/metrics%20",
    "/\\metrics",
    "/%5cmetrics",
    f"http://{SITE}/metrics",
    f"http://{SITE}:80//metrics",
]


def body(question: str, size: int = 0) -> bytes:
    """A question as JSON, padded to a size in bytes."""
    return json.dumps({"question": question}).encode().ljust(size)


def search(client: Client, content: bytes, **headers: str) -> Answer:
    return client.request("POST", SEARCH, content, JSON | headers)


# ------------------------------------------------------------------------------------------------ redirects


def redirects(client: Client, target: str, host: str = SITE) -> tuple[str, list[str]]:
    """The status line and the headers, a line each, of the answer in the clear."""
    request = f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    head, _, _ = client.raw(request.encode("latin-1"), clear=True).partition(b"\r\n\r\n")
    status, *lines = re.split(r"[\r\n]+", head.decode("latin-1"))  # as the most lenient reader does
    return status, lines


@pytest.mark.parametrize("line_end", BREAKS)
@pytest.mark.parametrize("where", ["/x{}", "/{}", "/?q={}", "/x?{}"])
def test_a_redirect_is_split_by_no_line_end(proxy: Proxy, where: str, line_end: str) -> None:
    planted = f"{line_end}Set-Cookie:%20{CANARY}=1{line_end}{line_end}<script>"
    status, lines = redirects(proxy.client(), where.format(planted))
    names = [line.partition(":")[0].lower() for line in lines]
    assert "set-cookie" not in names
    assert not [line for line in lines if line.lower().startswith((CANARY, "<script"))]
    assert re.match(r"HTTP/1\.1 (30[18]|400) ", status)
    if " 30" in status:
        assert names.count("location") == 1


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/articles/sleep-hygiene?start=0&end=10",
        "/articles/a%2Fb%20c%3Fd",
        "/?q=sore+gums%0A%26",
        "//other.example/x",
        "/.other.example",
        "/@other.example",
        "/x%0d%0aSet-Cookie:a",
    ],
)
def test_a_redirect_keeps_path_and_query_as_they_were_sent(proxy: Proxy, target: str) -> None:
    status, lines = redirects(proxy.client(), target)
    (location,) = [line for line in lines if line.lower().startswith("location: ")]
    assert re.match(r"HTTP/1\.1 30[18] ", status)
    found = re.fullmatch(rf"location: https://{re.escape(SITE)}(/.*)", location, re.I)
    assert found, location
    assert found[1] == target


@pytest.mark.parametrize(
    ("target", "host"),
    [
        ("http://other.example/x", "other.example"),
        ("http://other.example/x", SITE),
        ("http://other.example", SITE),
        ("http://other.example?x", SITE),
        ("/", "other.example"),
        ("/", f"{SITE}.other.example"),
        ("/", f"{SITE}:80@other.example"),
        ("/", f"{SITE}%0d%0aSet-Cookie:a"),
        ("@other.example", SITE),
    ],
)
def test_nobody_is_redirected_to_another_site(proxy: Proxy, target: str, host: str) -> None:
    _, lines = redirects(proxy.client(), target, host)
    for line in lines:
        if line.lower().startswith("location:"):
            assert re.fullmatch(rf"location: https://{re.escape(SITE)}([/?].*)?", line, re.I), line


# ------------------------------------------------------------------------------------------------ bodies


def test_a_question_may_be_as_large_as_the_service_accepts(proxy: Proxy, service: Service) -> None:
    content = body("sore gums", MAX_BODY_BYTES)
    assert search(proxy.client(), content).status == 200
    assert search(service.client(), content).status == 200


def pieces(size: int, is_chunked: bool) -> Iterator[bytes]:
    for start in range(0, size, 50_000):
        piece = b" " * min(50_000, size - start)
        yield b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece
    if is_chunked:
        yield b"0\r\n\r\n"


@pytest.mark.parametrize("size", [MAX_BODY_BYTES + 1, 1_500_000, 20_000_000])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_larger_one_is_refused_in_the_form_of_all_problems(
    proxy: Proxy, service: Service, size: int, is_chunked: bool
) -> None:
    said = search(service.client(), body("sore gums", MAX_BODY_BYTES + 1)).json
    length = {"Transfer-Encoding": "chunked"} if is_chunked else {"Content-Length": str(size)}
    answer = proxy.client().pour("POST", SEARCH, pieces(size, is_chunked), JSON | length)
    assert (answer.status, answer.headers["content-type"]) == (413, "application/problem+json")
    assert {**answer.json, "detail": ""} == {**said, "detail": ""}
    assert f"{MAX_BODY_BYTES:,} bytes" in answer.json["detail"]


def test_an_article_may_be_as_large_as_uploads_are(proxy: Proxy, service: Service) -> None:
    """That it is no JSON is the service's word: so it has read all of it."""
    answer = proxy.client().request(
        "PUT", "/api/v1/articles/news", b"[" * 3_000_000, JSON | service.authorization
    )
    assert answer.status in (400, 422), answer
    assert answer.headers["content-type"] == "application/problem+json"


def test_what_is_larger_than_uploads_is_refused_alike(proxy: Proxy, service: Service) -> None:
    """By its length alone, with the first byte of it."""
    length = {"Content-Length": str(64 * 1024**2 + 1)}
    answer = proxy.client().pour(
        "PUT", "/api/v1/articles/news", [b"["], JSON | length | service.authorization
    )
    assert (answer.status, answer.headers["content-type"]) == (413, "application/problem+json")
    assert answer.json["title"] == "The body is too large"


@pytest.mark.parametrize("size", [10, 30_000_000])
def test_the_key_is_asked_for_before_an_upload_has_come(proxy: Proxy, size: int) -> None:
    for _ in range(3):
        length = {"Content-Length": str(size)}
        answer = proxy.client().pour("POST", "/api/v1/import", pieces(size, False), length)
        assert (answer.status, answer.json["title"]) == (401, "A key is needed")


def test_a_long_question_in_an_address_is_answered_as_the_service_does(
    proxy: Proxy, service: Service
) -> None:
    for letters in (1000, 2000, 2500):
        target = f"/?q={quote('ä' * letters)}"
        direct = service.client().get(target, **BROWSER)
        assert proxy.client().get(target, **BROWSER).status == direct.status == 200


# ------------------------------------------------------------------------------------------------ events


def test_events_come_as_they_are_sent(proxy: Proxy, service: Service) -> None:
    """A task is kept from ending until its first event has come through."""
    client = proxy.client()
    with writer_lock(service.index, 60):
        task = client.request("POST", "/api/v1/rebuild", headers=service.authorization)
        assert task.status == 202, task
        headers = {**service.authorization, "Accept-Encoding": "gzip, br, zstd"}
        asked = time.monotonic()
        stream = client.opened("GET", f"/api/v1/tasks/{task.json['id']}/events", headers=headers)
        response = stream.__enter__()
        assert response.getheader("Content-Type") == "text/event-stream; charset=utf-8"
        assert response.getheader("Content-Encoding") is None
        assert response.readline().startswith(b"id: ")
        assert response.readline() == b"event: task\n"
        first = json.loads(response.readline().removeprefix(b"data: "))
        assert first["state"] not in ("done", "failed")
        assert time.monotonic() - asked < HEARTBEAT_S, "and not with what comes after them"
    rest = response.read()
    stream.__exit__(None, None, None)
    assert json.loads(rest.rpartition(b"data: ")[2])["state"] == "done"


# ------------------------------------------------------------------------------------------------ metrics


@pytest.mark.parametrize("path", PATHS_OF_METRICS)
def test_metrics_are_closed_however_they_are_asked_for(proxy: Proxy, path: str) -> None:
    client = proxy.client()
    said = client.raw(f"GET {path} HTTP/1.1\r\nHost: {SITE}\r\nConnection: close\r\n\r\n".encode())
    assert re.match(rb"HTTP/1\.1 (404|400) ", said), said[:200]
    assert b"kb_http_requests_total" not in said
    assert client.request("HEAD", "/metrics").status == 404
    assert client.request("POST", "/metrics", b"").status == 404


def test_metrics_are_open_where_no_proxy_is_between(service: Service) -> None:
    """So that it is the proxies which close them: their clients' addresses here are those that may read them."""
    assert b"kb_http_requests_total" in service.client().get("/metrics").body


# ------------------------------------------------------------------------------------------------ logs


def ask_in_every_way(client: Client) -> Iterator[int]:
    """Questions in all places of requests that are well formed; then of some that are not."""
    said = quote(QUESTION)
    secret = {"User-Agent": CANARY, "Referer": f"https://{SITE}/?q={said}", "Cookie": f"q={CANARY}"}
    for target in (
        f"/?q={said}",
        f"{SEARCH}?q={said}",
        f"/{said}",
        f"/articles/{said}",
        f"/{CANARY}?{CANARY}",
        f"{SEARCH}%3Fq={said}",
        f"/api/v1/articles/{said}",
        f"/metrics?q={said}",
        f"/api/v1/tasks/{said}",
    ):
        yield client.request("GET", target, headers=secret).status
        yield client.request("GET", target, headers=secret, clear=True).status
    yield search(client, body(QUESTION), **secret).status
    yield search(client, body(QUESTION * 500)).status
    yield search(client, body(QUESTION, 50_000)).status
    yield search(client, body(QUESTION, MAX_BODY_BYTES + 1)).status
    yield client.request("POST", "/answers", f"q={said}".encode()).status
    yield client.request("POST", "/answers", body(QUESTION, 2_000_000), clear=True).status
    yield client.request("PUT", f"/api/v1/articles/{CANARY}", body(QUESTION, 100_000)).status
    yield client.request(CANARY.upper(), f"/?q={said}").status
    yield client.request("GET", "/", headers={"Host": CANARY}).status
    yield client.request("GET", "/", headers={"X-Forwarded-For": CANARY}).status
    own = f"Host: {SITE}\r\nConnection: close\r\n"
    for malformed in (
        f"GET /?q={QUESTION} HTTP/1.1\r\n{own}\r\n",
        f"GET /?q={said} HTTP/9.9\r\n{own}\r\n",
        f"GET /?q={said} HTTP/1.1\r\nConnection: close\r\n\r\n",
        f"GET /?q={said} HTTP/1.1\r\nHost: {CANARY} {own}\r\n",
        f"GET /?q={said}%00 HTTP/1.1\r\n{own}\r\n",
        f"GET /?q={said} HTTP/1.1\r\n{own}Content-Length: {CANARY}\r\n\r\n",
        f"GET /?q={said} HTTP/1.1\r\n{own}{CANARY}\r\n\r\n",
        f"GET /?q={said}{'x' * 100_000} HTTP/1.1\r\n{own}\r\n",
        f"GET /../../?q={said} HTTP/1.1\r\n{own}\r\n",
        f"POST {SEARCH} HTTP/1.1\r\n{own}Transfer-Encoding: chunked\r\n\r\n{QUESTION}\r\n",
        f"CONNECT {CANARY}:443 HTTP/1.1\r\nHost: {CANARY}\r\nConnection: close\r\n\r\n",
        f"{QUESTION}\r\n\r\n",
    ):
        for clear in (False, True):
            if head := client.raw(malformed.encode(), clear):
                yield int(head.split(b" ", 2)[1])


def written(proxy: Proxy) -> str:
    time.sleep(0.3)  # a line may be written after its answer
    return proxy.written()


def test_no_question_is_in_what_a_proxy_writes(proxy: Proxy) -> None:
    statuses = set(ask_in_every_way(proxy.client()))
    assert {200, 400, 404, 413} <= statuses
    text = written(proxy)
    assert CANARY not in text.lower()
    assert "hurts" not in text
    assert proxy.client().address.rpartition(".")[0] in text, (
        "there is a log, and it says who asked"
    )
    assert re.search(r"\b413\b", text), "and what came of it"


def test_nor_where_the_service_is_down(lone_proxy: Proxy) -> None:
    statuses = set(ask_in_every_way(lone_proxy.client()))
    assert 502 in statuses
    assert 202 not in statuses
    text = written(lone_proxy)
    assert CANARY not in text.lower()
    assert "hurts" not in text
    assert re.search(r"\b502\b", text)


def test_nor_in_an_answer_of_its_own(lone_proxy: Proxy) -> None:
    answer = lone_proxy.client().get(f"/?q={quote(QUESTION)}")
    assert answer.status == 502
    assert CANARY.encode() not in answer.body


# ------------------------------------------------------------------------------------------------ connections


@pytest.mark.parametrize(
    ("file", "setting"), [("nginx.conf", "keepalive_timeout"), ("Caddyfile", "keepalive")]
)
def test_a_proxy_closes_an_unused_connection_before_the_service_does(
    tmp_path: Path, file: str, setting: str
) -> None:
    """Else it may send a question on one that is just being closed, and has no answer to give."""
    kept_s = re.search(rf"\b{setting} (\d+)s\b", (DEPLOY / file).read_text())
    server = make_server(load_settings(config=DEPLOY / "kb.toml", index=tmp_path))
    assert kept_s is not None
    assert int(kept_s[1]) < server.config.timeout_keep_alive


# ------------------------------------------------------------------------------------------------ headers


def test_the_headers_of_the_service_arrive(proxy: Proxy, service: Service) -> None:
    target = f"{SEARCH}?q=sore+gums"
    direct, answer = service.client().get(target), proxy.client().get(target)
    assert answer.status == direct.status == 200
    own = {"server", "date", "x-request-id", "connection", "content-length", "transfer-encoding"}
    kept = {name: value for name, value in direct.headers.items() if name not in own}
    assert kept.keys() > {name.lower() for name in SECURITY_HEADERS}
    assert {name: answer.headers.get(name) for name in kept} == kept
    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["x-request-id"])


def test_what_is_compressed_and_tagged_comes_as_the_service_made_it(
    proxy: Proxy, service: Service
) -> None:
    target = "/api/v1/articles/sleep-hygiene"
    direct = service.client().get(target, **{"Accept-Encoding": "gzip"})
    answer = proxy.client().get(target, **{"Accept-Encoding": "gzip"})
    assert gzip.decompress(answer.body) == gzip.decompress(direct.body)
    assert answer.headers["etag"] == direct.headers["etag"]
    known = {"If-None-Match": answer.headers["etag"], "Accept-Encoding": "gzip"}
    assert proxy.client().get(target, **known).status == 304


def test_browsers_are_told_to_come_by_tls_alone(proxy: Proxy) -> None:
    for target in ("/", "/metrics", f"{SEARCH}?q=sore+gums"):
        answer = proxy.client().get(target)
        assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_another_name_than_the_sites_is_not_answered(proxy: Proxy) -> None:
    answer = proxy.client().get("/", **BROWSER, Host="other.example")
    assert answer.status in (421, 200)
    assert (answer.status == 421) or answer.body == b"", "Caddy has nothing under that name"


FORGED = {
    "X-Forwarded-For": "203.0.113.{}",
    "X-Real-IP": "203.0.113.{}",
    "Forwarded": "for=203.0.113.{}",
    "X_Forwarded_For": "203.0.113.{}",
}


@pytest.mark.parametrize("header", FORGED)
def test_nobody_passes_for_another_client(proxy: Proxy, header: str) -> None:
    """A client beyond its rate is told so, whatever it says of itself; one of another address is not."""
    eager, other = proxy.client(), proxy.client()
    statuses = (
        eager.get("/nothing", **{header: FORGED[header].format(number)}).status
        for number in range(250)
    )
    assert 429 in statuses
    assert other.get("/nothing").status == 404
