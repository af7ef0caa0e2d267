"""`GET /v1/me` by FastAPI and FastStream: `… door` serves HTTP with uvicorn, `… accounts` answers calls.

Like ours: the token's check (it is ours), a call over a durable classic queue, a transient `mandatory` request and a
transient reply, neither confirmed, one reply queue a process, settled when it arrives (at most once), one process each,
one read by `_id` without the outbox, the same JSON. Unlike ours, to its favour: no limits, deadlines, metrics, log
lines or ETag; the service believes the member's id; the broker is told nothing of a call's arrival and so keeps no
count (FastStream's ACK_FIRST), the door passes the reply's bytes on unread.
"""

import os
import sys

import uvicorn

from tests.bench.peers.faststream_fastapi import accounts

if sys.argv[1] == "door":
    uvicorn.run(
        "tests.bench.peers.faststream_fastapi.door:app",
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        workers=int(os.environ.get("WEB_CONCURRENCY", "1")),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
    )
else:
    accounts.serve()
