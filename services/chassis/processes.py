"""The processes as which a service runs.

A service names them beside its capabilities. Today each runs as one. Work that is long, or that needs other packages,
gets a process of its own: then it can neither hold up nor weigh on the rest. `deploy/processes.py` compares what is
declared with the Procfile, the containers and the cluster.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Process:
    """Some capabilities that run together, in as many copies as there is work.

    `name` is what a container, a Deployment and a line of the Procfile call it. `extra` is the extra of pyproject.toml,
    the lock file and the image that hold its packages.
    """

    name: str
    capabilities: tuple[type, ...]
    extra: str
