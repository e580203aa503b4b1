"""Pictures: they show a whole course, also in words, and the same course gives the same file."""

import subprocess
import sys
from functools import cache
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Annotation, Text
from tests.support.paths import ROOT
from tests.support.patients import count, day, seen, walk

from lenadose import CallError, Patient, Visit, get_protocol, load_course, replay
from lenadose.cli.main import main
from lenadose.plot.alt_text import is_relapse, why
from lenadose.plot.course import draw_course
from lenadose.plot.courses import draw_courses
from lenadose.plot.layout import MARKS
from lenadose.plot.segments import segments_of
from lenadose.plot.style import save, spread_out
from lenadose.terms.facts import Action, Phase
from lenadose.testing import courses

EXAMPLES = ROOT / "examples" / "courses"
NAMES = (
    "relapse-after-withdrawal",
    "neutropenia-at-10-mg",
    "questions-nobody-asked",
    "stopped-by-the-patient",
)
SVG = "{http://www.w3.org/2000/svg}"


@cache
def decisions(name):
    return replay(load_course(EXAMPLES / f"{name}.json"))


@cache
def course(name):
    return draw_course(decisions(name))


def written(picture):
    """Return every text of a picture, with its box on the page."""
    canvas = FigureCanvasAgg(picture.figure)
    canvas.draw()
    texts = [
        *picture.figure.texts,
        *(text for legend in picture.figure.legends for text in legend.get_texts()),
    ]
    for axes in picture.figure.axes:
        texts += axes.texts
        if axes.axison:
            texts += [axes.xaxis.label, axes.yaxis.label]
            for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
                # A mark beyond the end of an axis is not drawn.
                texts += [
                    tick.label1
                    for tick in axis.get_major_ticks()
                    if limits[0] <= tick.get_loc() <= limits[1]
                ]
    texts = [text for text in texts if text.get_visible() and text.get_text().strip()]
    renderer = canvas.get_renderer()
    # Of an arrow with words only the words are looked at.
    return [(text.get_text(), Text.get_window_extent(text, renderer)) for text in texts]


def pictures():
    """Yield every kind of picture: courses, and courses side by side."""
    for name in (*NAMES, "ask-before-start", "shah-2009-case-1"):
        yield pytest.param(lambda name=name: course(name), 40, id=name)
    beside = (*NAMES[:3], "complete-response-and-taper", "ask-before-start", "relapse-in-taper")
    side = {name: decisions(name) for name in beside}
    yield pytest.param(lambda: draw_courses(side), 90, id="side by side")


@pytest.mark.parametrize(("draw", "least"), list(pictures()))
def test_no_text_lies_over_another_or_over_the_edge_of_the_page(draw, least):
    picture = draw()
    boxes = written(picture)
    page = picture.figure.bbox
    assert len(boxes) > least
    for text, box in boxes:
        assert page.x0 <= box.x0 <= box.x1 <= page.x1, text
        assert page.y0 <= box.y0 <= box.y1 <= page.y1, text
    for index, (text, box) in enumerate(boxes):
        for other, beside in boxes[index + 1 :]:
            # A pixel is no overlap, and a box is a little taller than its letters.
            assert not box.padded(-2).overlaps(beside.padded(-2)), (text, other)


def test_an_overlap_would_be_found():
    picture = draw_course(decisions(NAMES[3]))
    picture.figure.text(0.01, 0.99, "over the title", va="top")
    texts = dict(written(picture))
    title = next(text for text in texts if "visits from" in text)
    assert texts["over the title"].padded(-2).overlaps(texts[title].padded(-2))


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_the_same_course_gives_the_same_file_byte_for_byte(suffix, tmp_path):
    for number in (1, 2):
        save(draw_course(decisions(NAMES[1])), tmp_path / f"{number}.{suffix}")
    assert (tmp_path / f"1.{suffix}").read_bytes() == (tmp_path / f"2.{suffix}").read_bytes()


def test_another_process_gives_the_same_file(tmp_path):
    code = (
        "import sys; from lenadose import load_course, replay;"
        "from lenadose.plot import draw_course, save;"
        "save(draw_course(replay(load_course(sys.argv[1]))), sys.argv[2])"
    )
    record, drawn = EXAMPLES / f"{NAMES[0]}.json", tmp_path / "other.svg"
    subprocess.run([sys.executable, "-c", code, record, drawn], check=True)
    assert drawn.read_text("utf-8") == course(NAMES[0]).svg()


