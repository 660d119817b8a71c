"""Folders for files that are exchanged with a vendor: one of this machine, or one of an SFTP server (`sftp`).

A file is uploaded under a temporary name and renamed at the end, so that nobody reads half a file. An upload
that broke off goes on where it stopped. Raises Unavailable for what may work later.
"""

import errno
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from providers.errors import Unavailable

LARGEST_BYTES = 64 * 1024 * 1024


class Folder(ABC):
    """One folder and the folders in it. Names are relative and never leave the folder. Methods raise
    OSError."""

    @abstractmethod
    def names(self, inside: str = "") -> list[str]:
        """Return the names of the files in a folder inside, sorted; none where it does not exist."""

    @abstractmethod
    def size(self, name: str) -> int | None:
        """Return the size of a file in bytes, None where there is none."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """Return a file's content, at most LARGEST_BYTES."""

    @abstractmethod
    def write(self, name: str, data: bytes, offset: int = 0) -> None:
        """Write `data` at `offset`, where the file ends then; at 0 an existing file is replaced."""

    @abstractmethod
    def rename(self, old: str, new: str) -> None:
        """Rename a file; raise FileExistsError where there is one of the new name."""


class LocalFolder(Folder):
    """A folder of this machine; it is made when something is written. The files say who bought what: others
    than this process's user and group cannot read them."""

    def __init__(self, path: Path) -> None:
        self._folder = path

    def _path(self, name: str) -> Path:
        path = self._folder / name
        if not path.resolve().is_relative_to(self._folder.resolve()):
            raise PermissionError(errno.EACCES, "a name outside of the folder")
        return path

    def names(self, inside: str = "") -> list[str]:
        folder = self._path(inside)
        return sorted(path.name for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []

    def size(self, name: str) -> int | None:
        path = self._path(name)
        return path.stat().st_size if path.is_file() else None

    def read(self, name: str) -> bytes:
        with self._path(name).open("rb") as file:
            return file.read(LARGEST_BYTES)

    def write(self, name: str, data: bytes, offset: int = 0) -> None:
        path = self._path(name)
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        kept = 0 if offset else os.O_TRUNC
        with open(os.open(path, os.O_RDWR | os.O_CREAT | kept, 0o640), "r+b") as file:
            file.seek(offset)
            file.write(data)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())  # its content is deleted from the database once it is delivered

    def rename(self, old: str, new: str) -> None:
        if self._path(new).exists():
            raise FileExistsError(errno.EEXIST, "there is a file of this name")
        self._path(old).rename(self._path(new))


@contextmanager
def told_as_unavailable(what: str) -> Iterator[None]:
    """Raise Unavailable for a folder's OSError; the message has no path of this machine."""
    try:
        yield
    except OSError as error:
        raise Unavailable(f"{what}: {error.strerror or type(error).__name__}") from error


def upload(folder: Folder, name: str, content: bytes) -> None:
    """Bring `content` to `name`: go on where an earlier upload stopped, and compare what has arrived. Raise
    Unavailable where it does not arrive whole."""
    arrived = folder.size(name) or 0
    if arrived > len(content):
        arrived = 0
    folder.write(name, content[arrived:], arrived)
    if _is(folder, name, content):
        return
    folder.write(name, content)  # the part that was there before was another's
    if not _is(folder, name, content):
        raise Unavailable("the file does not arrive whole")


def _is(folder: Folder, name: str, content: bytes) -> bool:
    return sha256(folder.read(name)).digest() == sha256(content).digest()
