"""Debian's nginx and Caddy with the files of `deploy/`, on loopback; a client to ask them; what they write."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import re
import select
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn, TypeVar

from support.places import ROOT
from support.ports import free_port
from support.programs import missing, path_by

DEPLOY = ROOT / "deploy"
SITE = "kb.example.org"
"""The name in the shipped files."""
CONNECT_TIMEOUT_S = 30.0

A = TypeVar("A")
T = TypeVar("T")
_addresses = (f"127.0.1.{number}" for number in itertools.count(1))


def no_program(name: str) -> NoReturn:
    """Skip the test for want of a program; or fail it, where all programs are asked for."""
    reason = f"no {name} here that starts: `sh scripts/install-servers` says why"
    missing(reason, "KB_REQUIRE_SERVERS")


def server(name: str) -> str:
    """The path of Debian's nginx or Caddy."""
    return path_by("find-server", name) or no_program(name)


def shipped(name: str, replacements: dict[str, str]) -> str:
    """A file of `deploy/` in which each pattern, which must be found, is replaced."""
    text = (DEPLOY / name).read_text()
    for pattern, new in replacements.items():
        text, count = re.subn(pattern, new, text, flags=re.MULTILINE)
        assert count, f"deploy/{name} has no {pattern}"
    return text


@dataclass(frozen=True)
class Certificate:
    """Of the site, signed by itself."""

    chain: Path
    key: Path


@dataclass(frozen=True)
class Answer:
    """What came back. Names of headers are in small letters; of a header that came twice, the values are joined."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Client:
    """A client with an address of its own, by which a service that limits rates knows it."""

    http_port: int
    https_port: int
    certificate: Certificate | None
    address: str = field(default_factory=lambda: next(_addresses))

    def connect(self, clear: bool = False) -> socket.socket:
        """A connection: by TLS, which is made sure of, unless `clear`."""
        port = self.http_port if clear else self.https_port
        plain = socket.create_connection(
            ("127.0.0.1", port), timeout=CONNECT_TIMEOUT_S, source_address=(self.address, 0)
        )
        if clear or self.certificate is None:
            return plain
        context = ssl.create_default_context(cafile=str(self.certificate.chain))
        return context.wrap_socket(plain, server_hostname=SITE)

    @contextmanager
    def opened(
        self,
        method: str,
        target: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        clear: bool = False,
    ) -> Iterator[http.client.HTTPResponse]:
        """The response to a request, its body not yet read."""
        connection = http.client.HTTPConnection(SITE)
        connection.sock = self.connect(clear)
        try:
            connection.request(method, target, body, headers or {})
            with connection.getresponse() as response:
                yield response
        finally:
            connection.close()

    def request(self, method: str, target: str, *args: Any, **options: Any) -> Answer:
        with self.opened(method, target, *args, **options) as response:
            headers: dict[str, str] = {}
            for name, value in response.getheaders():
                known = headers.get(name.lower())
                headers[name.lower()] = f"{known}, {value}" if known else value
            return Answer(response.status, headers, response.read())

    def get(self, target: str, **headers: str) -> Answer:
        return self.request("GET", target, headers=headers)

    def pour(
        self, method: str, target: str, pieces: Iterable[bytes], headers: dict[str, str]
    ) -> Answer:
        """The answer to a body in pieces, of which no more are sent once it comes, as good clients do."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: {SITE}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        with self.connect() as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            connection.setblocking(False)
            said = b""
            # Closed in the middle of a body, which is allowed: what was said before can be read all the same.
            with suppress(ConnectionError, ssl.SSLError):
                for piece in pieces:
                    left = piece
                    while left and not said:
                        said = _now(connection.recv, 65_536) or b""
                        sent = _now(connection.send, left) or 0
                        left = left[sent:]
                        select.select([connection], [connection] if sent else [], [], 0.01)
            connection.settimeout(30)
            with suppress(ConnectionError, ssl.SSLError):
                while more := connection.recv(65_536):
                    said += more
        head, _, content = said.partition(b"\r\n\r\n")
        status, *named = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(": ") for line in named)
        return Answer(
            int((status or "none 0").split()[1]), {n.lower(): v for n, _, v in pairs}, content
        )

    def raw(self, sent: bytes, clear: bool = False) -> bytes:
        """What comes back, to the end, for bytes that need not be HTTP."""
        with self.connect(clear) as connection:
            connection.settimeout(5)
            said = b""
            try:
                connection.sendall(sent)
                while piece := connection.recv(65_536):
                    said += piece
            except (TimeoutError, ConnectionError, ssl.SSLError):
                pass
            return said


