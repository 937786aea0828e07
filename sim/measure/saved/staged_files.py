"""Files that appear whole or not at all: written under other names beside their places, then moved there together."""

import os
import re
from collections.abc import Callable, Iterable
from hashlib import blake2b, file_digest
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from sim.clean_up import cleaned_up_by


class CannotWrite(Exception):
    """Results have no place to go: no space, no permission, no such folder."""


class StagedFiles:
    """A set of files for one folder, which is made if need be.

    Leaving the block moves them to their names, in the order in which they were added; leaving it by an exception
    removes them, and whatever was in the folder before stays as it was. A file that cannot be written raises
    CannotWrite.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._staged: dict[str, Path] = {}
        self._signals = cleaned_up_by(self._remove)

    def add(self, name: str, write: Callable[[BinaryIO], object]) -> Path:
        """Stage a file and return where it lies for now; `write` is given the open file."""
        # The number keeps apart two commands that write to the same folder.
        path = self._staged[name] = self.folder / f".{name}.{os.getpid()}.tmp"
        with path.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        return path

    def add_text(self, name: str, text: str) -> Path:
        """Stage a text file."""
        return self.add(name, lambda file: file.write(text.encode()))

    def __enter__(self) -> Self:
        """Make the folder."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._cannot_write(error) from None
        self._signals.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Move the files to their names, or remove them."""
        try:
            if error is None:
                self._move()
        except OSError as late:
            raise self._cannot_write(late) from None
        finally:
            self._remove()
            self._signals.__exit__(None, None, None)
        if isinstance(error, OSError):
            raise self._cannot_write(error) from None

    def _remove(self) -> None:
        for path in self._staged.values():
            path.unlink(missing_ok=True)

    def _move(self) -> None:
        for name, path in self._staged.items():
            path.replace(self.folder / name)
        # Until the folder itself is on disk, a power cut could still undo the moves.
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _cannot_write(self, error: OSError) -> CannotWrite:
        return CannotWrite(f"cannot write to {self.folder}: {error.strerror or error}")


def remove_leftovers(folder: Path) -> None:
    """Delete what commands that were killed have staged in the folder and below. Nobody may be writing there.

    Raises OSError if one cannot be deleted.
    """
    for path in folder.rglob(".*.tmp"):
        if re.fullmatch(r"\..+\.[0-9]+\.tmp", path.name) and path.is_file():
            path.unlink()


def remove_files(folder: Path, names: Iterable[str]) -> None:
    """Delete those of the files that are in the folder. Raises CannotWrite if one cannot be deleted."""
    try:
        for name in names:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise CannotWrite(f"cannot delete old files in {folder}: {error.strerror}") from None


def checksum(path: Path) -> str:
    """Return the BLAKE2b hash of a file (RFC 7693, 32 bytes of output) as hex digits."""
    with path.open("rb") as file:
        return file_digest(file, lambda: blake2b(digest_size=32)).hexdigest()
