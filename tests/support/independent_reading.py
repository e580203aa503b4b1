"""A second machine for the protocol sheet, read from its words alone.

It shares nothing with lenadose and is plain: dates, fractions and `if`. Each block names the
section it reads. It was written without sight of the library's engine, so where both agree, the
sheet is what they share.

Where the sheet leaves room, this was read:

 1. An absence begins on the day of the decision without a dosage, or on the later of the latest day
    and day 28 of the prescription (`limit`); its days are `visit - limit`. So 7 days after such a
    decision are 7 missed days, 8 an interruption as of that decision, and "more than 28 days"
    counts from the same day.
 2. Days in a row run on over visits at which no dosage was advised and none reported.
 3. While off the ladder a silent visit means that it goes on, although no dosage was advised; only
    days beyond both the latest day and the 28 days are days without drug.
 4. `doses_missed` where a dosage was advised ends all doubt, however long the silence.
 5. Days missed = doses missed x days between doses, plus days without drug; "more than a fifth of
    an interval's doses" is read in days, of the interval without its extension.
 6. A reported level other than the held one begins interval and time at the level as of the visit
    before; so does leaving the ladder and returning to it, and it is a rise if it is above the last
    level held. A rise that was advised and not taken stays a rise for M and for the blood counts.
 7. A resumption begins the interval anew; the time at the level begins anew only when the level
    differs from the one before ("the clock runs on in an interruption").
 8. A partial or complete response at the visit itself counts for the clock at once: the trial is
    running there.
 9. The ceiling lowered by a harm holds after the decision; `position` shows the one before it.
10. A clearance too old no longer lowers the ceiling; one below 30 does not lower it at all.
11. Every danger from adverse events (not only grade 3) stands until a newer list.
12. `missing` is listed in every phase, the discontinued one too, where pregnancy tests are asked
    for as in an interruption. Events are not listed as missing while a stop or interrupt fact from
    events stands; counts and clearance not while they are dangerous.
13. Pregnancy tests are `absent` when no negative is known at all, `stale` when one is known that
    does not do (too old, from before a missed period, the second not yet taken).
14. Tests from before the first report of an open missed period or bleeding no longer count; one
    of the same day does.
15. The end of a pregnancy ends positive tests dated before the visit that reports it.
16. Neuropathy: before a start the grade is the one at the start, so grade 2 does not interrupt;
    off treatment it is compared with the grade at the last start.
17. Judged `worse` in taper counts at any score above 0; off treatment below 4 the judgement falls
    away and the score decides.
18. In the phase discontinued nothing is `worse` by score.
19. "Without drug for more than 28 days" (tests anew) counts from the last drug known to be taken,
    also drug that was not advised; the timing of an interruption does not. Where both tests cannot
    be done by the last day of simple resumption, that day bounds nothing.
20. After a resumption by the prescriber that followed more than 28 days without drug, the weekly
    tests count from that resumption.
21. A `remain-interrupted` in between ends the question of `interruption-too-long`; a request does
    not.
22. "Within 7 days" by drug not advised or same-day assessment goes before every other date, the
    pregnancy tests' dates too; the last day of simple resumption bounds it further.
23. "Misses pregnancy tests" is: they are in `missing`, whatever else was asked.
24. The day that ends pregnancy prevention is planned with the usual 7 days after it, and only
    while it lies ahead.
25. "Interrupt-for-harm" is tagged adapted in the table, yet rows of harm are "assumed as a whole":
    assumed.
26. A second count of one day replaces the first; a tie within a list goes to the later entry.
27. Penn: 6 weeks is its one interval (first assessment, review and taper step); partial is a fall
    of 8 points and nothing else; `start` with acceptable safety is stated, the rows of its taper
    are assumed.
28. `stopped` decides before safety; what is dangerous at that visit still prints and hastens.
"""

import calendar
import datetime as dt
from fractions import Fraction
from typing import Any

JSON = dict[str, Any]

