"""The broker and the store that are given, by their addresses or by files that hold these."""

import os

from environs import Env

from services.ground.settings import read, secret

SERVERS = ("AMQP_URI", "MONGO_URI")
MANAGEMENT = "AMQP_MANAGEMENT_URI"


def take() -> None:
    """Put the addresses from files into the environment, for all that look there. Ends the process if it can't."""
    env = Env(eager=False)
    found = {name: secret(env, name, "") for name in (*SERVERS, MANAGEMENT)}
    read(env)
    for name, value in found.items():
        if os.environ.pop(f"{name}_FILE", None):
            os.environ[name] = value
