"""The cards of CDS Hooks: what they say of a record and of orders."""

import json
from pathlib import Path
from typing import Any

import fhirpathpy
import pytest
from attrs import evolve
from tests.support.asgi import call
from tests.support.cds import SELECT, SIGN, VIEW, order, prefetched, request, with_course
from tests.support.paths import EXAMPLES

from lenadose import Action, Course, Patient, Visit, card, load_course, replay
from lenadose.explanation.headlines import QUESTIONS, advice
from lenadose.explanation.why import field_words
from lenadose.fhir.course import course_bundle
from lenadose.report.card_formats import card_markdown
from lenadose.serve.app import application
from lenadose.serve.cards import LONGEST, PREFETCH
from lenadose.terms.disclaimer import NOT_A_DEVICE

COURSES = sorted((EXAMPLES / "courses").glob("*.json"))
APP = application()

HL7 = (
    (
        "cards",
        "(selectionBehavior = 'at-most-one') implies suggestions.where(isRecommended).count() <= 1",
    ),
    ("cards", "suggestions.exists() implies selectionBehavior.exists()"),
    ("cards.suggestions", "actions.all(description.exists())"),
    (
        "cards.suggestions.actions",
        "(type = 'delete') implies (resourceId.exists() and resource.empty())",
    ),
    ("cards.links", "appContext.exists() implies type = 'smart'"),
    ("cards.overrideReasons", "display.exists()"),
    (
        "cards.suggestions",
        "actionSelectionBehavior.empty() or actionSelectionBehavior = 'all' or "
        "actionSelectionBehavior = 'any' or actionSelectionBehavior = 'at-most-one'",
    ),
)
"""The invariants of a response in HL7's CDS Hooks, each with the elements it is of."""


def course_of(path: Path) -> Course:
    """Return an example of the patient p."""
    course = load_course(path)
    return evolve(course, patient=evolve(course.patient or Patient(), id="p"))


def example(name: str) -> Course:
    return course_of(EXAMPLES / "courses" / f"{name}.json")


def cards(path: str, document: Any) -> Any:
    answer = call(APP, "POST", path, document)
    assert answer.status == 200, answer.body
    check_response(answer.data)
    return answer.data["cards"]


def check_response(data: Any) -> None:
    """Check a response by HL7's invariants and by what the specification says in words."""
    for place, expression in HL7:
        assert fhirpathpy.evaluate(data, f"{place}.all({expression})") == [True], (
            place,
            expression,
        )
    uuids = [each["uuid"] for each in data["cards"]]
    uuids += [each["uuid"] for one in data["cards"] for each in one.get("suggestions", [])]
    assert len(set(uuids)) == len(uuids)
    for each in data["cards"]:
        assert 0 < len(each["summary"]) <= LONGEST
        assert each["indicator"] in ("info", "warning", "critical")
        assert NOT_A_DEVICE in each["detail"]
        assert "not a medical device" in each["source"]["label"]
        assert each["overrideReasons"]
        for suggestion in each.get("suggestions", []):
            for action in suggestion["actions"]:
                assert action.get("resource", {}).get("status", "draft") == "draft"


def test_the_invariants_find_what_breaks_them() -> None:
    broken = {
        "cards": [
            {
                "selectionBehavior": "at-most-one",
                "suggestions": [{"isRecommended": True, "actions": [{"type": "delete"}]}] * 2,
                "overrideReasons": [{"code": "a"}],
            },
            {"suggestions": [{"actionSelectionBehavior": "some"}]},
        ]
    }
    found = [fhirpathpy.evaluate(broken, f"{place}.all({expression})") for place, expression in HL7]
    assert found == [[False], [False], [False], [False], [True], [False], [False]]


@pytest.mark.parametrize("path", COURSES, ids=lambda path: path.stem)
def test_the_card_is_that_of_the_last_visit(path: Path) -> None:
    course = course_of(path)
    decision = replay(course)[-1]
    (given,) = cards(VIEW, with_course(VIEW, course))
    assert card_markdown(card(decision)) in given["detail"]
    assert given["summary"] == f"{decision.visit.date}: {advice(decision)}"
    (found,) = cards(VIEW, request(VIEW, "p", prefetch=prefetched(course)))
    assert found == given


def test_every_observation_of_a_course_is_asked_for() -> None:
    written = set()
    lost = Course([Visit("2026-01-05", unreadable=["platelets"])], Patient(id="p"))
    for course in (lost, *map(course_of, COURSES)):
        bundle: Any = course_bundle(course)
        for entry in bundle["entry"]:
            if entry["resource"]["resourceType"] == "Observation":
                (code,) = entry["resource"]["code"]["coding"]
                written.add(f"{code['system']}|{code['code']}")
    assert len(written) > 15
    assert written <= set(PREFETCH["observations"].rpartition("=")[2].split(","))


