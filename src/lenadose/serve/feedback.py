"""Feedback: the outcomes of cards, kept in SQLite."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from attrs import frozen

from lenadose.formats.course_json import Json
from lenadose.serve.hooks import refusal
from lenadose.terms.errors import CallError, DocumentError, Fault, describe, fault

COLUMNS = (
    "service",
    "card",
    "outcome",
    "accepted",
    "reason_system",
    "reason_code",
    "comment",
    "at",
)
"""The columns of the table `feedback`: `accepted` are ids of suggestions, divided by blanks."""

MOST = 1000
"""So many cards one request may tell of."""

_LONGEST = 10_000
_CREATE = f"CREATE TABLE IF NOT EXISTS feedback ({', '.join(f'{name} TEXT' for name in COLUMNS)})"
_INSERT = f"INSERT INTO feedback VALUES ({', '.join('?' for _ in COLUMNS)})"

Row = tuple[str | None, ...]


def read_feedback(service: str, document: object) -> list[Row]:
    """Return the rows of a feedback request; raises CallError with every fault."""
    given = document.get("feedback") if isinstance(document, dict) else None
    if not isinstance(given, list) or not 0 < len(given) <= MOST:
        reason = f"is no list of 1 to {MOST} cards"
        raise fault("feedback", reason, "send what became of each card")
    faults: list[Fault] = []
    rows = [_row(service, each, f"feedback[{place}]", faults) for place, each in enumerate(given)]
    if faults:
        raise CallError(faults)
    return rows


def _row(service: str, document: object, place: str, faults: list[Fault]) -> Row:
    if not isinstance(document, dict):
        words = f"{describe(document)} is not an object"
        faults.append(refusal(place, document, words, "give an object"))
        return ()

    def told(holder: object, key: str, where: str, is_needed: bool = False) -> str | None:
        value = holder.get(key) if isinstance(holder, dict) else None
        if value is None and not is_needed:
            return None
        if isinstance(value, str) and len(value) > _LONGEST:
            words = f"has more than {_LONGEST} characters"
            faults.append(Fault(f"{where}.{key}", words, "give a shorter text"))
            return None
        if not isinstance(value, str) or not value or "\0" in value:
            words = f"{describe(value)} is not a text"
            faults.append(refusal(f"{where}.{key}", value, words, "give a text"))
            return None
        return _storable(value)

    outcome = document.get("outcome")
    if outcome not in ("accepted", "overridden"):
        fix = "give accepted or overridden"
        faults.append(Fault(f"{place}.outcome", f"{describe(outcome)} is not known", fix))
    accepted = document.get("acceptedSuggestions") or []
    if not isinstance(accepted, list):
        faults.append(Fault(f"{place}.acceptedSuggestions", "is not a list", "give a list"))
        accepted = []
    where = f"{place}.acceptedSuggestions"
    ids = [told(each, "id", where, True) or "" for each in accepted]
    override = document.get("overrideReason")
    reason = override.get("reason") if isinstance(override, dict) else None
    return (
        service,
        told(document, "card", place, True),
        str(outcome),
        " ".join(ids),
        told(reason, "system", f"{place}.overrideReason.reason"),
        told(reason, "code", f"{place}.overrideReason.reason"),
        told(override, "userComment", f"{place}.overrideReason"),
        told(document, "outcomeTimestamp", place),
    )


def _storable(text: str) -> str:
    """Return a text without halves of surrogate pairs, which SQLite cannot hold."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@frozen
class FeedbackFile:
    """A file of feedback, which several processes may write."""

    path: str

    def open(self) -> None:
        """Make the table, for its owner only; raise DocumentError where that cannot be done."""
        try:
            Path(self.path).touch(mode=0o600)
        except (OSError, ValueError) as error:
            raise self._refusal(getattr(error, "strerror", None) or "is not a path") from None
        self._with(lambda connection: connection.execute(_CREATE))

    def add(self, rows: list[Row]) -> None:
        """Add rows: all or none."""
        self._with(lambda connection: connection.executemany(_INSERT, rows))

    def rows(self) -> Iterator[dict[str, Json]]:
        """Yield the rows in the order in which they came."""
        if not Path(self.path).is_file():
            raise self._refusal("there is no such file")
        select = f"SELECT {', '.join(COLUMNS)} FROM feedback ORDER BY rowid"
        for row in self._with(lambda connection: connection.execute(select).fetchall()):
            yield dict(zip(COLUMNS, row, strict=True))

    def _with(
        self, work: "Callable[[sqlite3.Connection], sqlite3.Cursor | list[Row]]"
    ) -> list[Row]:
        try:
            with closing(sqlite3.connect(self.path, timeout=10)) as connection, connection:
                done = work(connection)
                return done if isinstance(done, list) else []
        except sqlite3.Error as error:
            raise self._refusal(f"SQLite says: {error}") from None

    def _refusal(self, reason: str) -> DocumentError:
        fix = "give the path of a file of feedback"
        return DocumentError((Fault(self.path, reason.lower(), fix),))
