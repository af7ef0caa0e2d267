"""The processes as which a service runs.

A service declares its processes beside its capabilities. Today each service runs as one. Work that is long, or that
needs other packages, gets a process of its own, so that it can neither delay the rest nor weigh on it.
`deploy/processes.py` compares the declarations with the Procfile, the containers and the cluster.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Process:
    """Some capabilities that run together, in as many copies as there is work.

    `name` is its name as a container, as a Deployment and in the Procfile. `extra` is the extra of pyproject.toml,
    the lock file and the image that hold its packages.
    """

    name: str
    capabilities: tuple[type, ...]
    extra: str
