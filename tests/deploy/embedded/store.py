"""SecantusDB in the place of MongoDB: makes the users that deploy/mongo/users.js makes, then asks for passwords."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pymongo
from pymongo.errors import OperationFailure, PyMongoError

SERVICES = ("members", "events", "feedback", "notifications")
SERVER = ("secantusd-py", "--standalone", "--port", "27017", "--storage-path", "/data/db/store")
PASSWORDS = Path("/run/secrets/mongo_passwords.json")


def make_users() -> None:
    passwords = json.loads(PASSWORDS.read_text())
    server = subprocess.Popen([*SERVER, "--host", "127.0.0.1"])
    roles = {name: [{"role": "readWrite", "db": f"hearth_{name}"}] for name in SERVICES}
    places = [(f"hearth_{name}", name, roles[name]) for name in SERVICES]
    places.append(("admin", "operator", [role for each in roles.values() for role in each]))
    client = pymongo.MongoClient("127.0.0.1", serverSelectionTimeoutMS=30_000)
    for database, user, may in places:
        if not client[database].command("usersInfo", user)["users"]:
            client[database].command("createUser", user, pwd=passwords[user], roles=may)
    client.close()
    server.terminate()
    server.wait(30)


def answers() -> bool:
    """True if the store listens where others reach it. It does so only after the users are made."""
    try:
        client = pymongo.MongoClient(socket.gethostname(), serverSelectionTimeoutMS=2000, directConnection=True)
        client.admin.command("ping")
    except OperationFailure:
        return True  # it asks who we are
    except PyMongoError:
        return False
    return True


if __name__ == "__main__":
    if sys.argv[1:] == ["answers"]:
        sys.exit(not answers())
    make_users()
    time.sleep(0.5)
    os.execvp(SERVER[0], [*SERVER, "--host", "0.0.0.0", "--auth"])
