"""The broker of the checkout: a private RabbitMQ node, apart from any other on the machine."""

import base64
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import amqp

from deploy.local import CannotRun, packages, private
from deploy.local.program import Program

DEFINITIONS = Path(__file__).parents[1] / "rabbitmq" / "definitions.json"
# Debian's `rabbitmq-server` on the path changes the user; the script behind it doesn't.
DIRECT = "/usr/lib/rabbitmq/bin/rabbitmq-server"
PLACES = os.pathsep.join(("/usr/local/sbin", "/usr/sbin", "/opt/homebrew/sbin", "/opt/homebrew/bin"))
THREE_WAYS = (
    "Hearth needs a RabbitMQ broker: set AMQP_URI to one, or install rabbitmq-server (3.10 or newer), "
    "or run a container (docker run -p 5672:5672 rabbitmq:4.1-management) and set AMQP_URI to it."
)


def _find(command: str) -> str | None:
    return shutil.which(command) or shutil.which(command, path=PLACES)


def _server() -> str | None:
    return shutil.which(DIRECT) or _find("rabbitmq-server")


def password_hash(password: str) -> str:
    """The password as RabbitMQ's salted SHA-256, in the form for definitions."""
    salt = secrets.token_bytes(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


class Broker:
    """A node in `<base>/broker` with its own name, ports, cookie, user, data and epmd, on the loopback address."""

    name = "broker"

    def __init__(self, base: Path, say: Callable[[str], None] = print) -> None:
        self._folder = base.resolve() / "broker"
        self._say = say
        self._memory: dict[str, Any] = {}

    @property
    def uri(self) -> str:
        return "amqp://{user}:{password}@127.0.0.1:{port}/%2F".format_map(self._memory)

    @property
    def management_uri(self) -> str:
        """RabbitMQ's management API, for the same user."""
        return f"http://127.0.0.1:{self._memory['management_port']}"

    def prepare(self) -> None:
        """Makes the node's files and keeps former settings that still work. Installs a missing server."""
        if _server() is None:
            packages.install("rabbitmq-server", brew="rabbitmq", otherwise=THREE_WAYS, say=self._say)
        memory = private.read_json(self._folder / "settings.json") or {
            "node": f"hearth-{secrets.token_hex(4)}@localhost",  # the data belongs to this name
            "user": "hearth",
            "password": secrets.token_urlsafe(24),
        }
        names = ("port", "distribution_port", "epmd_port", "management_port")
        if not all(name in memory and private.is_free(memory[name]) for name in names):
            memory |= zip(names, private.free_ports(len(names)), strict=True)
        self._memory = memory
        private.write_json(self._folder / "settings.json", memory)
        private.write_json(self._folder / "definitions.json", self._definitions())
        private.write(self._folder / "enabled_plugins", "[rabbitmq_management].\n")
        private.write(
            self._folder / "rabbitmq.conf",
            f"listeners.tcp.local = 127.0.0.1:{memory['port']}\n"
            "management.tcp.ip = 127.0.0.1\n"
            f"management.tcp.port = {memory['management_port']}\n"
            "management_agent.disable_metrics_collector = true\n"  # for users and policies only, not for monitoring
            "consumer_timeout = 1800000\n"
            "max_message_size = 16777216\n"
            "vm_memory_high_watermark.relative = 0.4\n"
            "disk_free_limit.absolute = 50MB\n"
            f"load_definitions = {self._folder / 'definitions.json'}\n"
            "log.console = true\n"
            "log.console.level = warning\n"
            "log.connection.level = error\n"  # a client may disconnect at any time
            "log.file = false\n",
        )
        if not (cookie := self._folder / ".erlang.cookie").exists():
            private.write(cookie, secrets.token_hex(20))

    def _definitions(self) -> dict[str, Any]:
        """The committed policies, with the user. A node that loads definitions makes no user of its own."""
        user = self._memory["user"]
        return private.read_json(DEFINITIONS) | {
            "users": [
                {
                    "name": user,
                    "password_hash": password_hash(self._memory["password"]),
                    "hashing_algorithm": "rabbit_password_hashing_sha256",
                    "tags": "administrator",
                }
            ],
            "vhosts": [{"name": "/"}],
            "permissions": [{"user": user, "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}],
        }

    def programs(self) -> list[Program]:
        """The port mapper, then the node, which finds other nodes by it."""
        server, epmd = _server(), _find("epmd")
        if server is None or epmd is None:
            raise CannotRun(THREE_WAYS)
        environment = self._environment()
        mapper = [epmd, "-port", str(self._memory["epmd_port"]), "-address", "127.0.0.1"]
        return [Program("epmd", mapper, environment), Program(self.name, [server], environment, deaf_at_first=True)]

    def _environment(self) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("RABBITMQ_", "ERL_"))}
        folder = self._folder
        return inherited | {
            "HOME": str(folder),  # where Erlang looks for its cookie
            "ERL_FLAGS": "-start_epmd false",  # a node would start one that outlives it
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._memory["epmd_port"]),
            "ERL_CRASH_DUMP": str(folder / "erl_crash.dump"),
            "RABBITMQ_NODENAME": self._memory["node"],
            "RABBITMQ_DIST_PORT": str(self._memory["distribution_port"]),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),  # otherwise the system's file would be read
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG": "warning",
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RUNNING_UNDER_SYSTEMD": "true",  # the script becomes the node instead of waiting beside it
        }

    def answers(self) -> bool:
        """True once our user can open a connection. A starting node allows this last."""
        connection = amqp.Connection(
            f"127.0.0.1:{self._memory['port']}",
            userid=self._memory["user"],
            password=self._memory["password"],
            connect_timeout=2,
            read_timeout=2,
        )
        try:
            connection.connect()
            connection.close()
        except (OSError, amqp.AMQPError):
            return False
        return True
