"""A given broker and store, named by their addresses or by files that hold the addresses."""

import os

from environs import Env

from services.ground.settings import read, secret

SERVERS = ("AMQP_URI", "MONGO_URI")
MANAGEMENT = "AMQP_MANAGEMENT_URI"


def take() -> None:
    """Put addresses from files into the environment, where other code looks. Ends the process if it can't."""
    env = Env(eager=False)
    found = {name: secret(env, name, "") for name in (*SERVERS, MANAGEMENT)}
    read(env)
    for name, value in found.items():
        if os.environ.pop(f"{name}_FILE", None):
            os.environ[name] = value
