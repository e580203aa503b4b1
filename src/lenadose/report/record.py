"""Pages of a visit, a patient, a state and alternatives."""

from collections.abc import Iterable, Iterator

from attrs import fields

from lenadose.engine.state import State
from lenadose.explanation.alternatives import Alternative
from lenadose.explanation.phrases import describe_value
from lenadose.record.visit import Patient, Visit
from lenadose.report.markdown import escape, field_label, markdown_table
from lenadose.terms.facts import Term
from lenadose.terms.units import QUANTITIES


def visit_page(visit: Visit) -> str:
    """Return a visit as Markdown: each field with its value; what was not recorded is named."""
    return "\n".join(_record(f"Visit of {visit.date}", visit)) + "\n"


def patient_page(patient: Patient) -> str:
    """Return a patient as Markdown: each fact, and what is not known."""
    return "\n".join(_record("Patient", patient)) + "\n"


def _record(title: str, record: Visit | Patient) -> Iterator[str]:
    known, unknown = [], []
    for attribute in fields(type(record)):
        if attribute.init:
            value = getattr(record, attribute.name)
            label = field_label(attribute.name)
            if value is None:
                unknown.append(label)
            else:
                known.append((label, escape(_words(value))))
    yield from (f"# {title}", "", *markdown_table(("field", "value"), known))
    if unknown:
        yield from ("", f"Not recorded: {', '.join(unknown)}.")


def _words(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case Term():
            return value.label
        case _:
            return describe_value(value)  # type: ignore[arg-type]  # a field of a record


def state_page(state: State) -> str:
    """Return a state as Markdown: all that the next decision needs of the past, in short."""
    rows = [(label, escape(words)) for label, words in _state(state) if words]
    return "\n".join(("# State", "", *markdown_table(("what", "value"), rows))) + "\n"


def _state(state: State) -> Iterator[tuple[str, str]]:
    treatment, findings = state.treatment, state.findings
    dose, baseline, nadir = treatment.dose, state.baseline, treatment.nadir
    yield "protocol", state.protocol_name
    yield "patient", state.patient.id or ""
    yield "phase", treatment.phase.label
    if dose:
        yield "level", f"{dose.level} since {dose.since}"
        yield "taken instead", str(dose.off_ladder or "")
    yield "highest level allowed", str(state.ceiling or "none")
    if baseline:
        score = "not scored" if baseline.activity is None else f"CLASI activity {baseline.activity}"
        yield "baseline", f"{score} on {baseline.on}"
    if nadir:
        yield "lowest since", f"CLASI activity {nadir.activity} on {nadir.on}"
    for label, day in (
        ("responded on", treatment.responded_on),
        ("no drug since", treatment.no_drug_since),
        ("interrupted on", treatment.interrupted_on),
        ("treatment ended on", treatment.ended_on),
        ("finished on", state.finished_on),
    ):
        yield label, str(day or "")
    for name in QUANTITIES:
        result = findings.result(name)
        yield field_label(name), f"{result.given} on {result.on}" if result else ""
    for event in state.limiting_events:
        yield "dose-limiting event", f"{', '.join(event.causes)} at {event.level} on {event.on}"
    if state.previous:
        yield "last visit", str(state.previous.on)


def alternatives_page(alternatives: Iterable[Alternative]) -> str:
    """Return alternatives as Markdown: each other action with the smallest change to the visit."""
    rows = [
        (
            each.action.label,
            "; ".join(
                f"{field_label(change.field)}: {escape(describe_value(change.before))} → "
                f"{escape(describe_value(change.after))}"
                for change in each.changes
            )
            if each.reachable
            else "no change to this visit leads to it",
        )
        for each in alternatives
    ]
    lines = ("# Alternatives", "", *markdown_table(("action", "smallest change"), rows))
    return "\n".join(lines) + "\n"