def _now(act: Callable[[A], T], argument: A) -> T | None:
    """What an act on a socket gives, or None where it would have to wait."""
    try:
        return act(argument)
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return None


@dataclass
class Proxy:
    """A running proxy, and the folder where all that it writes lies."""

    name: str
    folder: Path
    http_port: int
    https_port: int
    certificate: Certificate

    def client(self) -> Client:
        return Client(self.http_port, self.https_port, self.certificate)

    def written(self) -> str:
        """All that lies in its folder, but the configuration and keys that were put there."""
        return "\n".join(
            file.read_text(errors="replace")
            for file in sorted(self.folder.rglob("*"))
            if file.is_file() and file.suffix not in (".conf", ".pem") and file.name != "Caddyfile"
        )


NGINX_MAIN = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
{main}
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log;    # as Debian's file has it
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/kb.conf;
}}
"""


@contextmanager
def running(command: list[str], ports: list[int], folder: Path) -> Iterator[None]:
    """A program of which all output goes to a file in the folder, from when it listens."""
    output = folder / "output.log"
    environment = {"HOME": str(folder), "PATH": os.defpath}
    with output.open("wb") as file:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=file, stderr=file)
    try:
        deadline = time.monotonic() + 30
        for port in ports:
            while True:
                assert process.poll() is None, output.read_text()
                assert time.monotonic() < deadline, output.read_text()
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def nginx(
    folder: Path,
    upstream: int,
    certificate: Certificate,
    main: str = "",
    more: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Proxy]:
    """nginx with the shipped file. `main` are lines for its main configuration, `more` further replacements."""
    program = server("nginx")
    clear, tls = free_port(), free_port()
    text = shipped(
        "nginx.conf",
        {
            r"listen 80\b": f"listen 127.0.0.1:{clear}",
            r"listen \[::\]:80\b": f"listen [::1]:{clear}",
            r"listen 443\b": f"listen 127.0.0.1:{tls}",
            r"listen \[::\]:443\b": f"listen [::1]:{tls}",
            r"/etc/letsencrypt/live/kb\.example\.org": str(certificate.chain.parent),
            r"/var/log/nginx": str(folder),
            r"server 127\.0\.0\.1:8000": f"server 127.0.0.1:{upstream}",
            **more,
        },
    )
    (folder / "kb.conf").write_text(text)
    user = "user root;" if os.geteuid() == 0 else ""  # pytest's folders are for their owner alone
    (folder / "nginx.conf").write_text(NGINX_MAIN.format(folder=folder, user=user, main=main))
    command = [program, "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with running(command, [clear, tls], folder):
        yield Proxy("nginx", folder, clear, tls, certificate)


@contextmanager
def caddy(folder: Path, upstream: int, certificate: Certificate) -> Iterator[Proxy]:
    """Caddy with the shipped file, and a certificate that it need not get."""
    program = server("caddy")
    clear, tls = free_port(), free_port()
    options = f"admin off\n\thttp_port {clear}\n\thttps_port {tls}\n\tdefault_bind 127.0.0.1"
    text = shipped(
        "Caddyfile",
        {
            r"\A((?:#.*\n)*)\{\n": rf"\1{{\n\t{options}\n",
            r"^kb\.example\.org \{\n": f"{SITE} {{\n\ttls {certificate.chain} {certificate.key}\n",
            r"127\.0\.0\.1:8000": f"127.0.0.1:{upstream}",
        },
    )
    (folder / "Caddyfile").write_text(text)
    command = [program, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    with running(command, [clear, tls], folder):
        yield Proxy("caddy", folder, clear, tls, certificate)


PROXIES: dict[str, Callable[..., Any]] = {"nginx": nginx, "caddy": caddy}


@dataclass(frozen=True)
class Service:
    """A service with the settings of deploy/kb.toml, over an index of its own, and the header of a key to it."""

    port: int
    index: Path
    authorization: dict[str, str]

    def client(self) -> Client:
        """Who asks it without a proxy."""
        return Client(self.port, self.port, None)


@dataclass
class Proxies:
    """Proxies by name, each started when it is first asked for."""

    start: Callable[[str], Proxy]
    started: dict[str, Proxy] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Proxy:
        if name not in self.started:
            self.started[name] = self.start(name)
        return self.started[name]


@contextmanager
def proxies_before(
    upstream: int, certificate: Certificate, new_folder: Callable[[str], Path]
) -> Iterator[Proxies]:
    with ExitStack() as stack:
        yield Proxies(
            lambda name: stack.enter_context(PROXIES[name](new_folder(name), upstream, certificate))
        )
