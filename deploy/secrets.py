"""`python -m deploy.secrets`: make the keys and passwords of a platform in containers, each a file in `.secrets/`.

Existing ones are kept, because the store remembers its passwords from its first start.
"""

import json
import secrets
from pathlib import Path
from typing import Any

from deploy.local import private
from deploy.local.broker import DEFINITIONS, password_hash
from deploy.local.keys import Keys

ROOT = Path(__file__).parents[1]
SERVICES = ("members", "events", "feedback", "notifications")
BUS_USERS = (*SERVICES, "gateway", "operator")
STORE_USERS = (*SERVICES, "operator", "root")
PREFIX = "hearth_"


def definitions(passwords: dict[str, str]) -> dict[str, Any]:
    """The definitions for a node of the broker: policies, rights, and the users with these passwords."""
    users = [
        {
            "name": name,
            "password_hash": password_hash(password),
            "hashing_algorithm": "rabbit_password_hashing_sha256",
            "tags": "administrator" if name == "operator" else "",
        }
        for name, password in passwords.items()
    ]
    return {
        **private.read_json(DEFINITIONS),
        **private.read_json(DEFINITIONS.with_name("rights.json")),
        "users": users,
    }


def amqp_uri(passwords: dict[str, str], user: str, where: str) -> str:
    """The address of the broker for one of its users."""
    return f"amqp://{user}:{passwords[user]}@{where}/%2F"


def mongo_uri(passwords: dict[str, str], user: str, where: str) -> str:
    """The address of the store for one of its users."""
    source = f"{PREFIX}{user}" if user in SERVICES else "admin"
    return f"mongodb://{user}:{passwords[user]}@{where}/?authSource={source}"


def make(folder: Path) -> None:
    """Writes the missing files in `folder`, which only its owner may enter."""
    private.folder(folder)
    kept = folder / "passwords.json"
    known = private.read_json(kept)
    passwords = {
        server: {user: known.get(server, {}).get(user) or secrets.token_urlsafe(24) for user in users}
        for server, users in (("rabbitmq", BUS_USERS), ("mongo", STORE_USERS))
    }
    private.write_json(kept, passwords)
    bus, store = passwords["rabbitmq"], passwords["mongo"]
    keys = Keys(folder)
    keys.prepare()
    _show(folder / "rabbitmq_definitions.json", json.dumps(definitions(bus), indent=2))
    _show(folder / "mongo_passwords.json", json.dumps(store))
    _show(folder / "mongo_root_password", store["root"])
    for name in (*SERVICES, "gateway"):
        _show(folder / f"{name}_amqp_uri", amqp_uri(bus, name, "rabbitmq:5672"))
    for name in SERVICES:
        _show(folder / f"{name}_mongo_uri", mongo_uri(store, name, "mongo:27017"))
    for key in (keys.private_key_file, keys.jwks_file):
        key.chmod(0o444)
    here = {"AMQP_URI": amqp_uri(bus, "operator", "127.0.0.1:${AMQP_PORT:-5672}")}
    here |= {"MONGO_URI": mongo_uri(store, "operator", "127.0.0.1:${MONGO_PORT:-27017}")}
    here |= {"AMQP_MANAGEMENT_URI": f"http://operator:{bus['operator']}@127.0.0.1:${{MANAGEMENT_PORT:-15672}}"}
    here |= {"TOKEN_JWKS_FILE": str(keys.jwks_file.resolve())}
    private.write(folder / "operator.env", "".join(f'export {name}="{value}"\n' for name, value in here.items()))


def _show(path: Path, text: str) -> None:
    """Write a file that is readable wherever it is mounted. The folder keeps everybody else out."""
    private.write(path, text)
    path.chmod(0o444)


if __name__ == "__main__":
    make(ROOT / ".secrets")
    print("The secrets are in .secrets/. Whoever reads them is the platform: keep a copy where only you can.")
