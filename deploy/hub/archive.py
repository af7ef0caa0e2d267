"""A backup on disk: a folder with a file of BSON documents per collection, and a table of contents with checksums.

The files have the format of `mongodump --gzip`, so that MongoDB's own tools can read them, too. They are written and
read one document at a time. The table is written last: a folder without it is not a backup.
"""

import gzip
import hashlib
import json
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from deploy.hub import Trouble

FORMAT = 1
TABLE = "backup.json"
MESSAGES = "messages"  # the one part that is not a collection
SUFFIX = ".bson.gz"
LARGEST = 48 * 1024 * 1024  # bytes of a document; MongoDB allows 16 MiB, and its own tools somewhat more
SHORTEST = 5

Table = dict[str, Any]


class Archive:
    """The backup in a folder. Its parts are called `members/accounts` and so on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.parts: dict[str, Table] = {}

    @classmethod
    def new(cls, folder: Path) -> "Archive":
        """An empty archive that only its owner may read. Raises Trouble if the folder is not empty."""
        try:
            folder.mkdir(parents=True, mode=0o700, exist_ok=True)
            empty = not any(folder.iterdir())
        except OSError as error:
            raise Trouble(f"{folder} cannot be written to ({error.strerror}).") from None
        if not empty:
            raise Trouble(f"{folder} is not empty.", "Name a new folder.")
        return cls(folder)

    @classmethod
    def open(cls, folder: Path) -> "Archive":
        """An existing archive, completely checked. Raises Trouble if a byte has changed since it was written."""
        found = cls(folder)
        table: Table = {}
        with suppress(OSError, ValueError):
            table = json.loads((folder / TABLE).read_text())
        if not table:
            raise Trouble(f"{folder} is no backup, or one that was never finished: it has no {TABLE}.")
        if table.get("format") != FORMAT:
            raise Trouble(
                f"{folder} has the format {table.get('format')}; this version reads {FORMAT}.",
                "Restore it with the version that wrote it.",
            )
        found.parts = table["parts"]
        for name, written in found.parts.items():
            part = _Tally()
            for document in found.read(name):
                part.add(document)
            if part.table != written:
                raise Trouble(f"{found._path(name)} is not as it was written: {part.table}, not {written}.")
        return found

    def write(self, name: str, documents: Iterable[bytes]) -> int:
        """Write a part. Returns the number of its documents."""
        path, part = self._path(name), _Tally()
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with _private(path) as raw:
            with gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=5, mtime=0) as file:
                for document in documents:
                    part.add(document)
                    file.write(document)
            raw.flush()
            os.fsync(raw.fileno())
        self.parts[name] = part.table
        return part.documents

    def seal(self, **facts: Any) -> None:
        """Write the table of contents, with facts for people. From now on the folder is a backup."""
        table = {"format": FORMAT, **facts, "parts": self.parts}
        with _private(self._folder / TABLE) as file:
            file.write(json.dumps(table, indent=2).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def read(self, name: str) -> Iterator[bytes]:
        """The documents of a part."""
        path = self._path(name)
        try:
            with gzip.open(path) as file:
                while head := file.read(4):
                    (size,) = struct.unpack("<i", head)
                    if not SHORTEST <= size <= LARGEST or len(body := file.read(size - 4)) < size - 4:
                        raise Trouble(f"{path} is damaged.")
                    yield head + body
        except (OSError, EOFError, zlib.error, struct.error) as error:
            raise Trouble(f"{path} is damaged or missing ({type(error).__name__}).") from None

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{SUFFIX}"


class _Tally:
    """Counts and checksums the documents of a part as they pass."""

    def __init__(self) -> None:
        self.documents = 0
        self._digest = hashlib.sha256()

    def add(self, document: bytes) -> None:
        self.documents += 1
        self._digest.update(document)

    @property
    def table(self) -> Table:
        return {"documents": self.documents, "sha256": self._digest.hexdigest()}


def _private(path: Path) -> IO[bytes]:
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