def test_what_is_missing_is_to_be_obtained() -> None:
    course = Course([Visit("2026-01-05", clasi_activity=11)], Patient(id="p"))
    (decision,) = replay(course)
    (given,) = cards(VIEW, with_course(VIEW, course))
    assert given["indicator"] == "warning"
    asked = {each["label"]: each for each in given["suggestions"]}
    assert list(asked) == [f"Obtain {field_words(gap.field)}" for gap in decision.missing]
    assert [label for label in asked if asked[label]["isRecommended"]] == ["Obtain adverse events"]
    (action,) = asked["Obtain neutrophils"]["actions"]
    resource = action["resource"]
    assert (action["type"], resource["status"], resource["intent"]) == (
        "create",
        "draft",
        "proposal",
    )
    assert resource["subject"] == {"reference": "Patient/p"}
    assert resource["authoredOn"] == "2026-01-05"


def test_a_patient_without_this_treatment_gets_no_card() -> None:
    course = Course([Visit("2026-01-05", neutrophils=(3.2, "10*9/L"))], Patient(id="p"))
    assert cards(VIEW, request(VIEW, "p", prefetch=prefetched(course))) == []
    person = {"resourceType": "Patient", "id": "p", "birthDate": "1980-01-01"}
    assert cards(VIEW, request(VIEW, "p", prefetch={"patient": person})) == []


def test_the_encounter_of_the_context_is_the_visit() -> None:
    course = example("missed-doses")
    encounter = {
        "resourceType": "Encounter",
        "id": "now",
        "status": "in-progress",
        "class": {"code": "AMB"},
        "subject": {"reference": "Patient/p"},
        "period": {"start": "2025-10-14T09:00:00+02:00"},
    }
    document = request(VIEW, "p", prefetch={**prefetched(course), "encounter": encounter})
    document["context"]["encounterId"] = "now"
    (given,) = cards(VIEW, document)
    assert given["summary"].startswith("2025-10-14: Ask first")
    (action,) = given["suggestions"][0]["actions"]
    assert action["resource"]["encounter"] == {"reference": "Encounter/now"}
    document = with_course(VIEW, course) | {"prefetch": {"encounter": encounter}}
    document["context"]["encounterId"] = "now"
    for visit in course.visits:
        encounter["period"] = {"start": str(visit.date)}
        (given,) = cards(VIEW, document)
        assert given["summary"].startswith(f"{visit.date}: ")


@pytest.mark.parametrize("path", COURSES, ids=lambda path: path.stem)
def test_an_order_agrees_exactly_when_it_is_what_was_advised(path: Path) -> None:
    course = course_of(path)
    decision = replay(course)[-1]
    for mg, every_days in ((2.5, 1), (5, 1), (5, 2), (10, 1)):
        (given,) = cards(SIGN, with_course(SIGN, course, [order(mg, every_days)]))
        ordered = f"{mg} mg {'once daily' if every_days == 1 else 'every other day'}"
        is_advised = str(decision.dosage) == ordered
        is_question = decision.action in QUESTIONS
        assert given["summary"].startswith("Agrees; ") is (is_advised and not is_question)
        assert card_markdown(card(decision)) in given["detail"]
        if given["summary"].startswith("Agrees; "):
            assert "suggestions" not in given
            continue
        assert given["indicator"] != "info"
        assert ordered in given["summary"]
        actions = [each["actions"][0] for each in given.get("suggestions", [])]
        if is_advised:
            assert not actions
        elif decision.dosage is None:
            assert [(each["type"], each["resourceId"]) for each in actions] == [
                ("delete", "MedicationRequest/o1")
            ]
        else:
            (action,) = actions
            (instruction,) = action["resource"]["dosageInstruction"]
            assert instruction["text"].startswith(str(decision.dosage))
            again = cards(SIGN, with_course(SIGN, course, [action["resource"]]))
            assert ("suggestions" not in again[0]) is True


def test_a_change_of_an_order_leaves_out_its_supply_and_keeps_the_rest() -> None:
    supply = {"expectedSupplyDuration": {"value": 28}}
    draft = order(5, 2, dispenseRequest=supply, note=[{"text": "with water"}], priority="routine")
    (given,) = cards(SIGN, with_course(SIGN, example("missed-doses"), [draft]))
    changed = given["suggestions"][0]["actions"][0]["resource"]
    assert "dispenseRequest" not in changed
    unchanged = set(draft) - {"dispenseRequest", "dosageInstruction"}
    assert {key: changed[key] for key in unchanged} == {key: draft[key] for key in unchanged}


