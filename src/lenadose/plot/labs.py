"""The panels of neutrophils, platelets and creatinine clearance, each with its limits."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import frozen

from lenadose.engine.bounds import newer
from lenadose.engine.machine import Decision
from lenadose.engine.observe import MissingReason
from lenadose.plot.layout import Axis, write_limits
from lenadose.plot.style import (
    BLACK,
    BLUE,
    HALO,
    VERMILLION,
    LegendEntry,
    legend_entry,
    missing_marker,
)
from lenadose.protocol.protocol import Protocol
from lenadose.record.measurement import Result
from lenadose.terms.dosage import format_decimal
from lenadose.terms.units import CREATININE_CLEARANCE, PRINTED, QUANTITIES, Quantity

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@frozen
class _Limit:
    """A limit: results `below` it, its line, and the mark of a result below it."""

    below: Decimal
    words: str
    line: str
    mark: str


def _limits(protocol: Protocol) -> tuple[tuple[Quantity, tuple[_Limit, ...]], ...]:
    """Return the quantities in the order of `Visit.counted`, each with its worse limit first."""

    def of(quantity: Quantity) -> tuple[_Limit, ...]:
        worse, milder = protocol.safety.limits_of(quantity.name)
        words = "lower ceiling" if quantity is CREATININE_CLEARANCE else "caution"
        return _Limit(worse, "interrupt", "-", "s"), _Limit(milder, words, "--", "^")

    return tuple((quantity, of(quantity)) for quantity in QUANTITIES.values())


def draw_count(
    panel: "Axes", axis: Axis, decisions: Sequence[Decision], place: int
) -> dict[str, LegendEntry]:
    """Draw the results at one place of `Visit.counted`, with their limits."""
    used: dict[str, LegendEntry] = {}
    quantity, limits = _limits(decisions[-1].protocol)[place]
    results: dict[date, Result] = {}
    for decision in decisions:
        result = decision.visit.counted[place]
        if result is not None:
            results[result.on] = newer(results.get(result.on), result) or result
    points = [
        (axis.at(on), float(results[on].amount), results[on].amount) for on in sorted(results)
    ]
    top = max([2 * float(limits[-1].below), *(amount for _, amount, _ in points)]) * 1.45
    panel.set_ylim(0, top)
    for limit in limits:
        panel.axhline(float(limit.below), linestyle=limit.line, color=VERMILLION, linewidth=1)
    write_limits(
        panel,
        [
            (float(limit.below), f"{limit.words}: below {format_decimal(limit.below)}")
            for limit in limits
        ],
    )
    panel.plot(
        [x for x, _, _ in points], [amount for _, amount, _ in points], "-", color=BLUE, linewidth=1
    )
    for x, amount, exact in points:
        below = next((limit for limit in limits if exact < limit.below), None)
        style: dict[str, Any] = {"color": BLUE, "markersize": 4}
        if below is not None:
            style = {"color": VERMILLION, "markersize": 6}
            panel.annotate(
                format_decimal(exact),
                (x, amount),
                (0, 5),
                textcoords="offset points",
                size=7,
                weight="bold",
                ha="center",
                path_effects=HALO,
            )
            words = f"below the limit: {below.words}"
            used[words] = legend_entry(words, marker=below.mark, markeredgecolor=BLACK, **style)
        mark = below.mark if below else "o"
        panel.plot(
            [x],
            [amount],
            mark,
            markeredgecolor=BLACK,
            markeredgewidth=0.5,
            zorder=3,
            clip_on=False,
            **style,
        )
    for decision in decisions:
        gap = next(
            (gap for gap in decision.seen.missing_fields if gap.field == quantity.name), None
        )
        if gap is not None:
            words = "?" if gap.why is MissingReason.ABSENT else "? old"
            panel.text(
                axis.at(decision.visit.date),
                top * 0.88,
                words,
                size=8,
                weight="bold",
                ha="center",
                va="center",
                path_effects=HALO,
            )
            used["missing"] = missing_marker()
    name = quantity.name.replace("_", "\n").capitalize()
    panel.set_ylabel(f"{name}\n({PRINTED[quantity.unit]})", size=7.5)
    return used
