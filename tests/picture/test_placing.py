"""Places on a page: boxes side by side, months on an axis, texts cut to a width."""

from datetime import timedelta
from itertools import pairwise
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from tests.support.patients import day

from lenadose.picture.layout import Box, Boxes, overlap
from lenadose.picture.placing import Calendar, spread
from lenadose.picture.text_width import cut, text_width, wrap
from lenadose.plot.style import in_style

BOXES = st.lists(st.tuples(st.floats(0, 800), st.floats(1, 60)), min_size=1, max_size=12)


@given(BOXES)
def test_boxes_stand_side_by_side_in_order_and_only_as_far_away_as_needed(
    boxes: list[tuple[float, float]],
) -> None:
    boxes = sorted(boxes)
    wanted, widths = [at for at, _ in boxes], [width for _, width in boxes]
    places = spread(wanted, widths, -10, 900)
    assert all(
        after - before >= (one + other) / 2 - 1e-6
        for (before, one), (after, other) in pairwise(zip(places, widths, strict=True))
    )
    assert all(
        place - width / 2 + 1e-6 >= -10 and place + width / 2 <= 900 + 1e-6
        for place, width in zip(places, widths, strict=True)
    )
    apart = all(b - a >= (v + w) / 2 for (a, v), (b, w) in pairwise(boxes))
    if apart and wanted[0] - widths[0] / 2 >= -10:
        assert places == pytest.approx(wanted)


@given(st.integers(7, 40000), st.integers(0, 400))
def test_months_are_first_days_within_the_calendar_and_far_enough_apart(
    days: int, begin: int
) -> None:
    calendar = Calendar(day(begin), days, 90, 800)
    months = calendar.months(50)
    assert all(month.day == 1 for month in months)
    assert all(calendar.first <= month <= calendar.first + timedelta(days=days) for month in months)
    assert all(calendar.at(b) - calendar.at(a) >= 50 for a, b in pairwise(months))
    assert len(months) >= 1 or days < 62 or calendar.right / days * 28 < 50


@pytest.mark.parametrize("bold", [False, True])
def test_a_text_is_as_wide_as_matplotlib_draws_it(bold: bool) -> None:
    texts = (
        "Now no drug. Interrupted since 21 Mar 2025: neutrophils 0.8 × 10⁹/L.",
        "02 Feb: Raise to 10 mg once daily ×4 – … →",
        "■ 0.9 ▲ 45 Straße Łódź Ωμέγα Привет",
    )
    with in_style():
        figure = Figure(figsize=(20, 2), dpi=72)
        renderer = FigureCanvasAgg(figure).get_renderer()
        for text in texts:
            drawn = figure.text(0, 0, text, size=10, weight="bold" if bold else "normal")
            width = drawn.get_window_extent(renderer).width
            assert text_width(text, 10, bold=bold) == pytest.approx(width, rel=0.02)


@given(st.text(max_size=80), st.floats(10, 300))
def test_a_cut_text_fits_and_a_whole_one_keeps_its_words(text: str, width: float) -> None:
    short = cut(text, width, 8)
    assert text_width(short, 8) <= max(width, text_width("…", 8))
    if not short.endswith("…"):
        assert short == " ".join(text.split())


@given(st.lists(st.text("abcdefgh", min_size=1, max_size=9), max_size=30), st.integers(1, 4))
def test_a_wrapped_text_loses_nothing_but_what_is_marked(words: list[str], most: int) -> None:
    lines = wrap(" ".join(words), 100, 8, most)
    assert len(lines) <= most
    assert all(text_width(line, 8) <= 100 for line in lines)
    if not any("…" in line for line in lines):
        assert " ".join(lines).split() == words


@pytest.mark.parametrize("text", ["x" * 1_000_000, "x " * 500_000, "nine letters " * 80_000])
def test_of_a_long_text_no_more_is_looked_at_than_is_shown(text: str) -> None:
    started = process_time()
    line = cut(text, 100, 8)
    assert line.endswith(" …")
    assert text.startswith(line.removesuffix(" …"))
    assert wrap(text, 100, 8, 3)[-1].endswith(" …")
    assert process_time() - started < 5


RECTANGLES = st.lists(
    st.tuples(st.floats(-20, 60), st.floats(-20, 60), st.floats(0, 50), st.floats(0, 50)).map(
        lambda box: (box[0], box[1], box[0] + box[2], box[1] + box[3])
    ),
    min_size=1,
)


@given(RECTANGLES, st.floats(0, 9))
def test_a_box_on_others_is_found_among_any_number(boxes: list[Box], gap: float) -> None:
    box, *others = boxes
    assert Boxes(others).overlap(box, gap) == any(overlap(box, other, gap) for other in others)
