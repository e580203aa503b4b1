"""Random courses of visits, each valid by the promise to other programs and far enough to matter.

A course is made visit by visit beside the independent reading, so that most visits fall near the
day that was planned, and the others on the days at which the sheet changes its mind.
"""

import datetime as dt
import random
from typing import Any

from tests.support.independent_reading import ADVISED, EVALUATION, SUSPICION, TREATED, Machine

JSON = dict[str, Any]

PROTOCOLS = ("cortes-hernandez-2012", "penn-2012")
PROFILES = ("complete", "complete", "complete", "partial", "none", "worse", "mixed")
STOPPING = (
    "angioedema",
    "anaphylaxis",
    "bullous rash",
    "venous thromboembolism",
    "arterial thromboembolism",
)


class _Story:
    """One patient, told until there is nothing more to plan."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.protocol = self.random.choice(PROTOCOLS)
        self.patient = self._patient(seed)
        self.machine = Machine(self.patient, self.protocol)
        self.profile = self.random.choice(PROFILES)
        self.trouble = self.random.choice((0.0, 0.03, 0.1, 0.25))
        self.cautious = self.random.choice((0.1, 0.1, 0.8))
        self.silent = self.random.choice((0.05, 0.3, 0.8))
        self.date = dt.date(2024, 1, 1) + dt.timedelta(days=self.random.randrange(900))
        self.baseline = self.random.choice((0, 1, 3, 4, 4, 5, 7, 8, 10, 12, 16, 20, 26, 40))

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def harm(self) -> float:
        """Return the share of harms; little of it before a start, or most courses never begin."""
        return self.trouble / (8 if self.machine.phase == "before start" else 1)

    def _patient(self, seed: int) -> JSON:
        patient: JSON = {"id": f"random-{seed}", "age": self.random.randrange(18, 86)}
        able = self.random.choice((True, False, False, None))
        if able is not None:
            patient["able_to_become_pregnant"] = able
            patient["regular_cycles"] = self.random.choice((True, False))
        patient["subtype"] = self.random.choice(("discoid", "subacute"))
        if self.chance(0.7):
            patient["antiphospholipid"] = self.random.choice(("negative", "positive"))
        return patient

    def course(self) -> JSON:
        visits: list[JSON] = []
        for _ in range(self.random.randrange(4, 27)):
            visit = self._visit(first=not visits)
            visits.append(visit)
            window = self.machine.visit(visit)["next_visit"]
            if window is None and self.chance(0.6):
                break
            self.date = self._next_date(window)
        return {"protocol": self.protocol, "patient": self.patient, "visits": visits}

    def _next_date(self, window: JSON | None) -> dt.date:
        if window is None:
            return self.date + dt.timedelta(days=self.random.randrange(1, 90))
        earliest, due, latest = map(dt.date.fromisoformat, window.values())
        draw = self.random.random()
        if self.machine.phase == "interrupted" and draw < 0.35:
            day = self.random.choice((20, 27, 28, 29, 40))
            wanted = self.machine.interrupted_since + dt.timedelta(days=day)
            if wanted > self.date:
                return wanted
        if draw < 0.7:
            wanted = due
        elif draw < 0.78:
            wanted = earliest + dt.timedelta(days=self.random.randrange(0, 8))
        elif draw < 0.84:
            wanted = due - dt.timedelta(days=self.random.randrange(1, 12))
        elif draw < 0.9:
            wanted = latest + dt.timedelta(days=self.random.choice((0, 1, 6, 7, 8, 9)))
        elif draw < 0.97:
            day = self.random.choice((5, 6, 7, 8, 9, 10, 14, 20, 27, 28, 29, 35, 36, 42, 43, 44))
            wanted = self.date + dt.timedelta(days=day)
        else:
            wanted = self.date + dt.timedelta(days=self.random.randrange(40, 220))
        return max(wanted, self.date + dt.timedelta(days=1))

    def _ago(self, days: int) -> str:
        return (self.date - dt.timedelta(days=days)).isoformat()

    def _visit(self, first: bool) -> JSON:
        visit: JSON = {"date": self.date.isoformat()}
        if not self.chance(0.06):
            visit["clasi_activity"] = self.baseline if first else self._score()
            visit["clasi_damage"] = 3
        if self.chance(0.1):
            said = self.random.choice(("improved", "not improved", "worse"))
            visit["judgement"] = {"response": said, "reason": "seen at the visit"}
        self._counts(visit)
        self._tests(visit)
        if not self.chance(0.05):
            visit["adverse_events"] = self._events()
        if not first:
            self._drug(visit)
            if self.machine.phase in TREATED and self.chance(0.012):
                visit["stopped"] = "wish of the patient"
        return visit

    def _score(self) -> int:
        machine, pick = self.machine, self.random.choice
        base = machine.baseline if machine.baseline is not None else self.baseline
        nadir = min([score for when, score in machine.scores if when >= machine.rise] or [base])
        if self.chance(0.12):
            return pick((0, 3, 4, 7, 8, base, base + 1))
        phase = machine.phase
        if phase in ("taper", "off treatment"):
            if self.profile == "complete":
                return pick((0, 0, 0, 0, nadir, nadir + 1))
            return pick((0, 0, nadir, nadir + 1, nadir + 2, nadir + 3, nadir + 4, nadir + 4))
        if phase in ("before start", "discontinued"):
            return pick((self.baseline, self.baseline, self.baseline + 4))
        match self.profile:
            case "complete":
                return pick((0, 0, 0, max(base - 8, 0), 3))
            case "partial":
                return max(pick((base - 4, base - 5, base - 8, base - 9, 3)), 0)
            case "none":
                return max(pick((base, base - 1, base + 1, base - 3)), 0)
            case "worse":
                return pick((nadir + 3, nadir + 4, nadir + 5))
        return pick((0, max(base - 4, 0), max(base - 8, 0), base, nadir + 4, nadir + 3))

    def _dated(self, result: JSON, far: tuple[int, ...]) -> JSON:
        if self.chance(0.2):
            result["date"] = self._ago(self.random.choice(far))
        return result

    def _count(self, name: str) -> JSON:
        pick, draw = self.random.choice, self.random.random()
        neutrophils = name == "neutrophils"
        if draw < self.harm():
            value = pick(("0.4", "0.49", "0.5", "0.9", "0.99") if neutrophils else ("30", "49"))
        elif draw < self.harm() + self.cautious:
            value = pick(("1.0", "1.2", "1.49") if neutrophils else ("50", "60", "74"))
        else:
            value = pick(("1.5", "2.4", "3.1") if neutrophils else ("75", "150", "240"))
        if self.chance(0.05):
            low = self.chance(self.harm())
            sign = pick(("<", "<=")) if low else pick((">", ">="))
            if neutrophils:
                value = ("0.5" if sign == "<" else "0.4") if low else "1.5"
                value = "1.0" if sign == "<" and self.chance(0.5) else value
            else:
                value = ("50" if sign == "<" else "40") if low else "75"
            return {"value": float(value), "unit": "10*9/L", "comparator": sign}
        if self.chance(0.2):
            return {"value": round(float(value) * 1000), "unit": "/uL"}
        return {"value": float(value), "unit": self.random.choice(("10*9/L", "10*3/uL"))}

    def _counts(self, visit: JSON) -> None:
        for name in ("neutrophils", "platelets"):
            if self.chance(0.04):
                continue
            result = self._dated(self._count(name), (0, 1, 3, 6, 7, 8, 28, 29))
            visit[name] = result
            if "date" not in result and self.chance(0.04):
                older = self._count(name) | {"date": self._ago(self.random.randrange(1, 6))}
                visit[name] = [older, result]
        known = self.machine.results.get("creatinine_clearance")
        old = known is None or (self.date - known[0]).days > 150
        if (old and not self.chance(0.06)) or self.chance(0.05):
            usual = self.random.choice((60, 75, 90, 110))
            low = self.random.choice((20, 29.9, 30, 45, 59.9))
            value = low if self.chance(self.harm() * 0.7) else usual
            result = {"value": value, "unit": "mL/min"}
            if self.chance(0.08):
                result |= {"value": 60, "comparator": ">"} if value == usual else {}
            visit["creatinine_clearance"] = self._dated(result, (0, 7, 60, 170, 183, 184, 185))

    def _tests(self, visit: JSON) -> None:
        machine = self.machine
        if self.patient.get("able_to_become_pregnant") is False and not self.chance(0.003):
            return
        days: list[int] = []
        if machine.two_tests(self.date) and machine.phase != "discontinued":
            if not self.chance(0.12):
                days.append(self.random.choice((0, 0, 0, 1, 2)))
            held = [(self.date - test).days for test in machine.negatives]
            if not any(10 <= age <= 14 for age in held) and not self.chance(0.25):
                days.append(self.random.choice((10, 12, 14, 14, 5, 9, 15)))
        elif not self.chance(0.08):
            days.append(self.random.choice((0, 0, 0, 0, 1, 6, 7, 8, 14, 15)))
        days = [day for day in days if self.date - dt.timedelta(days=day) not in machine.negatives]
        tests = [{"result": "negative", "date": self._ago(day)} for day in sorted(days)[::-1]]
        if self.chance(0.006):
            tests = [{"result": "positive", "date": self._ago(0)}]
        if tests:
            visit["pregnancy_tests"] = tests

    def _events(self) -> list[JSON]:
        machine, pick, found = self.machine, self.random.choice, list[JSON]()
        for term in sorted(machine.open_evaluations):
            if self.chance(0.6):
                found.append({"term": term, "resolved": True})
        if machine.suspicion and self.chance(0.6):
            found.append({"term": SUSPICION, "resolved": True})
        if machine.carrying() and self.chance(0.4):
            found.append({"term": "pregnancy", "resolved": True})
        draw = self.random.random()
        able = self.patient.get("able_to_become_pregnant") is not False
        if draw < self.harm():
            kinds: list[JSON] = [
                {"term": "fatigue", "grade": 3, "ctcae": "5.0"},
                {"term": "rash", "grade": pick((2, 3, 3, 4)), "ctcae": "5.0"},
                {"term": "diarrhea", "grade": pick((2, 3, 4)), "ctcae": "5.0"},
                {"term": "peripheral sensory neuropathy", "grade": pick((1, 2)), "ctcae": "5.0"},
                {
                    "term": "alanine aminotransferase increased",
                    "grade": pick((1, 2, 3)),
                    "ctcae": "5.0",
                },
                {"term": "blood bilirubin increased", "grade": pick((1, 2)), "ctcae": "5.0"},
                {"term": "febrile neutropenia"},
                {"term": "systemic lupus flare"},
                {"term": SUSPICION},
            ]
            if able:
                kinds += [{"term": term} for term in sorted(EVALUATION)] * 2
            if self.chance(0.15):
                kinds = [{"term": term} for term in STOPPING]
                kinds += [{"term": "pregnancy"}] if able else []
            event = pick(kinds)
            if event["term"] not in [one["term"] for one in found]:
                found.append(event)
        elif draw < self.harm() + 0.08:
            found.append({"term": pick(("fatigue", "insomnia")), "grade": 2, "ctcae": "5.0"})
        elif draw < self.harm() + 0.16:
            found.append({"term": "insomnia", "grade": 1, "ctcae": "5.0"})
        return found

    def _drug(self, visit: JSON) -> None:
        machine, pick = self.machine, self.random.choice
        before = machine.before
        assert before
        since = (self.date - dt.date.fromisoformat(before["visit"])).days
        if machine.phase in ("titration", "taper"):
            if self.chance(self.silent):
                if before["dosage"] and self.chance(0.2):
                    self._missed(visit, since, before["dosage"]["every_days"])
                return
            draw = self.random.random()
            if draw < 0.85 and (before["dosage"] or self.chance(0.3)):
                dosage = ADVISED[machine.level]
            elif draw < 0.93:
                dosage = pick(ADVISED)
            elif draw < 0.97:
                dosage = pick(({"mg": 2.5, "every_days": 1}, {"mg": 15, "every_days": 1}))
            else:
                dosage = {"mg": 0}
            visit["dosage_taken"] = dict(dosage)
            if dosage["mg"] and self.chance(0.6):
                self._missed(visit, since, dosage["every_days"])
            return
        answered = machine.phase == "interrupted" and machine.too_long is not None
        if self.chance(0.7 if answered else 0.02):
            dosage = pick((*ADVISED, ADVISED[1], {"mg": 2.5, "every_days": 1}))
            visit["dosage_taken"] = dict(dosage)
            if self.chance(0.3):
                self._missed(visit, since, dosage["every_days"])
        elif self.chance(0.3):
            visit["dosage_taken"] = {"mg": 0}

    def _missed(self, visit: JSON, since: int, every: int) -> None:
        doses = since // every
        few = self.random.choice((0, 0, 0, 1, doses // 5, doses // 5 + 1, 6))
        visit["doses_missed"] = min(few, doses)


def random_course(seed: int) -> JSON:
    """Return the course of one seed, the same each time."""
    return _Story(seed).course()
