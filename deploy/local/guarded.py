"""`python -m deploy.local.guarded FOLDER COMMAND…`: the embedded store's server, with a password.

The server keeps its users in its data, and only a client can make one. So the first user is made while the server asks
for no password. Meanwhile it speaks TLS, and requires a certificate that was made for this one time. No other user of
the machine has it. Existing users are removed: before there was a password, anybody could make one.
"""

import hashlib
import ipaddress
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pymongo
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pymongo.errors import PyMongoError

from deploy.local import private
from deploy.local.store import DATA, MEMORY

MARK = "guarded"  # a file in the data with the digest of the user's password
WITHIN = 60.0  # seconds for the server to open its data, and as many to close it
PATIENCE_MS = 1000


def main(folder: Path, command: list[str]) -> None:
    """Makes the user if needed, then becomes the server. Ends the process if that fails."""
    memory, mark = private.read_json(folder / MEMORY), folder / DATA / MARK
    known = hashlib.sha256(memory["password"].encode()).hexdigest()
    if not mark.exists() or mark.read_text() != known:
        _introduce(folder, command, memory["user"], memory["password"])
        private.write(mark, known)
    os.execv(command[0], command)  # noqa: S606 - it becomes the server, which needs no shell


def _introduce(folder: Path, command: list[str], user: str, password: str) -> None:
    """Runs the server without passwords, behind a certificate, until it knows the user."""
    certificate, settings = folder / "once.pem", folder / "once.toml"
    private.write(certificate, _certificate())
    place = json.dumps(str(certificate))  # TOML writes texts as JSON does
    private.write(
        settings,
        f"[tls]\ncert_file = {place}\nkey_file = {place}\nca_file = {place}\nrequire_client_cert = true\n",
    )
    [port] = private.free_ports(1)
    signal.signal(signal.SIGTERM, _leave)
    server = subprocess.Popen([*command, "--config", str(settings), "--port", str(port)])
    try:
        _make_only_user(port, certificate, server, user, password)
    finally:
        server.terminate()
        server.wait(WITHIN)
        certificate.unlink()
        settings.unlink()


def _leave(*_: object) -> None:
    """Ends by way of `finally`, as the server must not outlive us. A second request does not interrupt that."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(1)


def _make_only_user(port: int, certificate: Path, server: "subprocess.Popen[bytes]", user: str, password: str) -> None:
    way: dict[str, Any] = {"tls": True, "tlsCAFile": str(certificate), "tlsCertificateKeyFile": str(certificate)}
    way |= {"directConnection": True, "serverSelectionTimeoutMS": PATIENCE_MS}
    with pymongo.MongoClient[dict[str, Any]]("127.0.0.1", port, **way) as client:
        _await(client, server)
        for each in list(client.admin["system.users"].find()):
            client[each["db"]].command("dropUser", each["user"])
        client.admin.command("createUser", user, pwd=password, roles=["root"], mechanisms=["SCRAM-SHA-256"])


def _await(client: Any, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + WITHIN
    while True:
        try:
            client.admin.command("ping")
            return
        except PyMongoError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise


def _certificate() -> str:
    """A key and a self-signed certificate for the loopback address, valid for a day."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hearth")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    formats = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    return key.private_bytes(pem, *formats).decode() + made.public_bytes(pem).decode()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