@pytest.mark.parametrize("name", NAMES)
def test_every_decision_is_marked_with_its_action_and_told_in_the_text_alternative(name):
    made = decisions(name)
    picture = course(name)
    texts = [text for text, _ in written(picture)]
    svg = ElementTree.fromstring(picture.svg())
    assert svg.find(f"{SVG}title").text == picture.title
    assert svg.find(f"{SVG}desc").text == picture.alt
    for decision in made:
        assert any(text.startswith(decision.action.label) for text in texts)
        line = next(
            line for line in picture.alt.splitlines() if line.startswith(f"{decision.visit.date}:")
        )
        assert decision.action.label in line
        assert str(decision.dosage or "") in line
    assert "not a medical device" in picture.alt
    assert any("not a medical device" in " ".join(text.split()) for text in texts)


def test_every_action_has_a_mark_of_its_own():
    assert set(MARKS) == set(Action)
    assert len({(shape, is_filled) for shape, _, is_filled in MARKS.values()}) == len(Action)


def test_what_is_missing_is_seen_as_missing():
    def questions(*visits):
        return [text for text, _ in written(draw_course(walk(visits)))].count("?")

    known = seen(0, 11)
    assert questions(known, seen(28, 10)) == 0
    assert questions(known, seen(28, None)) == 1
    # A dosage that is not recommended until answered is a question too.
    assert questions(known, seen(28, None, adverse_events=None)) == 2
    assert questions(Visit(day(0))) == 5


def test_a_count_too_old_is_told_from_one_never_given():
    texts = [
        text
        for text, _ in written(draw_course(walk((seen(0, 11), seen(28, 10, neutrophils=None)))))
    ]
    assert "? old" in texts


@pytest.mark.parametrize("name", [*NAMES, "another-dosage-than-advised", "missed-doses"])
def test_no_line_crosses_a_letter(name):
    panels = [axes for axes in course(name).figure.axes if axes.axison]
    # What stands beside a panel, or in a box of its own, is crossed by nothing.
    among = [
        text
        for axes in panels
        for text in axes.texts
        if not (text.get_bbox_patch() or getattr(text, "arrow_patch", None))
    ]
    assert len(among) > 3
    assert all(text.get_path_effects() for text in among)


def test_a_relapse_is_named():
    made = decisions("relapse-after-withdrawal")
    relapsed = [decision for decision in made if is_relapse(decision)]
    assert [str(decision.visit.date) for decision in relapsed] == ["2025-05-22", "2025-06-03"]
    texts = [text for text, _ in written(course("relapse-after-withdrawal"))]
    assert "relapse 8" in texts
    assert why(relapsed[-1]) == "start: relapse"


def test_the_legend_tells_a_score_that_is_worse_from_the_line_where_worse_begins():
    (legend,) = course("falling-clearance").figure.legends
    assert {"worse", "worse, from this score on"} <= {
        text.get_text() for text in legend.get_texts()
    }


def test_a_low_count_carries_its_number():
    texts = [text for text, _ in written(course("neutropenia-at-10-mg"))]
    assert {"0.9", "0.8", "interrupt: below 1", "caution: below 1.5"} <= set(texts)
    assert "interrupt: neutrophils 0.9 × 10⁹/L" in texts


def test_every_axis_says_its_unit():
    names = [axes.get_ylabel() for axes in course(NAMES[0]).figure.axes]
    assert [name.replace("\n", " ") for name in names if name] == [
        "CLASI activity (points, 0 to 70)",
        "Neutrophils (× 10⁹/L)",
        "Platelets (× 10⁹/L)",
        "Creatinine clearance (mL/min)",
    ]
    levels = course(NAMES[0]).figure.axes[1].get_yticklabels()
    assert [level.get_text() for level in levels] == [
        "no drug",
        *map(str, get_protocol().ladder.levels),
    ]


