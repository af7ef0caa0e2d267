"""Load on an HTTP address over a number of connections: wrk where it is installed, else a few greenlets.

`python -m tests.bench.load URL TOKEN SECONDS` is the latter, in a process of its own; it prints how many were answered.
"""

import re
import shutil
import socket
import subprocess
import sys
import time

CONNECTIONS = 32
GENERATOR = "wrk" if shutil.which("wrk") else "greenlets"


def rate(url: str, token: str, seconds: float) -> float:
    """Answers with status 200 per second."""
    wrk = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:g}s", "-H", f"Authorization: Bearer {token}", url]
    own = [sys.executable, "-m", "tests.bench.load", url, token, str(seconds)]
    said = subprocess.run(
        wrk if GENERATOR == "wrk" else own, capture_output=True, text=True, check=True, timeout=seconds + 60
    ).stdout
    if GENERATOR != "wrk":
        return float(said)
    answered, within = re.search(r"(\d+) requests in ([\d.]+)s", said), re.search(r"Non-2xx.*: (\d+)", said)
    assert answered, said
    return (int(answered[1]) - int(within[1] if within else 0)) / float(answered[2])


def _ask(address: tuple[str, int], request: bytes, until: float) -> int:
    """How many times a connection was answered until a moment of the monotonic clock."""
    answered = 0
    with socket.create_connection(address) as connection:
        heard = b""
        while time.monotonic() < until:
            connection.sendall(request)
            while (end := heard.find(b"\r\n\r\n")) < 0:
                heard += connection.recv(65536)
            length = int(re.search(rb"(?i)content-length: (\d+)", heard)[1])  # type: ignore[index]
            while len(heard) < end + 4 + length:
                heard += connection.recv(65536)
            answered += heard.startswith(b"HTTP/1.1 200")
            heard = heard[end + 4 + length :]
    return answered


def _main(url: str, token: str, seconds: str) -> None:
    import gevent

    host, _, path = url.removeprefix("http://").partition("/")
    name, _, port = host.partition(":")
    request = f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    began = time.monotonic()
    asking = [gevent.spawn(_ask, (name, int(port)), request, began + float(seconds)) for _ in range(CONNECTIONS)]
    gevent.joinall(asking, raise_error=True)
    print(sum(each.value for each in asking) / (time.monotonic() - began))


if __name__ == "__main__":
    from gevent import monkey

    monkey.patch_all()
    _main(*sys.argv[1:])
