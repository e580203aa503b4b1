"""The rules as a user would write them for one patient, visit after visit, with plain numbers; see cohort_peers.

`by_pandas` does all that `decide` does with the same frame: it reads and checks every cell of a row and gives the same
columns in words. `by_pandas_numbers` is given clean numbers and gives numbers: nothing is read, checked or said.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from itertools import chain
from math import isnan
from typing import Any, NamedTuple

from cohort_peers import NEVER, OUTPUTS, SHOWN, Numbers, rule_finder
from dateutil.relativedelta import relativedelta

from lenadose.cohort.results import RESULTS
from lenadose.engine.observe import MissingReason
from lenadose.record.visit import ACTIVITY
from lenadose.terms.disclaimer import NOT_A_DEVICE
from lenadose.terms.facts import (
    DIMENSIONS,
    Action,
    Phase,
    Position,
    Response,
    Safety,
    Timing,
    TherapeuticTrial,
)
from lenadose.terms.units import CREATININE_CLEARANCE, NEUTROPHILS, PLATELETS

EPOCH = dt.date(1970, 1, 1)


def later(day: int, months: int) -> int:
    """Add calendar months to days since 1970."""
    return ((EPOCH + dt.timedelta(day)) + relativedelta(months=months) - EPOCH).days


def row_by_row(numbers: Numbers) -> Callable[[Any], Iterator[tuple[int, ...]]]:
    """Give the function that decides on the visits of one patient in turn."""
    protocol, days, find, actions = (
        numbers.protocol,
        numbers.days,
        rule_finder(numbers),
        numbers.actions,
    )
    safe, skin, spans, ladder = (
        protocol.safety,
        protocol.response,
        protocol.intervals,
        protocol.ladder,
    )
    n_stop, n_low = (
        float(safe.neutrophils.interrupt_below.value),
        float(safe.neutrophils.caution_below.value),
    )
    p_stop, p_low = (
        float(safe.platelets.interrupt_below.value),
        float(safe.platelets.caution_below.value),
    )
    k_stop, k_low = (
        float(safe.clearance_interrupt_below.value),
        float(safe.clearance_lowers_below.value),
    )
    k_level, k_months = safe.clearance_ceiling.value.rank, safe.clearance_age.value.count
    early_days, age_early, age_usual = (
        days("safety", each) for each in ("counts_early", "counts_age_early", "counts_age")
    )
    first_days, review_days, soon_days, stop_days, late_days, pause_days, trial_days, level_days = (
        days("intervals", each)
        for each in (
            *(
                "first_assessment",
                "review",
                "soon",
                "after_discontinuation",
                "late_after",
                "resumable",
                "trial",
            ),
            "trial_at_level",
        )
    )
    step_months, share = spans.taper_step.value.count, spans.missed_share.value
    share_n, share_d = share.numerator, share.denominator
    w_points, w_n, w_d = (
        skin.worse_points.value,
        skin.worse_share.value.numerator,
        skin.worse_share.value.denominator,
    )
    p_points, q_n, q_d = (
        skin.partial_points.value,
        skin.partial_share.value.numerator,
        skin.partial_share.value.denominator,
    )
    low_start, l_n, l_d = (
        skin.low_start.value,
        skin.low_share.value.numerator,
        skin.low_share.value.denominator,
    )
    complete_at, begin_level, top = skin.complete_at.value, ladder.start.rank, ladder.top.rank
    watch = [
        (each.count if each.days is None else None, each.days) for each in spans.surveillance.value
    ]
    start_, continue_, escalate_, reduce_, finish_ = (
        each.rank
        for each in (Action.START, Action.CONTINUE, Action.ESCALATE, Action.REDUCE, Action.FINISH)
    )
    interrupt_, resume_, stop_, asks_ = (
        Action.INTERRUPT.rank,
        Action.RESUME.rank,
        Action.DISCONTINUE.rank,
        (Action.REQUEST_DATA.rank, Action.PRESCRIBER_DECIDES.rank),
    )
    titration, taper, paused_, off_, ended = (
        each.rank
        for each in (
            Phase.TITRATION,
            Phase.TAPER,
            Phase.INTERRUPTED,
            Phase.OFF_TREATMENT,
            Phase.DISCONTINUED,
        )
    )
    complete, partial, none, worse, unseen = (each.rank for each in Response)
    _, danger, unknown, caution, acceptable = (each.rank for each in Safety)
    lowest_, middle_, highest_, only_, above_, _, no_level = (each.rank for each in Position)
    before_due, due_ = (each.rank for each in Timing)
    running, exhausted = (each.rank for each in TherapeuticTrial)

    def decide(visits: Any) -> Iterator[tuple[int, ...]]:
        phase, ceiling, level, since, begun, watched, reviewed, lost = 0, top, -1, 0, 0, 0, False, 0
        nadir, start, gain, paused, finished, advised, last = 99, -1, 0, 0, 0, -1, 0
        n = p = k = float("nan")
        n_on = p_on = k_on = 0
        for visit in visits:
            day, score = visit.day, visit.score
            treated, waiting = phase in (titration, taper), phase == paused_
            if treated and advised < 0:
                lost += day - last
            if not isnan(visit.n):
                n, n_on = visit.n, day
            if not isnan(visit.p):
                p, p_on = visit.p, day
            if not isnan(visit.k):
                k, k_on = visit.k, day
            allowed = min(ceiling, k_level) if k < k_low else ceiling
            if 0 <= score < nadir:
                nadir = score
            if score < 0:
                response = unseen
            elif score <= complete_at:
                response = complete
            elif start < 0:
                response = none
            else:
                rise, fall = score - nadir, start - score
                if phase == titration or waiting:
                    lost_it = rise >= w_points and rise * w_d >= (start - nadir) * w_n
                else:
                    lost_it = rise >= w_points or score >= start
                if lost_it:
                    response = worse
                elif start < low_start:
                    response = partial if fall * l_d >= start * l_n else none
                else:
                    response = partial if fall >= p_points and fall * q_d >= start * q_n else none
            age = age_early if watched and day <= watched + early_days else age_usual
            no_n = 1 if isnan(n) else 2 if day > n_on + age and n >= n_stop else 0
            no_p = 1 if isnan(p) else 2 if day > p_on + age and p >= p_stop else 0
            no_k = (
                1
                if isnan(k)
                else 2
                if k >= k_stop and day > k_on and day > later(k_on, k_months)
                else 0
            )
            not_asked = 0 if visit.asked else 1
            if n < n_stop or p < p_stop or k < k_stop:
                safety = danger
            elif not_asked or no_n or no_p or no_k:
                safety = unknown
            else:
                safety = caution if n < n_low or p < p_low else acceptable
            timing, trial, position, end = due_, running, no_level, begun
            if treated or waiting:
                if response <= partial:
                    gain = day
                if waiting:
                    timing = due_ if paused and day > paused + pause_days else before_due
                    held = min(level, allowed)
                else:
                    end = (
                        later(begun, step_months)
                        if phase == taper
                        else begun + (review_days if reviewed else first_days)
                    )
                    if lost * share_d > (end - begun) * share_n:
                        end += lost
                    timing = due_ if day >= end else before_due
                    held = level
                if gain + trial_days <= day and since + level_days <= day:
                    trial = exhausted
                if held < 0:
                    position = no_level
                elif allowed < 0 or held > allowed:
                    position = above_
                elif held == allowed:
                    position = highest_ if held else only_
                else:
                    position = middle_ if held else lowest_
            rule = find(phase, response, safety, timing, trial, position)
            action = actions[rule]
            asks = action in asks_
            new = -1
            if action == start_:
                new = min(allowed, begin_level)
            elif action == continue_ or (
                asks and treated and safety >= caution and position <= only_
            ):
                new = level
            elif action == escalate_:
                new = min(level + 1, top)
            elif action == reduce_:
                new = min(level - 1, allowed)
            elif action == resume_:
                new = min(level, allowed)
            after = phase
            if action in (start_, resume_, escalate_):
                after = titration if new >= 0 else phase
            elif action == reduce_ and position != above_:
                after = taper if new >= 0 else phase
            elif level >= 0 and action in (finish_, interrupt_, stop_):
                after = off_ if action == finish_ else paused_ if action == interrupt_ else ended
            on = after in (titration, taper)
            due = NEVER
            if action == interrupt_ or asks or (on and safety == caution):
                earliest, due, latest = day + 1, day + soon_days, day + soon_days
            else:
                if on:
                    if action == continue_ and timing == before_due:
                        due = end
                    elif after == taper:
                        due = later(day, step_months)
                    else:
                        due = day + (review_days if action == continue_ else first_days)
                elif action == stop_:
                    due = day + stop_days
                elif after == off_:
                    for months, span in watch:
                        found = (
                            (finished or day) + span
                            if months is None
                            else later(finished or day, months)
                        )
                        if found > day:
                            due = found
                            break
                earliest, latest = due, NEVER if due == NEVER else due + late_days
            told = (
                rule,
                action,
                new,
                earliest,
                due,
                latest,
                phase,
                response,
                safety,
                timing,
                trial,
                position,
                after,
            )
            yield (*told, not_asked, no_n, no_p, no_k, 1 if score < 0 else 0)
            if new >= 0 and not asks:
                if action == start_:
                    start, gain, finished = score, day, 0
                if action != continue_:
                    if action == start_ or new != level:
                        since = day
                    if action != reduce_:
                        watched = day
                    begun, reviewed, lost, level = day, False, 0, new
                elif timing == due_:
                    begun, reviewed, lost = day, True, 0
                if action in (start_, escalate_):
                    nadir = 99 if score < 0 else score
                paused = 0
            elif level >= 0 and after == paused_:
                if phase != paused_:
                    paused, reviewed, lost = day, False, 0
                if n < n_stop or p < p_stop:
                    ceiling = min(ceiling, level - 1)
            elif after == off_ and phase != off_:
                finished = day
            phase, advised, last = after, new, day

    return decide


def by_pandas_numbers(numbers: Numbers, visits: Any) -> dict[str, Any]:
    """Decide on all visits of a frame of numbers: groupby.apply, and in each group row by row."""
    import pandas as pd

    decide = row_by_row(numbers)

    def of_patient(group: Any) -> Any:
        return pd.DataFrame(list(decide(group.itertuples())), columns=OUTPUTS, index=group.index)

    whole = visits.groupby("patient", sort=False, group_keys=False)[list(SHOWN)].apply(of_patient)
    return {name: whole[name].to_numpy() for name in OUTPUTS}


# The same with all that `decide` does besides


class Visit(NamedTuple):
    """A row that was read."""

    day: int
    score: int
    asked: bool
    n: float
    p: float
    k: float


class Unreadable(Exception):
    """A row that cannot be read, with its reason."""


def reader() -> Callable[[Any, int], Visit]:
    """Give the function that reads a row after a visit on another day, and refuses what no record can hold."""
    quantities = {
        each.name: (
            {unit: float(1 / factor) for unit, factor in each.factors.items()},
            float(each.largest),
        )
        for each in (NEUTROPHILS, PLATELETS, CREATININE_CLEARANCE)
    }

    def result(name: str, value: Any, unit: Any) -> float:
        if isnan(value):
            return value
        divisors, largest = quantities[name]
        if not isinstance(unit, str):
            raise Unreadable(
                f"{name}_unit: is missing: a bare number, {value}; give {' or '.join(divisors)}"
            )
        if unit not in divisors:
            raise Unreadable(
                f"{name}: {unit!r} is not a unit accepted here; give {' or '.join(divisors)}"
            )
        found = value / divisors[unit]
        if not 0 <= found <= largest:
            raise Unreadable(f"{name}: no patient has {value} {unit}; check the value and its unit")
        return found

    def read(row: Any, before: int) -> Visit:
        if not isinstance(row.date, dt.date):
            raise Unreadable("date: is missing; give it")
        day = row.date.toordinal() - EPOCH.toordinal()
        if row.date.hour or row.date.minute or row.date.second:
            raise Unreadable(f"date: {row.date} is no date; give a day")
        if day <= before:
            raise Unreadable(
                f"date: two visits of the patient on {row.date.date()}; give the visits in order, one a day"
            )
        score = row.clasi_activity
        if isnan(score):
            score = -1
        elif not ACTIVITY[0] <= score <= ACTIVITY[1] or score != int(score):
            raise Unreadable(
                f"clasi_activity: {score} is outside its range; give a whole number up to {ACTIVITY[1]}"
            )
        asked = isinstance(row.adverse_events, str)
        if asked:
            try:
                events = json.loads(row.adverse_events)
            except ValueError:
                raise Unreadable("adverse_events: is no JSON; give a list") from None
            if events != []:
                raise Unreadable("adverse_events: these rules know no events; give an empty list")
        if row.able_to_become_pregnant is not False:
            raise Unreadable(
                "able_to_become_pregnant: these rules know no pregnancy tests; give false"
            )
        return Visit(
            day,
            int(score),
            asked,
            result("neutrophils", row.neutrophils, row.neutrophils_unit),
            result("platelets", row.platelets, row.platelets_unit),
            result("creatinine_clearance", row.creatinine_clearance, row.creatinine_clearance_unit),
        )

    return read


def speaker(numbers: Numbers) -> Callable[[tuple[int, ...]], tuple[Any, ...]]:
    """Give the function that says a decision in the words and columns of `decide`."""
    protocol = numbers.protocol
    rules, actions = [row.id for row in protocol.table.rules], [each.code for each in Action]
    dosages = [
        (str(each), float(each.dosage.mg), float(each.dosage.every_days))
        for each in protocol.ladder.levels
    ]
    words = [[each.code for each in kind] for _, kind in DIMENSIONS]
    phases, why = [each.code for each in Phase], [None, *(each.code for each in MissingReason)]
    by, limits = (
        f"{protocol.id} {protocol.version} {protocol.hash}",
        f"{protocol.evidence} {NOT_A_DEVICE}",
    )
    first = dt.datetime.combine(EPOCH, dt.time())

    def date(day: int) -> Any:
        return None if day == NEVER else first + dt.timedelta(day)

    def say(told: tuple[int, ...]) -> tuple[Any, ...]:
        (
            rule,
            action,
            level,
            earliest,
            due,
            latest,
            *facts,
            after,
            not_asked,
            no_n,
            no_p,
            no_k,
            no_score,
        ) = told
        dosage = (None, None, None) if level < 0 else dosages[level]
        gaps = (why[not_asked], None, why[no_n], why[no_p], why[no_k], why[no_score])
        days = (date(earliest), date(due), date(latest))
        said = (known[fact] for known, fact in zip(words, facts, strict=True))
        return (
            actions[action],
            *dosage,
            rules[rule],
            *days,
            *said,
            phases[after],
            *gaps,
            by,
            limits,
            None,
        )

    return say


def by_pandas(numbers: Numbers, visits: Any) -> Any:
    """Decide on all visits of the frame that `decide` is given: groupby.apply, and in each group row by row."""
    import pandas as pd

    decide, read, say = row_by_row(numbers), reader(), speaker(numbers)
    columns = [each.name for each in RESULTS[2:]]
    protocol = numbers.protocol
    same = (
        f"{protocol.id} {protocol.version} {protocol.hash}",
        f"{protocol.evidence} {NOT_A_DEVICE}",
    )

    def of_patient(group: Any) -> list[tuple[Any, ...]]:
        shown, before, reason = [], NEVER - 1, ""
        for row in group.itertuples():
            try:
                shown.append(read(row, before))
            except Unreadable as error:
                reason = str(error)
                break
            before = shown[-1].day
        told = [say(each) for each in decide(shown)]
        if reason:
            none = (None,) * (len(columns) - 3)
            told.append((*none, *same, reason))
            later = "patient: an earlier visit was refused; mend that one first"
            told += [(*none, *same, later)] * (len(group) - len(told))
        return told

    ordered = visits.sort_values(["patient", "date"], kind="stable")
    parts = ordered.groupby("patient", sort=False).apply(of_patient)
    found = pd.DataFrame(list(chain.from_iterable(parts)), columns=columns, index=ordered.index)
    return visits[["patient", "date"]].join(found)