# Section 2, ladder. Rungs by mean dose, lowest first; the start is the middle one.
LADDER = ((Fraction(5), 2), (Fraction(5), 1), (Fraction(10), 1))
STARTING = 1
ADVISED = ({"mg": 5, "every_days": 2}, {"mg": 5, "every_days": 1}, {"mg": 10, "every_days": 1})
SURVEILLANCE = (("w", 2), ("w", 4), ("w", 8), ("m", 3), ("m", 6), ("m", 9), ("m", 12))

# Section 4, safety: terms that stop for good, and terms that interrupt without a grade.
STOP_TERMS = {
    "angioedema",
    "anaphylaxis",
    "stevens-johnson syndrome",
    "toxic epidermal necrolysis",
    "drug reaction with eosinophilia and systemic symptoms",
    "bullous rash",
    "exfoliative rash",
    "venous thromboembolism",
    "arterial thromboembolism",
}
EVALUATION = {"missed period", "abnormal vaginal bleeding"}
SUSPICION = "suspected thromboembolism"
LIVER = {
    "alanine aminotransferase increased",
    "aspartate aminotransferase increased",
    "blood bilirubin increased",
}
NEUROPATHY = "peripheral sensory neuropathy"
TREATED = {"titration", "taper", "interrupted"}
OK = {"caution", "acceptable"}
PER_UL = {"/uL", "/mm3", "cells/uL", "cells/mm3"}


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def days(number: Any) -> dt.timedelta:
    return dt.timedelta(days=int(number))


def add_months(date: dt.date, months: int) -> dt.date:
    """Section 2: one addition, forward to a real date."""
    year, month = divmod(date.year * 12 + date.month - 1 + months, 12)
    return dt.date(year, month + 1, min(date.day, calendar.monthrange(year, month + 1)[1]))


def below(result: JSON, limit: str, if_open: bool = False) -> bool:
    """Section 3, bounds: whether a result lies below a limit."""
    value, edge = Fraction(str(result["value"])), Fraction(limit)
    if result["unit"] in PER_UL:
        value /= 1000
    match result.get("comparator"):
        case None:
            return value < edge
        case "<" if value <= edge:
            return True
        case "<=" if value < edge:
            return True
        case ">" | ">=" if value >= edge:
            return False
    return if_open


