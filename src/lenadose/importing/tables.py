"""Findings from the rows of tables, as a mapping reads them."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import PurePath

from attrs import frozen

from lenadose.formats.course_json import Json, number
from lenadose.formats.reader import parse
from lenadose.importing import readings
from lenadose.importing.dangers import fault_of
from lenadose.importing.files import Row
from lenadose.importing.findings import (
    BIRTH_DATE,
    CREATININE,
    NO_EVENTS,
    SEX,
    VISIT,
    WEIGHT,
    Finding,
    Note,
    unneeded,
    unusable,
)
from lenadose.importing.mapping import COLUMNS, ImportMapping, Table, Values
from lenadose.importing.readings import Source, among, day_of, translated
from lenadose.terms.errors import DocumentError, Fault, LenadoseError, describe, fault
from lenadose.terms.numbers import decimal
from lenadose.terms.units import QUANTITIES

_OF_BLOOD = ("neutrophils", "platelets", CREATININE)
"""The fields of which a result of another specimen is another thing."""
_WHOLE = ("clasi_activity", "clasi_damage", "doses_missed")
_YES_OR_NO = "give yes or no, or name the words for them in a mapping file"
Read = Iterator[Finding | Note]


def check_mapping(mapping: ImportMapping, columns: Mapping[str, Sequence[str]]) -> None:
    """Check that a table of the mapping that names a file has its columns there.

    Raises DocumentError naming each column that is missing.
    """
    faults = []
    for index, table in enumerate(mapping.table):
        for file, names in columns.items():
            if table.file is not None and _is_named(file, table.file):
                faults += [
                    Fault(
                        f"table[{index}]",
                        f"{file} has no column {describe(name)}",
                        "check its name",
                    )
                    for name in _needed(table)
                    if name not in names
                ]
    if faults:
        raise DocumentError(faults)


def read_rows(
    rows: Iterable[Row], columns: Mapping[str, Sequence[str]], mapping: ImportMapping
) -> Iterator[Finding | Note]:
    """Yield the findings of rows, and a note for each row of which there is none."""
    fitting: dict[str, list[Table]] = {
        file: [table for table in mapping.table if _fits(table, file, names)]
        for file, names in columns.items()
    }
    for row in rows:
        if row.fault is not None:
            yield unusable(row.place, row.fault.reason, row.fault.fix)
            continue
        cells = {
            name: cell
            for name, cell in row.cells.items()
            if not among(cell, mapping.values.missing)
        }
        table = next((each for each in fitting[row.file] if _is_of(each, row.cells)), None)
        if table is None:
            yield unusable(
                row.place,
                "no table of the mapping has its columns",
                "name its columns in a mapping file, given with --map",
            )
            continue
        line = _Line(
            row.place,
            table,
            {name: cells[column] for name, column in table.columns.items() if column in cells},
            mapping.values,
        )
        yield from line.read()


def _is_named(file: str, pattern: str) -> bool:
    return fnmatchcase(PurePath(file).name.casefold(), pattern.casefold())


def _needed(table: Table) -> tuple[str, ...]:
    needed = COLUMNS[table.rows][0]
    named = table.columns
    columns = [named[key] for key in (needed if table.lenient else named) if key in named]
    return (*columns, *table.where)


def _fits(table: Table, file: str, names: Sequence[str]) -> bool:
    is_named = table.file is None or _is_named(file, table.file)
    return is_named and set(_needed(table)) <= set(names)


def _is_of(table: Table, cells: Mapping[str, str]) -> bool:
    return all(cells.get(name, "") == value for name, value in table.where.items())


@frozen
class _Line:
    """A row with its cells under our names."""

    place: str
    table: Table
    cells: Mapping[str, str]
    values: Values

    def read(self) -> Read:
        """Yield its findings, or a note if there is none."""
        patient = self.cells.get("patient")
        if patient is None:
            column = self.table.columns["patient"]
            yield unusable(
                self.place, f"no patient in the column {describe(column)}", "give the patient"
            )
            return
        source = Source(self.place, patient)
        if self.table.rows == "patients":
            found = list(self._facts(source))
            yield from found or [unneeded(self.place, "it says nothing that a course holds")]
            return
        day: dt.date | None = None
        reason = Fault("", "no date", "give the date")
        try:
            if "date" in self.cells:
                day = self._day("date")
        except LenadoseError as error:
            reason = error.faults[0]
        match self.table.rows:
            case "results":
                yield from self._result(source, day, reason)
            case "events":
                yield from self._event(source, day, reason)
            case "dosages":
                yield from self._dosage(source, day, reason)
            case _ if day is None:
                yield unusable(self.place, f"date: {reason.reason}", reason.fix)
            case _:
                yield from self._visit(source, day)

    def _day(self, name: str) -> dt.date:
        return day_of(self.cells[name], self.values.dates)

    # A row a result

    def _result(self, source: Source, day: dt.date | None, no_day: Fault) -> Read:
        test = self.cells.get("test", "")
        field = translated(test, self.table.tests)
        if field is None:
            reason = f"the test {describe(test)} is not in the mapping" if test else "no test"
            yield unneeded(self.place, reason, "if a course needs it, name it in a mapping file")
            return
        value = self.cells.get("value", "")
        label = field.replace("_", " ")
        specimen = self.cells.get("specimen", "")
        if field in _OF_BLOOD and specimen and not self._is_blood(specimen):
            reason = f"{label} of {describe(specimen)}, not of blood"
            yield unneeded(
                self.place, reason, "if it is, name its word in a mapping file, in values.blood"
            )
            return
        if not value or among(self.cells.get("status", ""), ("NOT DONE",)):
            yield unneeded(self.place, f"{label}: there is no result")
        elif day is None:
            yield unusable(self.place, f"{label}: {no_day.reason}", no_day.fix)
        else:
            yield self._test(source, field, value, self._unit(field, "unit"), day, None)

    def _is_blood(self, specimen: str) -> bool:
        """Return whether one of the words of a specimen is one of blood: "venous blood"."""
        return any(among(word, self.values.blood) for word in specimen.replace("/", " ").split())

    def _unit(self, field: str, column: str) -> str:
        return self.cells.get(column) or self.table.units.get(field, "")

    def _test(
        self,
        source: Source,
        field: str,
        value: str,
        unit: str,
        on: dt.date,
        visit: dt.date | None,
    ) -> Finding:
        """Return the finding of one result of any field."""
        if field == "pregnancy_tests":
            return readings.pregnancy_test(source, value, self.values, on=on, visit=visit)
        try:
            comparator, amount = readings.read_number(value, self.values.decimal)
            apart = self.cells.get("comparator")
            if apart is not None:
                if comparator is not None:
                    reason = f"{describe(value)} with another comparator beside it"
                    raise fault("", reason, "give one of the two")
                comparator, _ = readings.read_number(f"{apart}0")
            if field in _WHOLE:
                whole: Json = number(decimal(amount))
                if comparator is not None:
                    raise fault("", f"{describe(value)} is only a bound", "give the value")
                return readings.of_visit(source, field, whole, on=visit or on, visit=visit)
        except LenadoseError as error:
            return readings.unreadable(source, field, "", error, on=on, visit=visit)
        return readings.result(
            source, field, amount, unit, self.values, on=on, comparator=comparator, visit=visit
        )

    # A row an event, or a dosage

    def _event(self, source: Source, day: dt.date | None, no_day: Fault) -> Read:
        term = self.cells.get("term") or self.cells.get("verbatim")
        if term is None:
            fault = Fault("", "an event without a term", "give the term")
            yield source.finding("adverse_events", "adverse event", on=day, fault=fault)
            return
        words = f"adverse event {describe(term)}"
        if day is None:
            # It may have been there at any visit.
            yield source.finding("adverse_events", words, fault=no_day)
            return
        until: dt.date | None = None
        no_end: Fault | None = None
        try:
            if "end" in self.cells:
                until = self._day("end")
        except LenadoseError as error:
            no_end = Fault("", f"end: {error.faults[0].reason}", error.faults[0].fix)
        event = readings.event(
            source,
            term,
            self._whole("grade"),
            self.cells.get("ctcae"),
            self.values,
            on=day,
            until=until,
            ongoing=until is None and no_end is None and "end" in self.table.columns,
        )
        yield from [event] if no_end is None else readings.of_unknown_end(event, no_end)

    def _whole(self, name: str) -> Json:
        """Return a cell as a number, or as it is for the reader of a course to refuse."""
        text = self.cells.get(name)
        if text is None:
            return None
        try:
            comparator, amount = readings.read_number(text, self.values.decimal)
            return text if comparator else number(decimal(amount))
        except LenadoseError:
            return text

    def _dosage(self, source: Source, day: dt.date | None, no_day: Fault) -> Read:
        drug = self.cells.get("drug")
        if "drug" in self.table.columns and not (drug and readings.DRUG.search(drug)):
            yield unneeded(self.place, f"the drug is {describe(drug)}, not lenalidomide")
            return
        words = f"dosage {self.cells.get('mg', '')} {self._unit('dosage_taken', 'unit')}".rstrip()
        until: dt.date | None = None
        found = None if day else no_day
        value: dict[str, Json] = {"mg": self._whole("mg")}
        try:
            if "end" in self.cells:
                until = self._day("end")
        except LenadoseError as error:
            found = error.faults[0]
        unit = self._unit("dosage_taken", "unit")
        if translated(unit, self.values.units) != "mg":
            found = found or Fault("", f"the unit is {describe(unit)}", "give the dose in mg")
        frequency = self.cells.get("every_days")
        if value["mg"] != 0 and found is None:
            every = next(
                (days for word, days in self.values.every_days.items() if word == frequency), None
            )
            value["every_days"] = every or self._whole("every_days")
            if frequency is None or not isinstance(value["every_days"], int):
                reason = f"the frequency {describe(frequency)} is not known"
                found = Fault("", reason, "translate it in a mapping file, in values.every_days")
        if found is None and day is not None:
            found = readings.fault_of_dosage(value)
            taken = words if found else f"dosage taken: {readings.dosage_words(value)}"
            words = f"{taken}, from {day}" + (f" to {until}" if until else "")
        yield source.finding(
            "dosage_taken",
            words,
            None if found else value,
            on=day,
            until=until,
            ongoing=until is None and "end" in self.table.columns,
            fault=found,
        )

    # A row a visit

    def _visit(self, source: Source, day: dt.date) -> Read:
        yield source.finding(VISIT, f"visit of {day}", on=day, visit=day)
        for name in QUANTITIES | {CREATININE: None, WEIGHT: None}:
            if name in self.cells:
                yield self._dated(source, name, self.cells[name], f"{name}_date", day)
        if "pregnancy_test" in self.cells:
            test = self.cells["pregnancy_test"]
            yield self._dated(source, "pregnancy_tests", test, "pregnancy_test_date", day)
        for name in _WHOLE:
            if name in self.cells:
                yield self._test(source, name, self.cells[name], "", day, day)
        yield from self._lists(source, day)
        mg, every = self._whole("dosage_taken_mg"), self._whole("dosage_taken_every_days")
        if mg is not None or every is not None:
            taken: dict[str, Json] = {} if mg is None else {"mg": mg}
            if every is not None:
                taken["every_days"] = every
            found = readings.fault_of_dosage(taken)
            yield source.finding(
                "dosage_taken",
                f"dosage taken: {readings.dosage_words(taken)}"
                if found is None
                else "dosage taken",
                None if found else taken,
                on=day,
                visit=day,
                fault=found,
            )
        if "judgement" in self.cells or "judgement_reason" in self.cells:
            judgement: dict[str, Json] = {}
            for key, name in (("response", "judgement"), ("reason", "judgement_reason")):
                if name in self.cells:
                    judgement[key] = self.cells[name]
            yield readings.of_visit(source, "judgement", judgement, on=day, visit=day)
        if "stopped" in self.cells:
            yield readings.of_visit(source, "stopped", self.cells["stopped"], on=day, visit=day)
        yield from self._facts(source)

    def _dated(self, source: Source, field: str, value: str, date: str, visit: dt.date) -> Finding:
        """Return a result that may have a date of its own in another column."""
        try:
            on = self._day(date) if date in self.cells else visit
        except LenadoseError as error:
            return readings.unreadable(source, field, "date", error, on=visit, visit=visit)
        if on > visit:
            reason = f"{on} is after the visit of {visit}"
            after = Fault("", reason, "give it with the visit after it")
            return readings.unreadable(source, field, value, after, on=visit, visit=visit)
        return self._test(source, field, value, self._unit(field, f"{field}_unit"), on, visit)

    def _lists(self, source: Source, day: dt.date) -> Read:
        for name in ("pregnancy_tests", "adverse_events"):
            if name not in self.cells:
                continue
            try:
                entries = parse(self.cells[name], "list")
                if not isinstance(entries, list):
                    raise fault("", f"{describe(entries)} is not a list", "give a list of JSON")
            except LenadoseError as error:
                found = Fault("", error.faults[0].reason, error.faults[0].fix)
                label = name.replace("_", " ")
                yield source.finding(name, label, on=day, visit=day, fault=found)
                continue
            if not entries and name == "adverse_events":
                yield source.finding(NO_EVENTS, "no adverse events", on=day, visit=day)
            for entry in entries:
                yield _entry(source, name, entry, day)
        if "no_adverse_events" in self.cells:
            said = self.cells["no_adverse_events"]
            if among(said, self.values.yes):
                yield source.finding(NO_EVENTS, "no adverse events", on=day, visit=day)
            elif not among(said, self.values.no):
                found = Fault("", f"{describe(said)} is not yes or no", _YES_OR_NO)
                yield source.finding(
                    "adverse_events", "no adverse events", on=day, visit=day, fault=found
                )

    # The patient

    def _facts(self, source: Source) -> Read:
        for name in ("able_to_become_pregnant", "regular_cycles"):
            if name in self.cells:
                said = self.cells[name]
                is_true = among(said, self.values.yes)
                found = None
                if not is_true and not among(said, self.values.no):
                    found = Fault("", f"{describe(said)} is not yes or no", _YES_OR_NO)
                words = name.replace("_", " ")
                words += "" if found else f": {'yes' if is_true else 'no'}"
                yield source.finding(f"patient.{name}", words, is_true, fault=found)
        if "age" in self.cells:
            unit = self.cells.get("age_unit", "years")
            age = self._whole("age")
            if not among(unit, ("years", "year")):
                age = f"{age} {unit}"  # a child, most often: the patient is refused
            yield readings.age(source, age)
        for name in ("subtype", "antiphospholipid"):
            if name in self.cells:
                said = self._antiphospholipid() if name == "antiphospholipid" else self.cells[name]
                found = readings.fault_of_fact(name, said)
                yield source.finding(f"patient.{name}", f"{name} {said}", said, fault=found)
        if "birth_date" in self.cells:
            try:
                born = self._day("birth_date")
                yield source.finding(BIRTH_DATE, f"born {born}", born.isoformat())
            except LenadoseError as error:
                yield source.finding(BIRTH_DATE, "birth date", fault=error.faults[0])
        if "sex" in self.cells:
            said = self.cells["sex"]
            sexes = (("female", self.values.female), ("male", self.values.male))
            sex = next((name for name, known in sexes if among(said, known)), None)
            if sex is not None:
                yield source.finding(SEX, sex, sex)
            else:
                reason = f"the sex {describe(said)} is not female or male"
                yield unneeded(self.place, f"{reason}: no clearance is worked out")

    def _antiphospholipid(self) -> str:
        said = self.cells["antiphospholipid"]
        for outcome in ("positive", "negative"):
            if among(said, getattr(self.values, outcome)):
                return outcome
        return said


def _entry(source: Source, name: str, entry: object, visit: dt.date) -> Finding:
    """Return the finding of an entry of a list that is written as in a course file."""
    label = "pregnancy test" if name == "pregnancy_tests" else "adverse event"
    on = visit
    value = _as_data(entry)
    if isinstance(value, dict) and name == "pregnancy_tests":
        date = value.pop("date", None)
        try:
            on = day_of(date) if isinstance(date, str) else visit
        except LenadoseError as error:
            return source.finding(name, label, on=visit, visit=visit, fault=error.faults[0])
        if on > visit:
            after = Fault(
                "", f"{on} is after the visit of {visit}", "give it with the visit after it"
            )
            return source.finding(name, label, on=visit, visit=visit, fault=after)
    found = fault_of(name, value, on)
    shown = (
        value.get("result" if name == "pregnancy_tests" else "term")
        if isinstance(value, dict)
        else None
    )
    words = f"{label} {describe(shown)}" if shown is not None else label
    return source.finding(name, words, None if found else value, on=on, visit=visit, fault=found)


def _as_data(value: object) -> Json:
    """Return parsed JSON with its decimals as numbers."""
    match value:
        case Decimal():
            return number(value)
        case list():
            return [_as_data(each) for each in value]
        case dict():
            return {key: _as_data(each) for key, each in value.items()}
    return value  # type: ignore[return-value]  # a Fault, which the reader of a course reports