def test_an_order_whose_dosage_is_not_plain_is_not_compared() -> None:
    draft = order(5)
    draft["dosageInstruction"][0]["asNeededBoolean"] = True
    (given,) = cards(SIGN, with_course(SIGN, example("missed-doses"), [draft]))
    assert given["summary"].startswith("Not compared; ")
    assert "taken as needed" in given["detail"]
    twice = order(10)
    twice["dosageInstruction"][0]["timing"] = {
        "code": {"coding": [{"system": "urn:x", "code": "QD"}]},
        "repeat": {"frequency": 2, "period": 1, "periodUnit": "d"},
    }
    (given,) = cards(SIGN, with_course(SIGN, example("missed-doses"), [twice]))
    assert given["summary"].startswith("Not compared; ")
    unclear = order(10, modifierExtension=[{"url": "http://ehr.example/not"}])
    (given,) = cards(SIGN, with_course(SIGN, example("missed-doses"), [unclear]))
    assert given["summary"].startswith("Not compared; ")


def test_other_orders_and_other_drugs_get_no_card() -> None:
    course = example("missed-doses")
    other = order(5, medicationCodeableConcept={"text": "Hydroxychloroquine"})
    drafts = [other, order(5, status="cancelled"), order(5, doNotPerform=True)]
    assert cards(SIGN, with_course(SIGN, course, drafts)) == []
    assert cards(SIGN, with_course(SIGN, course, [{"resourceType": "ServiceRequest"}])) == []


def test_an_order_by_the_brand_is_compared() -> None:
    draft = order(25, medicationCodeableConcept={"text": "Revlimid"})
    (given,) = cards(SIGN, with_course(SIGN, example("missed-doses"), [draft]))
    assert given["summary"].startswith("Differs: ordered 25 mg once daily")


@pytest.mark.parametrize("url", ["urn:uuid:5", "http://ehr.example/fhir/Medication/m"])
def test_the_drug_of_an_order_may_be_another_resource_of_the_bundle(url: str) -> None:
    draft = order(25, medicationReference={"reference": url})
    del draft["medicationCodeableConcept"]
    drug = {"resourceType": "Medication", "id": "m", "code": {"text": "Lenalidomide"}}
    document = with_course(SIGN, example("missed-doses"), [draft])
    document["context"]["draftOrders"]["entry"].append({"fullUrl": url, "resource": drug})
    (given,) = cards(SIGN, document)
    assert given["summary"].startswith("Differs: ordered 25 mg once daily")


def test_an_order_of_another_version_of_fhir_is_refused() -> None:
    draft = order(5, medication={"concept": {"text": "Lenalidomide"}})
    del draft["medicationCodeableConcept"]
    answer = call(APP, "POST", SIGN, with_course(SIGN, example("missed-doses"), [draft]))
    assert answer.status == 400
    assert "is FHIR R5" in answer.body.decode()


def test_only_the_selected_orders_are_compared() -> None:
    document = with_course(SELECT, example("missed-doses"), [order(5), order(10, id="o2")])
    document["context"]["selections"] = ["MedicationRequest/o2"]
    (given,) = cards(SELECT, document)
    assert given["summary"].startswith("Agrees; ")


def test_orders_without_an_id_are_compared_and_not_changed() -> None:
    drafts = [{key: value for key, value in order(5).items() if key != "id"}] * 2
    given = cards(SIGN, with_course(SIGN, example("missed-doses"), drafts))
    assert [each["summary"].partition(":")[0] for each in given] == ["Differs", "Differs"]
    assert not any("suggestions" in each for each in given)


def test_an_order_for_a_patient_without_a_visit_is_not_compared() -> None:
    person = {"resourceType": "Patient", "id": "p"}
    (given,) = cards(SIGN, request(SIGN, "p", [order(5)], prefetch={"patient": person}))
    assert "not compared" in given["summary"]
    assert "mg" not in json.dumps(given)


def test_a_danger_of_the_same_day_is_critical() -> None:
    visit = Visit("2026-01-05", clasi_activity=11, adverse_events=["venous thromboembolism"])
    course = Course([visit], Patient(id="p"))
    assert replay(course)[-1].action is Action.PRESCRIBER_DECIDES
    (given,) = cards(VIEW, with_course(VIEW, course))
    assert given["indicator"] == "critical"
    (ordered,) = cards(SIGN, with_course(SIGN, course, [order(5)]))
    assert ordered["indicator"] == "critical"


def test_what_was_left_out_of_the_record_is_on_the_card() -> None:
    given = prefetched(example("missed-doses"))
    count = {
        "resourceType": "Observation",
        "id": "bad",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "751-8"}]},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2025-09-16",
        "valueQuantity": {"value": 3.2, "unit": "bushels"},
    }
    given["observations"]["entry"].append({"resource": count})
    (made,) = cards(VIEW, request(VIEW, "p", prefetch=given))
    assert "Left out of the record" in made["detail"]
    assert "bushels" in made["detail"]
    assert made["summary"].startswith("2025-09-16: Ask first")
