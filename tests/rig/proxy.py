"""A way to the broker that can be cut, and frozen."""

import selectors
import socket
import struct
import threading
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit


class Proxy:
    """Passes bytes between a local port and the host of a URI, in one thread.

    `cut()` ends what is open, `reset()` as if the peer had crashed; while `refusing`, new connections end at once;
    while `frozen`, nothing is read, so that both sides see a peer that is there and does nothing. Once something
    `swallows` passes, nothing that comes the same way arrives any more. `accepted` counts connections.
    """

    def __init__(self, uri: str) -> None:
        parts = urlsplit(uri)
        self._target = (parts.hostname or "localhost", parts.port or 5672)
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.uri = uri.replace(parts.netloc.rpartition("@")[2], f"127.0.0.1:{port}")
        self.refusing = self.frozen = self._ending = False
        self.accepted, self.swallows = 0, b""
        self._swallowed: set[socket.socket] = set()
        self._resetting = threading.Event()
        self._peers: dict[socket.socket, socket.socket] = {}
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ending = True
        self._thread.join()
        self.cut()
        self._listener.close()

    def cut(self) -> None:
        """End all connections."""
        for end in list(self._peers):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """End all connections with a reset; done when they are."""
        self._resetting.set()
        while self._resetting.is_set():
            threading.Event().wait(0.01)

    def _run(self) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(self._listener, selectors.EVENT_READ)
            while not self._ending:
                if self._resetting.is_set():
                    for end in list(self._peers):
                        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        self._end(ready, end)
                    self._resetting.clear()
                for key, _ in ready.select(0.05):
                    if key.fileobj is self._listener:
                        self._accept(ready)
                    elif self.frozen:
                        threading.Event().wait(0.05)
                    else:
                        self._pass(ready, key.fileobj)  # type: ignore[arg-type]

    def _accept(self, ready: selectors.BaseSelector) -> None:
        near, _ = self._listener.accept()
        if self.refusing:
            near.close()
            return
        self.accepted += 1
        far = socket.create_connection(self._target)
        for one, other in ((near, far), (far, near)):
            self._peers[one] = other
            ready.register(one, selectors.EVENT_READ)

    def _pass(self, ready: selectors.BaseSelector, source: socket.socket) -> None:
        with suppress(OSError):
            if (data := source.recv(65536)) and source in self._peers:
                if self.swallows and self.swallows in data:
                    self._swallowed.add(source)
                    self.swallows = b""
                if source not in self._swallowed:
                    self._peers[source].sendall(data)
                return
        for end in (source, self._peers.get(source)):
            if end is not None:
                self._end(ready, end)

    def _end(self, ready: selectors.BaseSelector, end: socket.socket) -> None:
        if self._peers.pop(end, None):
            ready.unregister(end)
            end.close()
