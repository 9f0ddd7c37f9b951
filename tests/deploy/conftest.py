"""Proxies of `deploy/` before a real service, for the tests of this folder."""

from __future__ import annotations

import shutil
import sys
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kb.storage.keys import KeyRing, keys_file
from support.ports import free_port

sys.path.insert(0, str(Path(__file__).parent))  # the tests' own `servers`

from servers import (
    DEPLOY,
    PROXIES,
    SITE,
    Certificate,
    Proxies,
    Proxy,
    Service,
    proxies_before,
)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, SITE)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(SITE)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    made = Certificate(folder / "fullchain.pem", folder / "privkey.pem")
    made.chain.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return made


@pytest.fixture(scope="session")
def service(
    index_path: Path, tmp_path_factory: pytest.TempPathFactory, listening: Callable[..., Any]
) -> Iterator[Service]:
    index = tmp_path_factory.mktemp("served") / "index"
    shutil.copytree(index_path, index, ignore=shutil.ignore_patterns("cache", "keys", "tasks"))
    settings = tomllib.loads((DEPLOY / "kb.toml").read_text())
    settings["rate_limit"] = 1.0  # whoever asks fast here is to be told so, on a slow machine too
    for name in ("index", "host", "port", "workers"):
        del settings[name]
    _, presented = KeyRing(keys_file(index)).add("test", ("articles", "admin"))
    with listening(index, **settings) as url:
        port = int(url.rpartition(":")[2])
        yield Service(port, index, {"Authorization": f"Bearer {presented}"})


@pytest.fixture(scope="session")
def proxies(
    service: Service, certificate: Certificate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxies]:
    with proxies_before(service.port, certificate, tmp_path_factory.mktemp) as started:
        yield started


@pytest.fixture(params=list(PROXIES))
def proxy(request: pytest.FixtureRequest, proxies: Proxies) -> Proxy:
    """Each of the proxies in turn, before the service."""
    return proxies[request.param]


@pytest.fixture(params=list(PROXIES))
def lone_proxy(
    request: pytest.FixtureRequest,
    certificate: Certificate,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Proxy]:
    """Each of the proxies in turn, before a service that is down."""
    with proxies_before(free_port(), certificate, tmp_path_factory.mktemp) as started:
        yield started[request.param]
