"""The HTTP front."""

import asyncio
import itertools
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Response
from faststream import AckPolicy
from faststream.rabbit import Channel, RabbitBroker, RabbitMessage, RabbitQueue

from services.contracts.errors import Unauthenticated
from services.ground.tokens import Caller, Tokens

TIMEOUT = 2.0

broker = RabbitBroker(
    os.environ["AMQP_URI"],
    default_channel=Channel(publisher_confirms=False),
    apply_types=False,
    logger=None,
)
tokens = Tokens(Path(os.environ["TOKEN_JWKS_FILE"]))
replies = RabbitQueue(f"peer.door.{uuid.uuid4()}", durable=False, exclusive=True, auto_delete=True)
waiting: dict[str, asyncio.Future[bytes]] = {}
numbers = itertools.count(1)


async def whole(message: RabbitMessage) -> RabbitMessage:
    """The message itself instead of its body: injected, it would be looked up in a thread of its own."""
    return message


@broker.subscriber(replies, decoder=whole, ack_policy=AckPolicy.ACK_FIRST)
async def replied(message: RabbitMessage) -> None:
    answer = waiting.get(message.correlation_id)
    if answer is not None and not answer.done():
        answer.set_result(message.body)


async def ask(queue: str, body: str) -> bytes:
    """The reply to a call. Raises TimeoutError.

    FastStream's own `request` holds a lock from asking to the answer: one call at a time a process.
    """
    number = str(next(numbers))
    answer = waiting[number] = asyncio.get_running_loop().create_future()
    try:
        async with asyncio.timeout(TIMEOUT):
            await broker.publish(body, queue, reply_to=replies.name, correlation_id=number)
            return await answer
    finally:
        del waiting[number]


async def asking(authorization: Annotated[str, Header()] = "") -> Caller:
    scheme, _, token = authorization.partition(" ")
    try:
        return tokens.caller(token if scheme.lower() == "bearer" else None)
    except Unauthenticated as refusal:
        raise HTTPException(401, refusal.says) from None


@asynccontextmanager
async def connected(_app: FastAPI) -> AsyncIterator[None]:
    async with broker:
        await broker.start()
        yield


app = FastAPI(lifespan=connected)


@app.get("/v1/me")
async def me(caller: Annotated[Caller, Depends(asking)]) -> Response:
    try:
        body = await ask("peer-accounts.me", caller.id)
    except TimeoutError:
        raise HTTPException(503) from None
    if not body:
        raise HTTPException(404)
    return Response(body, media_type="application/json")
