"""A service's own numbers, which its environment may set."""

from typing import Any

from nameko.extensions import DependencyProvider


class Number(DependencyProvider):
    """Gives a capability one of the numbers that its service is run with: `most = Number("LINES_AN_HOUR")`."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def get_dependency(self, worker_ctx: Any) -> int:
        found: int = self.container.config["settings"].numbers[self._name]
        return found
