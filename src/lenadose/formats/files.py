"""Files: documents read from them, and output that takes its place only when it is whole."""

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from shutil import rmtree
from typing import BinaryIO

from attrs import evolve

from lenadose.terms.errors import PRINTABLE, DocumentError, Fault, LenadoseError, with_article

LARGEST = 4_000_000
"""The largest document that is read, in bytes; a course of a lifetime of visits is much smaller."""


def format_path(path: str | Path) -> str:
    """Return a path as it was written, on one line."""
    text = str(path)
    return (text if PRINTABLE.match(text) else ascii(text)[1:-1]) or '""'


def load(path: str | Path, what: str, largest: int = LARGEST) -> bytes:
    """Return the content of a file, at most one byte more than the `largest` that is read.

    Raises DocumentError for a file that cannot be opened.
    """
    try:
        # `open` would take a number for a file that is open, read that, and close it.
        with open(path if isinstance(path, str) else Path(path), "rb") as file:
            return file.read(largest + 1)
    except (OSError, ValueError, TypeError) as error:
        reason = (getattr(error, "strerror", None) or "is not a path").lower()
        raise _refusal(path, reason, f"give the path of {with_article(what)} file") from None


@contextmanager
def faults_in(path: str | Path) -> Iterator[None]:
    """Put a file in front of the faults of its content."""
    try:
        yield
    except LenadoseError as error:
        place = format_path(path)
        raise DocumentError(
            evolve(fault, place=f"{place}: {fault.place}" if fault.place else place)
            for fault in error.faults
        ) from None


@contextmanager
def open_output(path: str | Path) -> Iterator[BinaryIO]:
    """Open a file to write, which takes the place of an older one when it is whole.

    After an error, or when the process is killed, the older file is as it was. Raises OSError.
    """
    place = _place(path)
    mode = _mode_of(place)
    if mode is not None and not stat.S_ISREG(mode):
        with open(place, "wb") as device:
            yield device
        return
    beside = place.with_name(f".lenadose-{token_hex(8)}.part")
    try:
        with open(beside, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            beside.chmod(stat.S_IMODE(mode))
        beside.replace(place)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


def write_folder(path: str | Path, files: Mapping[str, bytes]) -> None:
    """Write a folder of files, which takes its place when it is whole.

    A folder that is there must be empty, so that no older file is among the new ones. Raises
    DocumentError for a place that cannot be written.
    """
    try:
        place = _place(path)
        beside = place.with_name(f".lenadose-{token_hex(8)}.part")
        if place.is_dir() and any(place.iterdir()):
            reason = "is a folder that is not empty"
            raise _refusal(path, reason, "give a new folder; the files in it are kept as they are")
        beside.mkdir()
        try:
            for name, content in files.items():
                with open(beside / name, "xb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
            if place.is_dir():
                place.rmdir()
            beside.rename(place)
        except BaseException:
            rmtree(beside, ignore_errors=True)
            raise
    except (OSError, ValueError) as error:
        if isinstance(error, LenadoseError):
            raise
        reason = (getattr(error, "strerror", None) or "is not a path").lower()
        raise _refusal(path, reason, "give a path that can be written") from None


def check_output(path: str, *inputs: str | None) -> None:
    """Check that an output is none of the inputs, under whatever name; `-` is standard input."""
    for source in inputs:
        if source is not None and _same_file(path, source):
            reason = f"is the input {format_path(source)}"
            raise _refusal(path, reason, "give another path; the input is kept as it is")


def _same_file(path: str, source: str) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.stat(0 if source == "-" else source))
    except (OSError, ValueError):  # one of them is not there, or the name of a protocol
        return False


def _place(path: str | Path) -> Path:
    """Return the place of an output: a link stays a link, the file that it names is replaced.

    Raises OSError for what is not a path.
    """
    try:
        # `Path.resolve` would raise another error for links in a circle.
        return Path(os.path.realpath(path))
    except ValueError:
        raise OSError(errno.EINVAL, "is not a path") from None


def _mode_of(place: Path) -> int | None:
    """Return the mode of a file, None if there is none."""
    try:
        return place.stat().st_mode
    except FileNotFoundError:
        return None


def _refusal(path: str | Path, reason: str, fix: str) -> DocumentError:
    return DocumentError((Fault(format_path(path), reason, fix),))
