"""Pictures as files: they show a layout, also in words, and the same course gives the same file."""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from xml.etree import ElementTree

import matplotlib.style
import pytest
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.transforms import Bbox
from PIL import Image
from tests.support.paths import ROOT
from tests.support.patients import day, seen, walk
from tests.support.picture_courses import HARD, example

from lenadose import CallError, Patient
from lenadose.cli.main import main
from lenadose.picture.dosage import PLANNED, REPORTED, UNREPORTED
from lenadose.picture.layout import CAUTION, DANGER, GOOD, GREY, INK
from lenadose.picture.segments import segments_of
from lenadose.plot import A5, SCREEN, Picture, draw_course, draw_courses, save
from lenadose.plot.style import in_style
from lenadose.terms.facts import Phase

EXAMPLES = ROOT / "examples" / "courses"
NAME, OTHER = "relapse-after-withdrawal", "neutropenia-at-10-mg"
SVG = "{http://www.w3.org/2000/svg}"


@cache
def course(name: str) -> Picture:
    return draw_course(example(name))


def written(picture: Picture) -> list[tuple[str, Bbox]]:
    """Return every text of a figure with its box, as matplotlib draws it, in points."""
    with in_style():
        picture.figure.set_dpi(72)
        canvas = FigureCanvasAgg(picture.figure)
        canvas.draw()
        renderer = canvas.get_renderer()
        (page,) = picture.figure.axes
        return [(text.get_text(), text.get_window_extent(renderer)) for text in page.texts]


def pictures() -> Iterator[tuple[str, Picture]]:
    for (name, made), page in product(HARD.items(), (SCREEN, A5)):
        yield name, draw_course(made(), page)
    for page in (SCREEN, A5):
        yield "swimmer", draw_courses({name: made() for name, made in HARD.items()}, page)


@pytest.mark.slow
def test_no_text_that_is_drawn_overlaps_another_or_leaves_the_page() -> None:
    for name, picture in pictures():
        texts = written(picture)
        width, height = picture.layout.width, picture.layout.height
        assert len(texts) == len(picture.layout.texts) > 20
        for index, (text, box) in enumerate(texts):
            inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
            assert inside, (name, text)
            for other, beside in texts[index + 1 :]:
                assert not box.padded(-1).overlaps(beside.padded(-1)), (name, text, other)


def test_an_overlap_that_is_drawn_would_be_found() -> None:
    picture = draw_course(example(NAME))
    page, title = picture.figure.axes[0], picture.layout.texts[0]
    page.text(title.x, title.y, "over the title")
    texts = dict(written(picture))
    assert texts["over the title"].padded(-1).overlaps(texts[title.words].padded(-1))