class Machine:
    """Section 3: the state follows the patient."""

    def __init__(self, patient: JSON, protocol: str):
        self.able = patient.get("able_to_become_pregnant") is not False
        self.regular = patient.get("regular_cycles") is True
        self.penn = protocol == "penn-2012"
        self.phase = "before start"
        self.level = STARTING
        self.off_ladder: tuple[Fraction, int] | None = None
        self.harm_ceiling = len(LADDER) - 1
        self.before: JSON | None = None  # the decision at the visit before
        self.results: dict[str, tuple[dt.date, JSON]] = {}
        self.scores: list[tuple[dt.date, int]] = []
        self.negatives: set[dt.date] = set()
        self.positives: set[dt.date] = set()
        self.pregnant = False
        self.ended = dt.date.min
        self.stops: set[str] = set()
        self.open_evaluations: dict[str, dt.date] = {}
        self.tests_from: dt.date | None = None
        self.suspicion = False
        self.events: list[JSON] = []
        self.neuropathy_at_start = 0
        self.baseline: int | None = None
        self.rise = self.anchor = self.level_since = self.clock = dt.date.min
        self.counts_from: dt.date | None = None
        self.tests_begin = self.last_drug = dt.date.min
        self.missed = Fraction(0)
        self.row_begin: dt.date | None = None  # first day of a row of days without drug
        self.interrupted_since = dt.date.min
        self.too_long: dt.date | None = None
        self.finished = self.prevention_ends = dt.date.min

    # Section 3, what the patient took -------------------------------------------------------

    def interrupt(self, since: dt.date) -> None:
        self.phase, self.interrupted_since = "interrupted", since
        self.off_ladder, self.row_begin, self.missed = None, None, Fraction(0)
        self.too_long = None

    def move(self, level: int, since: dt.date) -> None:
        """Another level than the one held, as of the visit before."""
        if level > self.level:
            self.rise = self.counts_from = since
        self.level, self.off_ladder = level, None
        self.begin_interval(since)
        self.level_since = since

    def begin_interval(self, date: dt.date) -> None:
        self.anchor, self.missed = date, Fraction(0)

    def every(self) -> int:
        return self.off_ladder[1] if self.off_ladder else LADDER[self.level][1]

    def taken(self, visit: JSON, date: dt.date) -> bool:
        """Bring the state up to what was taken; return whether drug was taken unadvised."""
        if self.before is None:
            return False
        since = day(self.before["visit"])
        dosage, missed = visit.get("dosage_taken"), visit.get("doses_missed")
        amount = Fraction(str(dosage["mg"])) if dosage else Fraction(0)
        form = (amount, dosage.get("every_days", 1)) if dosage else None
        if self.phase not in ("titration", "taper"):
            if amount == 0:
                return False
            # Section 3: the prescriber has decided.
            ceiling = self.ceiling(date)
            if self.phase == "interrupted" and self.too_long and form in LADDER and ceiling >= 0:
                assert form
                again, level = self.too_long, LADDER.index(form)
                if (again - self.last_drug).days > 28:
                    self.tests_begin = again
                if level != self.level:
                    self.move(level, again)
                self.phase, self.too_long, self.counts_from = "titration", None, again
                self.begin_interval(again)
                self.missed = Fraction((missed or 0) * self.every())
                self.last_drug = date
                return False
            self.last_drug = date
            if self.phase == "discontinued":
                self.prevention_ends = date + days(28)
            return True
        if dosage is not None and amount == 0:
            self.interrupt(since)
            return False
        if form in LADDER:
            if self.off_ladder or LADDER.index(form) != self.level:
                self.move(LADDER.index(form), since)
            self.row_begin = None
        elif form is not None:
            if form != self.off_ladder:
                self.off_ladder = form
                self.begin_interval(since)
                self.level_since = since
            self.row_begin = None
        elif missed is None or self.before["dosage"] is None:
            self.silence(since, date)
            return False
        else:
            self.row_begin = None
        self.missed += Fraction((missed or 0) * self.every())
        self.last_drug = date
        return False

    def silence(self, since: dt.date, date: dt.date) -> None:
        """Section 2, days without drug."""
        assert self.before
        limit = since
        if self.before["dosage"] is not None or self.off_ladder:
            window = self.before["next_visit"]
            latest = day(window["latest"]) if window else since
            limit = max(latest, since + days(28))
            self.row_begin, self.last_drug = None, min(limit, date)
        if date <= limit:
            return
        begin = self.row_begin or limit
        if (date - begin).days > 7:
            self.interrupt(begin)
        else:
            self.row_begin = begin
            self.missed += (date - limit).days

    # Section 3, results and events ----------------------------------------------------------

    def learn(self, visit: JSON, date: dt.date) -> bool:
        """Keep what the visit shows; return whether a stop fact is new."""
        known = set(self.stops) | ({"pregnancy"} if self.carrying() else set())
        for name in ("neutrophils", "platelets", "creatinine_clearance"):
            given = visit.get(name)
            for result in given if isinstance(given, list) else [given] if given else []:
                taken = day(result["date"]) if result.get("date") else date
                if name not in self.results or taken >= self.results[name][0]:
                    self.results[name] = (taken, result)
        if visit.get("clasi_activity") is not None:
            self.scores.append((date, visit["clasi_activity"]))
        events = visit.get("adverse_events")
        listed = [dict(event, term=self.fold(event["term"])) for event in events or []]
        for event in listed:
            term, over = event["term"], event.get("resolved") is True
            grade = event.get("grade") or 0
            if term == "pregnancy":
                self.pregnant = not over
                if over:
                    self.ended = date
                    self.positives = {test for test in self.positives if test >= date}
            elif term in EVALUATION:
                if over:
                    self.open_evaluations.pop(term, None)
                elif term not in self.open_evaluations:
                    self.open_evaluations[term] = date
                    self.tests_from = date
            elif term == SUSPICION:
                self.suspicion = not over
            elif term in STOP_TERMS:
                self.stops.add(term)
            if grade >= 4:
                self.stops.add(f"{term} of grade 4")
        for test in visit.get("pregnancy_tests") or []:
            taken = day(test["date"]) if test.get("date") else date
            if test["result"] == "negative":
                self.negatives.add(taken)
            elif taken >= self.ended:
                self.positives.add(taken)
        if events is not None:
            self.events = listed
        now = self.stops | ({"pregnancy"} if self.carrying() else set())
        return bool(now - known)

    @staticmethod
    def fold(term: str) -> str:
        return " ".join(term.casefold().split())

    def carrying(self) -> bool:
        return self.pregnant or bool(self.positives)

    def grade(self, term: str) -> int:
        return max([e.get("grade") or 0 for e in self.events if e["term"] == term], default=0)

    # Section 4, safety ----------------------------------------------------------------------

    def low(self, name: str, limit: str, if_open: bool = False) -> bool:
        return name in self.results and below(self.results[name][1], limit, if_open)

    def count_danger(self, name: str) -> bool:
        return self.low(name, "1" if name == "neutrophils" else "50")

    def event_danger(self) -> bool:
        """An event that interrupts: no evaluation, no suspicion, no clearance."""
        neuropathy = self.grade(NEUROPATHY)
        return (
            any((event.get("grade") or 0) >= 3 for event in self.events)
            or any(event["term"] == "febrile neutropenia" for event in self.events)
            or any(self.grade(term) >= 2 for term in LIVER)
            or (
                self.phase != "before start"
                and neuropathy >= 2
                and neuropathy > self.neuropathy_at_start
            )
            or any(event["term"] == "systemic lupus flare" for event in self.events)
        )

    def harm(self) -> bool:
        counts = self.count_danger("neutrophils") or self.count_danger("platelets")
        return counts or self.event_danger()

    def stale(self, name: str, date: dt.date) -> bool:
        taken = self.results[name][0]
        if name == "creatinine_clearance":
            return date > add_months(taken, 6)
        soon = self.counts_from is not None and (date - self.counts_from).days <= 56
        return (date - taken).days > (7 if soon else 28)

    def two_tests(self, date: dt.date) -> bool:
        """Section 4: whether the calendar asks for the two tests of a start."""
        if self.phase in ("before start", "off treatment"):
            return True
        return self.phase == "interrupted" and (date - self.last_drug).days > 28

    def counted_tests(self, date: dt.date) -> list[dt.date]:
        start = self.tests_from or dt.date.min
        return sorted(test for test in self.negatives if start <= test <= date)

    def tests_do(self, date: dt.date) -> bool:
        tests = self.counted_tests(date)
        ages = [(date - test).days for test in tests]
        if self.two_tests(date):
            return any(10 <= age <= 14 for age in ages) and any(age <= 1 for age in ages)
        weekly = (date - self.tests_begin).days <= 28
        limit = 7 if weekly else 28 if self.regular else 14
        return bool(ages) and ages[-1] <= limit

    def missing(self, visit: JSON, date: dt.date) -> list[JSON]:
        """Section 3: what is missing or too old; a standing danger is known."""
        found = []
        standing = (
            self.event_danger()
            or bool(self.open_evaluations)
            or self.suspicion
            or bool(self.stops)
            or self.pregnant
        )
        if visit.get("adverse_events") is None and not standing:
            found.append(("adverse_events", "absent"))
        if self.able and not self.carrying() and not self.tests_do(date):
            found.append(("pregnancy_tests", "stale" if self.negatives else "absent"))
        for name in ("neutrophils", "platelets", "creatinine_clearance"):
            dangerous = (
                self.low(name, "30") if name == "creatinine_clearance" else self.count_danger(name)
            )
            if name not in self.results:
                found.append((name, "absent"))
            elif self.stale(name, date) and not dangerous:
                found.append((name, "stale"))
        return [{"field": field, "why": why} for field, why in found]

    def safety(self, missing: list[JSON]) -> str:
        if self.carrying() or self.stops:
            return "stop"
        if (
            self.harm()
            or self.open_evaluations
            or self.suspicion
            or self.low("creatinine_clearance", "30")
        ):
            return "interrupt"
        if missing:
            return "not assessed"
        if (
            self.low("neutrophils", "1.5")
            or self.low("platelets", "75")
            or any(event.get("grade") == 2 for event in self.events)
        ):
            return "caution"
        return "acceptable"

    # Section 4, response, ceiling, timing ---------------------------------------------------

    def response(self, visit: JSON) -> str:
        score = visit.get("clasi_activity")
        judged = (visit.get("judgement") or {}).get("response")
        said = {"improved": "partial", "not improved": "none", "worse": "worse"}.get(judged)
        needs_score = self.phase in ("taper", "off treatment")
        if score is None:
            if said is None or self.phase == "before start" or (needs_score and said == "worse"):
                return "not assessed"
            return said
        if score == 0:
            return "complete"
        if self.phase == "before start" and score < 4:
            return "mild"
        if said and not (self.phase == "off treatment" and said == "worse" and score < 4):
            return said
        base = score if self.baseline is None or self.phase == "before start" else self.baseline
        nadir = min([a for when, a in self.scores if when >= self.rise] or [score])
        up = score - nadir
        if self.phase in ("titration", "interrupted") and up >= 4 and 2 * up >= base - nadir:
            return "worse"
        if needs_score and (up >= 4 or (score >= base and score >= 4)):
            return "worse"
        fall = base - score
        if self.penn:
            return "partial" if fall >= 8 else "none"
        if (fall >= 4 and 5 * fall >= base) or score < 4:
            return "partial"
        return "none"

    def ceiling(self, date: dt.date) -> int:
        kidney = len(LADDER) - 1
        name = "creatinine_clearance"
        known = name in self.results and not self.stale(name, date)
        if known and self.low(name, "60") and not self.low(name, "30"):
            kidney = 1
        return min(self.harm_ceiling, kidney)

    def interval(self) -> tuple[str, int]:
        """Section 2, section 7."""
        if self.penn:
            return ("w", 6)
        return ("m", 1) if self.phase == "taper" else ("w", 4)

    def due(self) -> dt.date:
        end = later(self.anchor, self.interval())
        if self.missed * 5 > (end - self.anchor).days:
            end += days(-(-self.missed // 1))
        return end

    def situation(self, visit: JSON, date: dt.date, missing: list[JSON]) -> JSON:
        ceiling = self.ceiling(date)
        facts = {
            "phase": self.phase,
            "response": self.response(visit),
            "safety": self.safety(missing),
            "timing": "due",
            "trial": "running",
            "position": "none",
        }
        if self.phase not in TREATED:
            return facts
        if facts["response"] in ("partial", "complete"):
            self.clock = date
        exhausted = max(self.clock + days(84), self.level_since + days(56))
        facts["trial"] = "exhausted" if date >= exhausted else "running"
        level = self.level
        if self.phase == "interrupted":
            facts["timing"] = "due" if (date - self.interrupted_since).days > 28 else "before due"
            level = min(level, ceiling)
        else:
            facts["timing"] = "due" if date >= self.due() else "before due"
        if self.off_ladder:
            facts["position"] = "off ladder"
        elif level > ceiling:
            facts["position"] = "above ceiling"
        elif level < 0:
            facts["position"] = "none"
        elif level == 0:
            facts["position"] = "only" if ceiling == 0 else "lowest"
        else:
            facts["position"] = "highest" if level == ceiling else "middle"
        return facts

    # Sections 4 and 5, what follows ---------------------------------------------------------

    def visit(self, visit: JSON) -> JSON:
        date = day(visit["date"])
        unadvised = self.taken(visit, date)
        new_stop = self.learn(visit, date)
        if visit.get("stopped"):
            self.phase, self.prevention_ends = "discontinued", date + days(28)
            self.off_ladder = None
        missing = self.missing(visit, date)
        facts = self.situation(visit, date, missing)
        safety = facts["safety"]
        rule, action, tag = table(facts, self.penn)
        same_day = (
            new_stop
            or self.low("neutrophils", "0.5", if_open=self.low("neutrophils", "1"))
            or any(event["term"] == "febrile neutropenia" for event in self.events)
            or self.suspicion
        )
        if facts["response"] == "not assessed":
            missing = [*missing, {"field": "clasi_activity", "why": "absent"}]
        two_tests = self.two_tests(date)
        asked = any(item["field"] == "pregnancy_tests" for item in missing)

        # Section 4, ceiling: a harm at a level lowers it for good.
        if rule in ("interrupt-for-harm", "remain-interrupted") and self.harm():
            self.harm_ceiling = min(self.harm_ceiling, self.level - 1)

        ceiling = self.ceiling(date)
        self.follow(rule, action, visit, date, facts)

        # Section 5, dosage until the next visit.
        treated = self.phase in ("titration", "taper")
        dosage = ADVISED[self.level] if treated and not self.off_ladder else None
        if action in ("request-data", "prescriber-decides") and (
            safety not in OK or self.level > ceiling
        ):
            dosage = None

        # Section 5, next visit.
        week = (date + days(1), date + days(7), date + days(7))
        window: tuple[dt.date, dt.date, dt.date] | None
        if action == "request-data" and asked and two_tests:
            fresh = [t for t in self.counted_tests(date) if (date - t).days < 14]
            first = fresh[0] if fresh else date
            last = first + days(14)
            window = (max(first + days(10), date + days(1)), last, last)
        elif (
            action in ("interrupt", "request-data", "prescriber-decides")
            or rule == "stop-for-harm"
            or (treated and safety == "caution")
        ):
            window = week
        elif treated:
            window = on(self.due())
        elif self.phase == "off treatment":
            ahead = [d for d in (later(self.finished, s) for s in SURVEILLANCE) if d > date]
            window = on(ahead[0]) if ahead else None
        elif self.phase == "discontinued":
            window = on(self.prevention_ends) if self.prevention_ends > date else None
        else:
            window = None
        if same_day or unadvised:
            window = week
        if self.phase == "interrupted" and window:
            last = self.interrupted_since + days(28)
            if last >= window[0]:
                window = (window[0], min(window[1], last), min(window[2], last))
        self.before = {
            "visit": visit["date"],
            "action": action,
            "rule": rule,
            "dosage": dosage,
            "next_visit": window
            and dict(zip(("earliest", "due", "latest"), map(str, window), strict=True)),
            "facts": {name: word.replace(" ", "-") for name, word in facts.items()},
            "phase_after": self.phase.replace(" ", "-"),
            "missing": missing,
            "tag": tag,
            "same_day": same_day,
            "ceiling": ADVISED[ceiling] if ceiling >= 0 else None,
        }
        return self.before

    def follow(self, rule: str, action: str, visit: JSON, date: dt.date, facts: JSON) -> None:
        """Section 5, phase after, and what the next interval runs from."""
        ceiling = self.ceiling(date)
        if action == "start":
            self.phase, self.level = "titration", min(STARTING, ceiling)
            self.neuropathy_at_start = self.grade(NEUROPATHY)
            self.tests_begin = self.last_drug = date
            self.off_ladder, self.row_begin = None, None
        elif action == "resume":
            level = min(self.level, ceiling)
            if level != self.level:
                self.level_since = date
            self.phase, self.level, self.counts_from = "titration", level, date
            self.begin_interval(date)
        elif action == "escalate":
            self.move(self.level + 1, date)
            if rule == "relapse-in-taper":
                self.phase = "titration"
        elif action == "reduce":
            self.move(ceiling if rule == "lower-to-ceiling" else self.level - 1, date)
            if rule in ("begin-taper", "taper-step"):
                self.phase = "taper"
        elif action == "finish":
            self.phase, self.finished = "off treatment", date
        elif action == "interrupt" and self.phase != "interrupted":
            self.interrupt(date)
        elif action == "discontinue":
            self.phase, self.prevention_ends = "discontinued", date + days(28)
            self.off_ladder = None
        elif action == "continue" and facts["timing"] == "due":
            self.begin_interval(date)
        if action == "start" or rule == "relapse-in-taper":
            self.baseline = visit.get("clasi_activity")
            self.rise = self.counts_from = self.clock = date
        if action == "start":
            self.begin_interval(date)
            self.level_since = date
        if rule == "interruption-too-long":
            self.too_long = date
        elif rule != "ask-before-resuming":
            self.too_long = None


def later(date: dt.date, interval: tuple[str, int]) -> dt.date:
    kind, number = interval
    return date + days(7 * number) if kind == "w" else add_months(date, number)


def on(due: dt.date) -> tuple[dt.date, dt.date, dt.date]:
    return (due, due, due + days(7))


def table(facts: JSON, penn: bool) -> tuple[str, str, str]:
    """Section 5: the one row that applies, its action, and the tag of its case."""
    phase, response, safety = facts["phase"], facts["response"], facts["safety"]
    position, due = facts["position"], facts["timing"] == "due"
    ok, good = safety in OK, safety == "acceptable"
    top, bottom = position in ("highest", "only"), position in ("lowest", "only")
    exhausted = facts["trial"] == "exhausted"
    ask, prescriber = "request-data", "prescriber-decides"
    assumed, adapted = "assumed", "adapted"
    if phase == "discontinued":
        return "ended", "observe", assumed
    if phase == "before start":
        if safety in ("stop", "interrupt"):
            return "unfit-to-start", prescriber, assumed
        if response == "mild":
            return "too-mild-to-start", prescriber, assumed
        if safety == "not assessed" or response == "not assessed":
            return "ask-before-start", ask, assumed
        if response == "complete":
            return "nothing-to-treat", "observe", assumed
        return "start", "start", "stated" if good else assumed
    if phase == "off treatment":
        if response == "not assessed":
            return "ask-before-restart", ask, assumed
        if response != "worse":
            return "surveillance", "observe", adapted
        if safety == "not assessed":
            return "ask-before-restart", ask, assumed
        if not ok:
            return "unfit-to-restart", prescriber, assumed
        return "relapse-off-drug", "start", assumed
    if safety == "stop":
        return "stop-for-harm", "discontinue", assumed
    if phase == "interrupted":
        if safety == "interrupt":
            return "remain-interrupted", "interrupt", assumed
        if safety == "not assessed":
            return "ask-before-resuming", ask, assumed
        if due:
            return "interruption-too-long", prescriber, assumed
        if position == "none":
            return "no-level-left", "discontinue", assumed
        return "resume", "resume", adapted
    if safety == "interrupt":
        return "interrupt-for-harm", "interrupt", assumed
    if safety == "not assessed":
        return "ask-safety", ask, assumed
    if position == "off ladder":
        return "dosage-off-ladder", prescriber, assumed
    if position == "above ceiling":
        return "lower-to-ceiling", "reduce", adapted
    reducible = ("complete", "partial") if penn else ("complete",)
    if phase == "titration":
        if not due:
            return "await-assessment", "continue", assumed
        if response == "not assessed":
            return "ask-response", ask, assumed
    else:
        if response == "not assessed":
            return "ask-relapse", ask, assumed
        if response == "worse":
            if good and not top:
                return "relapse-in-taper", "escalate", assumed
            return "relapse-not-to-raise", prescriber, assumed
        if not due:
            if penn:
                return "await-review", "continue", assumed
            stated = good and response == "complete"
            return "await-month", "continue", "stated" if stated else assumed
    if response == "complete" and bottom:
        return "taper-end", "finish", assumed
    if response in reducible and not bottom:
        if phase == "taper":
            return "taper-step", "reduce", "stated" if good and not penn else assumed
        stated = good and position == "middle" and not penn
        return "begin-taper", "reduce", "stated" if stated else assumed
    if response == "partial" and penn:
        return "maintain", "continue", assumed
    if phase == "taper":
        return "pause-taper", "continue", assumed
    if response == "partial":
        return "sustain", "continue", assumed
    if response == "worse":
        if good and not top:
            return "escalate", "escalate", assumed
        return "loss-not-to-raise", prescriber, assumed
    if top:
        if exhausted:
            return "no-benefit", "discontinue", assumed
        return "persist", "continue", adapted
    if good:
        return "escalate", "escalate", assumed
    if exhausted:
        return "no-benefit-not-to-raise", prescriber, assumed
    return "escalation-waits", "continue", assumed


def decide(course: JSON, protocol: str) -> list[JSON]:
    """Return the decision at every visit of a course."""
    machine = Machine(course.get("patient") or {}, protocol)
    return [machine.visit(visit) for visit in course["visits"]]
