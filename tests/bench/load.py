"""Load on an HTTP address over a number of connections: wrk where it is installed, else a few greenlets.

`TOKEN=… python -m tests.bench.load URL SECONDS [BODY]` is the latter, in a process of its own; it prints how many
requests were answered with success per second.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import orjson
import requests

CONNECTIONS = 32
GENERATOR = "wrk" if shutil.which("wrk") else "greenlets"
UP_WITHIN = 30.0  # seconds


def rate(url: str, token: str, seconds: int, body: bytes = b"") -> float:
    """Successes per second: of GET, or of POST with a JSON body if there is one."""
    if GENERATOR != "wrk":
        own = [sys.executable, "-m", "tests.bench.load", url, str(seconds), body.decode()]
        return float(_run(own, seconds, TOKEN=token))
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "ask.lua")
        identity = f"wrk.headers['Authorization'] = 'Bearer {token}'\n"
        kind = "wrk.headers['Content-Type'] = 'application/json'"
        post = f"{kind}\nwrk.method, wrk.body = 'POST', [==[{body.decode()}]==]\n" if body else ""
        script.write_text(identity + post)
        said = _run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script), url], seconds)
    answered, within = re.search(r"(\d+) requests in ([\d.]+)(m?)s", said), re.search(r"Non-2xx.*: (\d+)", said)
    assert answered, said
    good = int(answered[1]) - int(within[1] if within else 0)
    assert good, f"{url}: no success\n{said}"
    return good / float(answered[2])


def _run(command: list[str], seconds: float, **environment: str) -> str:
    told = os.environ | environment
    return subprocess.run(command, env=told, capture_output=True, text=True, check=True, timeout=seconds + 60).stdout


def warm(url: str, token: str, body: bytes = b"") -> None:
    """Wait until the server answers with success. A server that has just started is slow at first."""
    until = time.monotonic() + UP_WITHIN
    while True:
        try:
            method = requests.post if body else requests.get
            headers = {"Authorization": f"Bearer {token}"}
            answer = method(url, headers=headers, json=orjson.loads(body) if body else None, timeout=5)
            if answer.ok:
                return
            says = answer.text
        except requests.ConnectionError as error:
            says = str(error)
        assert time.monotonic() < until, f"{url}: {says}"
        time.sleep(0.1)


def _ask(address: tuple[str, int], request: bytes, until: float) -> int:
    """Ask over one connection until a moment of the monotonic clock; return the number of successful answers."""
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
            answered += heard.startswith(b"HTTP/1.1 20")
            heard = heard[end + 4 + length :]
    return answered


def _main(url: str, seconds: str, body: str = "") -> None:
    import gevent

    token = os.environ["TOKEN"]
    host, _, path = url.removeprefix("http://").partition("/")
    name, _, port = host.partition(":")
    head = f"{'POST' if body else 'GET'} /{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
    kind = f"Content-Type: application/json\r\nContent-Length: {len(body.encode())}\r\n" if body else ""
    request = f"{head}{kind}\r\n{body}".encode()
    began = time.monotonic()
    asking = [gevent.spawn(_ask, (name, int(port)), request, began + float(seconds)) for _ in range(CONNECTIONS)]
    gevent.joinall(asking, raise_error=True)
    print(sum(each.value for each in asking) / (time.monotonic() - began))


if __name__ == "__main__":
    from gevent import monkey

    monkey.patch_all()
    _main(*sys.argv[1:])
