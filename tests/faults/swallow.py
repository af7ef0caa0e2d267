"""A half-open network: a way to the broker that can go on looking open while nothing comes through."""

import selectors
import socket
from contextlib import suppress

from tests.rig.proxy import Proxy


class Swallowing(Proxy):
    """While `swallowing`, takes what both sides send and passes nothing on; new connections find nobody either."""

    swallowing = False

    def _pass(self, ready: selectors.BaseSelector, source: socket.socket) -> None:
        if not self.swallowing:
            super()._pass(ready, source)
            return
        with suppress(OSError):
            if source.recv(65536):
                return
        for end in (source, self._peers.get(source)):
            if end is not None and self._peers.pop(end, None):
                ready.unregister(end)
                end.close()

    def heal(self) -> None:
        """Let everything through again. What was open has lost bytes, so it ends, as a reset would end it."""
        self.swallowing = False
        self.cut()
