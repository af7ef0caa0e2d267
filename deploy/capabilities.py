"""The capabilities, read from the tree, for code that describes, watches or tests all of them."""

import importlib.util
import pkgutil
from collections.abc import Iterator

from services import events, feedback, members, notifications


def capabilities() -> Iterator[type]:
    """The service classes: in each service's packages, the class whose `name` is `<service>.<package>`."""
    for service in (members, events, feedback, notifications):
        for package in pkgutil.iter_modules(service.__path__, f"{service.__name__}."):
            if package.ispkg and importlib.util.find_spec(f"{package.name}.service"):
                module = importlib.import_module(f"{package.name}.service")
                name = package.name.removeprefix("services.")
                yield from (each for each in vars(module).values() if getattr(each, "name", None) == name)