@pytest.mark.parametrize("page", [SCREEN, A5])
def test_a_png_has_the_size_of_its_page(page, tmp_path: Path) -> None:
    save(draw_course(example(OTHER), page), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == ((1200, 700) if page is SCREEN else (2480, 1748))


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_the_same_course_gives_the_same_file_byte_for_byte(suffix: str, tmp_path: Path) -> None:
    for number in (1, 2):
        save(draw_course(example(OTHER)), tmp_path / f"{number}.{suffix}")
    assert (tmp_path / f"1.{suffix}").read_bytes() == (tmp_path / f"2.{suffix}").read_bytes()


def same_under(style: str) -> bool:
    with matplotlib.style.context(style):
        return draw_course(example(OTHER)).svg() == course(OTHER).svg()


@pytest.mark.parametrize("style", ["dark_background", "grayscale", "classic", "ggplot"])
def test_a_style_changes_nothing(style: str) -> None:
    assert same_under(style)


@pytest.mark.slow
def test_no_style_that_comes_with_matplotlib_changes_anything() -> None:
    assert all(map(same_under, matplotlib.style.available))


def test_settings_of_the_user_change_nothing() -> None:
    sketched = {
        "path.sketch": (1, 100, 2),
        "font.size": 30,
        "text.color": "red",
        "savefig.bbox": "tight",
        "savefig.transparent": True,
        "svg.fonttype": "none",
        "patch.force_edgecolor": True,
        "lines.antialiased": False,
    }
    with rc_context(sketched):
        changed = draw_course(example(OTHER))
        assert changed.svg() == course(OTHER).svg()
        assert changed.png() == course(OTHER).png()


@pytest.mark.parametrize("language", ["C", "C.UTF-8", "de_DE.UTF-8", "tr_TR.UTF-8"])
def test_another_process_in_another_locale_gives_the_same_file(
    language: str, tmp_path: Path
) -> None:
    code = (
        "import contextlib, locale, sys; from lenadose import load_course, replay\n"
        "with contextlib.suppress(locale.Error): locale.setlocale(locale.LC_ALL, '')\n"
        "from lenadose.plot import draw_course, save\n"
        "save(draw_course(replay(load_course(sys.argv[1]))), sys.argv[2])"
    )
    record, drawn = EXAMPLES / f"{NAME}.json", tmp_path / "other.svg"
    subprocess.run(
        [sys.executable, "-c", code, record, drawn],
        check=True,
        env={**os.environ, "LC_ALL": language, "PYTHONUTF8": "1"},
    )
    assert drawn.read_text("utf-8") == course(NAME).svg()


def test_no_source_of_a_picture_asks_the_locale() -> None:
    for folder in ("picture", "plot"):
        for path in (ROOT / "src" / "lenadose" / folder).glob("*.py"):
            text = path.read_text("utf-8")
            assert not any(
                word in text for word in ("strftime", "%b", "%B", ":n}", "import locale")
            ), path


def test_the_title_and_the_alternative_text_are_in_the_file() -> None:
    for picture in (course(NAME), draw_courses({"one": example(NAME)})):
        svg = ElementTree.fromstring(picture.svg())
        assert svg.get("role") == "img"
        assert svg.findtext(f"{SVG}title") == picture.title
        assert svg.findtext(f"{SVG}desc") == picture.alt
        assert "not a medical device" in picture.alt


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour, 0 for black to 1 for white (WCAG 2.2)."""
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_words_stand_out_from_white_and_fills_from_one_another_in_grey() -> None:
    for colour in (INK, GREY, DANGER, CAUTION, GOOD):
        assert 1.05 / (luminance(colour) + 0.05) >= 4.5, colour
    fills = sorted(map(luminance, (REPORTED, UNREPORTED, PLANNED)))
    assert fills[0] + 0.15 < fills[1] < fills[2] - 0.15
    bands = {area.role: area for area in course(OTHER).layout.areas}
    assert bands["worse"].hatch != bands["partial"].hatch


def test_the_letters_on_a_fill_stand_out_from_it() -> None:
    for fill in (REPORTED, UNREPORTED, PLANNED):
        assert (luminance(fill) + 0.05) / (luminance(INK) + 0.05) >= 4.5


def test_what_a_record_says_is_drawn_as_it_is_and_a_sign_without_a_glyph_is_a_question_mark() -> (
    None
):
    hostile = '<script>alert(1)</script> $\\frac$ & " 漢'
    picture = draw_course(walk((seen(0, 11),), Patient(id=hostile, able_to_become_pregnant=False)))
    assert "<script>" not in picture.svg()
    assert hostile in (ElementTree.fromstring(picture.svg()).findtext(f"{SVG}desc") or "")
    assert any(text.startswith(hostile.replace("漢", "?")) for text, _ in written(picture))


def test_a_picture_is_drawn_from_the_command_line(tmp_path: Path, capsys) -> None:
    record = str(EXAMPLES / f"{NAME}.json")
    assert main(["plot", record, "-o", str(tmp_path / "a.svg")]) == 0
    assert (tmp_path / "a.svg").read_text("utf-8") == course(NAME).svg()
    assert main(["plot", record, "--protocol", "penn-2012", "-o", str(tmp_path / "b.svg")]) == 0
    assert "penn-2012" in (tmp_path / "b.svg").read_text("utf-8")
    assert main(["plot", record, "--size", "a5", "-o", str(tmp_path / "c.svg")]) == 0
    assert (tmp_path / "c.svg").read_text("utf-8") == draw_course(example(NAME), A5).svg()
    assert main(["plot", record, "-o", str(tmp_path / "a.jpg")]) == 2
    assert main(["plot", record, "-o", str(tmp_path / "none" / "a.svg")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "is neither a .svg nor a .png file" in lines[0]
    assert "no such file or directory" in lines[1]


def test_several_courses_are_drawn_from_the_command_line(tmp_path: Path, capsys) -> None:
    records = [str(EXAMPLES / f"{name}.json") for name in (NAME, OTHER)]
    assert main(["plot", *records, "-o", str(tmp_path / "a.svg")]) == 0
    drawn = draw_courses({name: example(name) for name in (NAME, OTHER)})
    assert (tmp_path / "a.svg").read_text("utf-8") == drawn.svg()
    # Two files of one name are told apart by their paths.
    twin = tmp_path / f"{NAME}.json"
    twin.write_bytes(Path(records[0]).read_bytes())
    assert main(["plot", records[0], str(twin), "-o", str(tmp_path / "b.svg")]) == 0
    assert f"{twin}: " in (tmp_path / "b.svg").read_text("utf-8")
    assert main(["plot", records[0], records[0], "-o", str(tmp_path / "c.svg")]) == 2
    assert main(["plot", records[0], str(twin), "-o", str(twin)]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first == f"{records[0]}: is given more than once; give each course once"
    assert second.startswith(f"{twin}: is the input {twin}; ")


def test_no_course_is_refused() -> None:
    with pytest.raises(CallError, match="courses: there are none"):
        draw_courses({})


def test_without_matplotlib_the_command_says_what_to_install(
    tmp_path: Path, monkeypatch, capsys
) -> None:
    for name in [module for module in sys.modules if module.startswith("lenadose.plot")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("lenadose.plot")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["plot", str(EXAMPLES / f"{NAME}.json"), "-o", str(tmp_path / "a.svg")]) == 2
    line = "matplotlib: is not installed, and pictures need it; install lenadose[plot]\n"
    assert capsys.readouterr().err == line


def test_an_absence_is_drawn_from_the_day_on_which_the_supply_ended() -> None:
    decisions = walk([seen(0, 11), seen(183, 11)])
    supplied, absent, _ = segments_of(decisions)
    assert (supplied.begin, supplied.end, supplied.phase) == (day(0), day(35), Phase.TITRATION)
    assert (absent.begin, absent.end, absent.phase) == (day(35), day(183), Phase.INTERRUPTED)
    assert (str(supplied.taken), absent.taken) == ("5 mg once daily", None)
