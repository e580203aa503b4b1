"""Protocol files based on a built-in protocol: what differs is enough, with its provenance."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from tests.support.paths import ROOT
from tests.support.patients import PROTOCOL

from lenadose import DocumentError, get_protocol, load_protocol, read_protocol
from lenadose.formats.protocol_file import parse_protocol
from lenadose.formats.schema import SCHEMAS
from lenadose.protocol.builtin import BUILT_IN

SCHEMA = Draft202012Validator(SCHEMAS["protocol"]())
WHY = {"tag": "assumed", "source": "decided here", "words": "a test"}
HEAD = {
    "based_on": "cortes-hernandez-2012",
    "id": "mine",
    "version": "1",
    "title": "Mine",
}
LOW = {"dosage": {"mg": "1.5", "every_days": 1}, "provenance": WHY}
ENDED = {"id": "ended", "action": "observe", "cases": [{"when": {"phase": ["discontinued"]}}]}
ENDED["cases"][0]["provenance"] = WHY  # type: ignore[index]


def own(**parts: Any) -> dict[str, Any]:
    return copy.deepcopy({**HEAD, **parts})


def faults(document: object) -> list[str]:
    with pytest.raises(DocumentError) as refused:
        read_protocol(document)
    assert all(each.place and each.reason and each.fix for each in refused.value.faults)
    assert all("\n" not in str(each) for each in refused.value.faults)
    return [str(each) for each in refused.value.faults]


@pytest.mark.parametrize("id", BUILT_IN)
def test_a_file_that_changes_nothing_is_its_base_under_another_name(id: str) -> None:
    protocol = read_protocol(own(based_on=id))
    base = get_protocol(id)
    assert protocol.decision_hash == base.decision_hash
    assert protocol.data == {**base.data, "id": "mine", "version": "1", "title": "Mine"}
    assert "based_on" not in protocol.data
    assert read_protocol(protocol.data) == protocol
    assert read_protocol(protocol.data).hash == protocol.hash


@pytest.mark.parametrize("id", BUILT_IN)
def test_a_limit_is_printed_as_by_its_base(id: str) -> None:
    base = get_protocol(id)
    for protocol in (read_protocol(own(based_on=id)), read_protocol(base.data)):
        limits = [str(limit.below.value) for limit in protocol.safety.limits]
        assert limits == [str(limit.below.value) for limit in base.safety.limits]
        assert limits[0] == "1.0"


PASSES: dict[str, tuple[dict[str, Any], str, Any]] = {
    "a number": (
        {"intervals": {"review": {"value": {"months": 1}, "provenance": WHY}}},
        "intervals.review.value",
        {"months": 1},
    ),
    "the same number, with the provenance of the base": (
        {"intervals": {"review": {"value": {"weeks": 4}}}},
        "intervals.review.value",
        {"weeks": 4},
    ),
    "the same number written otherwise": (
        {"safety": {"neutrophils": {"interrupt_below": {"value": 1}}}},
        "safety.neutrophils.interrupt_below.value",
        "1",
    ),
    "the same number, with another provenance": (
        {"response": {"worse_points": {"provenance": WHY}}},
        "response.worse_points.provenance",
        WHY,
    ),
    "a level added at the bottom": (
        {"ladder": {"levels": [LOW]}},
        "ladder.levels.0.dosage",
        {"mg": "1.5", "every_days": 1},
    ),
    "another start": (
        {"ladder": {"start": {"mg": 5, "every_days": 2}}},
        "ladder.start",
        {"mg": "5", "every_days": 2},
    ),
    "a row replaced": ({"rules": [ENDED]}, "rules.ended.cases.0.provenance", WHY),
    "a source added": (
        {"sources": [{"id": "X", "citation": "x", "confidence": "read"}]},
        "sources.X.citation",
        "x",
    ),
    "a list of words replaced": ({"unchecked": ["mood"]}, "unchecked", ["mood"]),
}


@pytest.mark.parametrize("name", PASSES)
def test_what_differs_is_enough(name: str) -> None:
    parts, path, value = PASSES[name]
    document = own(**parts)
    SCHEMA.validate(document)
    protocol = read_protocol(document)
    data: Any = json.loads(json.dumps(protocol.data))
    for step in path.split("."):
        if isinstance(data, list):
            named = [each for each in data if each.get("id") == step]
            data = named[0] if named else data[int(step)]
        else:
            data = data[step]
    assert data == value
    assert parse_protocol(json.dumps(document)) == protocol
    assert read_protocol(protocol.data).hash == protocol.hash


def test_parts_are_left_out_by_name() -> None:
    document = own(
        without=["notices.condoms", "safety.events.grade-2", "ladder.levels.10 mg once daily"]
    )
    SCHEMA.validate(document)
    protocol = read_protocol(document)
    assert "condoms" not in [notice.id for notice in protocol.notices]
    assert "grade-2" not in [event.id for event in protocol.safety.events]
    assert [str(level) for level in protocol.ladder.levels] == [
        str(level) for level in PROTOCOL.ladder.levels[:2]
    ]
    (line,) = faults(own(without=["rules.ended"]))
    assert line.startswith("rules: no row applies to: phase discontinued")


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (
            own(based_on="penn"),
            "based_on: 'penn' is not a built-in protocol; did you mean penn-2012?",
        ),
        (own(based_on=None), "based_on: null is not a built-in protocol; give the id of one: "),
        (own(based_on=["penn-2012"]), "based_on: a list is not a built-in protocol"),
        ({"based_on": "penn-2012", "id": "mine", "version": "1"}, "title: is missing; give it"),
        ({"based_on": "penn-2012", "version": "1", "title": "x"}, "id: is missing; give it"),
        (own(interval={}), "interval: unknown key; did you mean intervals?"),
        (own(intervals=[]), "intervals: a list is not an object"),
        (own(rules={}), "rules: an object is not a list"),
        (
            own(intervals={"review": {"value": {"weeks": 6}}}),
            "intervals.review.provenance: is that of another number, the one of the base; "
            "give this number a tag, a source and words of its own",
        ),
        (
            own(safety={"platelets": {"caution_below": {"value": "76"}}}),
            "safety.platelets.caution_below.provenance: is that of another number",
        ),
        (
            own(safety={"clearance_ceiling": {"value": {"mg": 5, "every_days": 2}}}),
            "safety.clearance_ceiling.provenance: is that of another number",
        ),
        (
            own(intervals={"review": {"value": {"weeks": 6}, "provenance": {"tag": "assumed"}}}),
            "intervals.review.provenance.source: is missing",
        ),
        (own(ladder={"start": {"mg": 10}}), "ladder.start.every_days: is missing"),
        (
            own(ladder={"levels": [{**LOW, "dosage": {"mg": "1e9", "every_days": 1}}]}),
            "ladder.levels[0]: has no dosage that can be given; give mg, more than 0",
        ),
        (own(ladder={"levels": [5]}), "ladder.levels[0]: has no dosage that can be given"),
        (own(rules=[{"action": "observe"}]), "rules[0]: has no id; give it the id of what it "),
        (own(rules=["ended"]), "rules[0]: has no id"),
        (own(rules=[ENDED, ENDED]), "rules.ended: two rows have this name"),
        (own(without="rules.ended"), "without: 'rules.ended' is not a list"),
        (
            own(without=["rules.escalte"]),
            "without[0]: 'rules.escalte' is no part of the base; did you mean rules.escalate?",
        ),
        (own(without=[5]), "without[0]: 5 is no part of the base; name a list and a part"),
        (
            own(without=["rules.ended"], rules=[ENDED]),
            "without[0]: rules.ended is given as well; leave it out here",
        ),
        (own(without=["sources.CH12"]), "ladder.levels[1].provenance.source: 'CH12' is not among"),
        ({**PROTOCOL.data, "without": []}, "without: unknown key"),
    ],
)
def test_what_cannot_be_meant_is_refused(document: dict[str, Any], said: str) -> None:
    told = faults(document)
    assert any(each.startswith(said) for each in told), told


@pytest.mark.parametrize(
    "document",
    [
        own(based_on="penn"),
        own(rules=[{"action": "observe"}]),
        own(without=["escalate"]),
        own(interval={}),
        own(ladder={"start": {"mg": 10}}),
        {"based_on": "penn-2012", "id": "mine", "version": "1"},
        {key: value for key, value in PROTOCOL.data.items() if key != "intervals"},
    ],
)
def test_the_schema_sees_what_it_can(document: dict[str, Any]) -> None:
    assert faults(document)
    assert not SCHEMA.is_valid(json.loads(json.dumps(document)))


@pytest.mark.parametrize(
    "text", ['{"based_on": NaN}', '{"based_on": "penn-2012", "without": [NaN]}']
)
def test_a_number_that_is_none_is_refused_at_its_place(text: str) -> None:
    with pytest.raises(DocumentError, match="NaN is not a finite number") as refused:
        parse_protocol(text)
    assert refused.value.faults[0].place in ("based_on", "without[0]")


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["id", "mg", "value", "dosage"]), inner, max_size=2)
    ),
    max_leaves=4,
)


def places(data: Any, way: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return every key of the data, each with those that it is within."""
    if not isinstance(data, dict):
        return []
    return [
        place for key, part in data.items() for place in ((*way, key), *places(part, (*way, key)))
    ]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*places(PROTOCOL.data), ("without",), ("based_on",)]),
            JUNK | st.just(...),
        ),
        max_size=3,
    )
)
def test_no_document_breaks_the_reader(changes: list[tuple[tuple[str, ...], Any]]) -> None:
    document: Any = own()
    for way, junk in changes:
        place, base = document, PROTOCOL.data
        for key in way[:-1]:
            if not isinstance(place.get(key), dict):
                place[key] = {}
            place, base = place[key], base[key]  # type: ignore[assignment]
        place[way[-1]] = copy.deepcopy(base.get(way[-1])) if junk is ... else junk
    try:
        protocol = read_protocol(document)
    except DocumentError as error:
        for each in error.faults:
            assert each.place
            assert each.fix
            assert "\n" not in str(each)
    else:
        assert SCHEMA.is_valid(document)
        assert read_protocol(protocol.data).hash == protocol.hash


# Whose name it bears


@pytest.mark.parametrize("id", BUILT_IN)
def test_a_file_with_the_name_of_a_built_in_protocol_has_its_content(id: str) -> None:
    base = get_protocol(id)
    same = {"based_on": id, "id": id, "version": base.version, "title": base.title}
    assert read_protocol(same) == base
    assert faults({**same, "title": "Mine"}) == [
        f"version: {id} {base.version} is built in, with other content; "
        "give the file an id or a version of its own"
    ]
    assert faults({**base.data, "title": "Mine"}) == faults({**same, "title": "Mine"})
    assert read_protocol({**same, "title": "Mine", "version": "2.0.1"}).id == id
    assert read_protocol({**same, "title": "Mine", "id": "mine"}).version == base.version


def test_an_older_version_is_read() -> None:
    older = ROOT / "tests" / "verification" / "protocols" / "cortes-hernandez-2012-1.0.0.json"
    assert load_protocol(Path(older)).version == "1.0.0"