def test_what_a_record_says_is_drawn_as_it_is_and_a_sign_without_a_glyph_is_a_question_mark():
    hostile = '<script>alert(1)</script> $\\frac$ & " 漢'
    picture = draw_course(walk((seen(0, 11),), Patient(id=hostile, able_to_become_pregnant=False)))
    assert "<script>" not in picture.svg()
    assert ElementTree.fromstring(picture.svg()).find(f"{SVG}title").text.startswith(hostile)
    assert any(text.startswith(hostile.replace("漢", "?")) for text, _ in written(picture))


@settings(max_examples=4)
@given(courses())
def test_every_course_can_be_drawn(drawn):
    made = replay(drawn)
    picture = draw_course(made)
    assert ElementTree.fromstring(picture.svg()).find(f"{SVG}desc").text == picture.alt
    assert sum(line[:4].isdigit() for line in picture.alt.splitlines()) == len(made)


def test_courses_stand_side_by_side_under_their_names_on_one_scale():
    named = {name: decisions(name) for name in (*NAMES, "relapse-in-taper")}
    picture = draw_courses(named)
    texts = [text for text, _ in written(picture)]
    assert set(named) <= set(texts)
    assert all(f"{name}: The course of" in picture.alt for name in named)
    skins = [
        axes for axes in picture.figure.axes if axes.get_xlabel() == "weeks since the first visit"
    ]
    assert len(skins) == 5
    assert len({axes.get_ylim() for axes in skins}) == len({axes.get_xlim() for axes in skins}) == 1


def test_no_course_is_refused():
    with pytest.raises(CallError, match="courses: there are none"):
        draw_courses({})


@given(st.lists(st.floats(0, 100), min_size=1, max_size=20), st.floats(0.1, 5))
def test_labels_are_spread_in_order_and_only_as_far_as_needed(wanted, gap):
    wanted = sorted(wanted)
    places = spread_out(wanted, gap)
    assert all(after - before >= gap - 1e-9 for before, after in pairwise(places))
    if all(after - before >= gap for before, after in pairwise(wanted)):
        assert places == pytest.approx(wanted)
    assert sum(places) == pytest.approx(sum(wanted))


def test_a_picture_is_drawn_from_the_command_line(tmp_path, capsys):
    record = str(EXAMPLES / f"{NAMES[0]}.json")
    assert main(["plot", record, "-o", str(tmp_path / "a.svg")]) == 0
    assert (tmp_path / "a.svg").read_text("utf-8") == course(NAMES[0]).svg()
    assert main(["plot", record, "--protocol", "penn-2012", "-o", str(tmp_path / "b.svg")]) == 0
    assert "penn-2012" in (tmp_path / "b.svg").read_text("utf-8")
    assert main(["plot", record, "-o", str(tmp_path / "a.jpg")]) == 2
    assert main(["plot", record, "-o", str(tmp_path / "none" / "a.svg")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "is neither a .svg nor a .png file" in lines[0]
    assert "no such file or directory" in lines[1]


def test_a_count_of_before_the_first_visit_is_on_the_page():
    made = walk((seen(0, 11, neutrophils=count(3, day(-20))),))
    axes = draw_course(made).figure.axes[3]
    assert (
        axes.get_xlim()[0]
        < 0
        <= min(line.get_xdata()[0] for line in axes.lines if line.get_marker() == "o")
    )
    assert isinstance(axes.texts[0], Annotation)


def test_without_matplotlib_the_command_says_what_to_install(tmp_path, monkeypatch, capsys):
    for name in [module for module in sys.modules if module.startswith("lenadose.plot")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("lenadose.plot")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["plot", str(EXAMPLES / f"{NAMES[0]}.json"), "-o", str(tmp_path / "a.svg")]) == 2
    line = "matplotlib: is not installed, and pictures need it; install lenadose[plot]\n"
    assert capsys.readouterr().err == line


def test_an_absence_is_drawn_from_the_day_on_which_the_supply_ended() -> None:
    decisions = walk([seen(0, 11), seen(183, 11)])
    supplied, absent, _ = segments_of(decisions)
    assert (supplied.begin, supplied.end, supplied.phase) == (day(0), day(35), Phase.TITRATION)
    assert (absent.begin, absent.end, absent.phase) == (day(35), day(183), Phase.INTERRUPTED)
    assert (str(supplied.taken), absent.taken) == ("5 mg once daily", None)
