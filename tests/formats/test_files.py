"""Output takes its place when it is whole: accidents leave the old file, or none."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from tests.support.paths import ROOT

from lenadose import DocumentError, load_course
from lenadose.cli.main import main
from lenadose.formats.files import check_output, open_output

COURSE = ROOT / "examples" / "courses" / "neutropenia-at-10-mg.json"


def run(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_whole_file_takes_the_place_of_the_old_one_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    for content in (b"first", b"second"):
        with open_output(path) as file:
            file.write(content)
        assert path.read_bytes() == content
        path.chmod(0o640)
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["out.csv"]


def test_a_new_file_has_the_mode_of_any_other(tmp_path: Path) -> None:
    (tmp_path / "any").touch()
    with open_output(tmp_path / "out.csv"):
        pass
    assert (tmp_path / "out.csv").stat().st_mode == (tmp_path / "any").stat().st_mode


@pytest.mark.parametrize("old", [None, b"old"])
@pytest.mark.parametrize("accident", [OSError("full"), KeyboardInterrupt()])
def test_an_accident_leaves_the_old_file_or_none(tmp_path: Path, old, accident) -> None:
    path = tmp_path / "out.csv"
    if old is not None:
        path.write_bytes(old)

    def write() -> None:
        with open_output(path) as file:
            file.write(b"new, and cut sh")
            file.flush()
            raise accident

    with pytest.raises(type(accident)):
        write()
    assert [name.read_bytes() for name in tmp_path.iterdir()] == ([] if old is None else [old])


def test_a_link_stays_a_link_and_a_device_a_device(tmp_path: Path) -> None:
    target, link = tmp_path / "target.csv", tmp_path / "link.csv"
    target.write_bytes(b"old")
    link.symlink_to(target)
    with open_output(link) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    with open_output(os.devnull) as file:
        file.write(b"new")
    assert not Path(os.devnull).is_file()


@pytest.mark.parametrize("name", ["circle.csv", "a\0.csv"])
def test_what_leads_to_no_place_is_an_error_of_the_system(tmp_path: Path, name: str) -> None:
    (tmp_path / "circle.csv").symlink_to("circle.csv")
    with pytest.raises(OSError, match=r"symbolic links|not a path"), open_output(tmp_path / name):
        pass
    assert [each.name for each in tmp_path.iterdir()] == ["circle.csv"]


def test_a_killed_process_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_bytes(b"old")
    killed = run(
        """
        import sys, time
        from lenadose.formats.files import open_output
        with open_output(sys.argv[1]) as file:
            file.write(b"new" * 100_000)
            file.flush()
            print("writing", flush=True)
            time.sleep(60)
        """,
        path,
    )
    assert killed.stdout is not None
    assert killed.stdout.readline() == "writing\n"
    killed.kill()
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"


FULL = """
    import sys
    from lenadose.cli.main import main
    if "limit" in sys.argv[1]:
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
    sys.exit(main(sys.argv[2:]))
"""


def commands(folder: Path) -> list[list[str]]:
    """Every command that writes, each to a file larger than 10 000 bytes in a folder."""
    cohort = str(folder / "visits.csv")
    found = [["plot", str(COURSE), "-o", str(folder / f"out.{kind}")] for kind in ("svg", "png")]
    found += [["cohort", cohort, "-o", str(folder / f"out.{kind}")] for kind in ("csv", "parquet")]
    return found


@pytest.mark.parametrize("place", range(4))
def test_a_full_disk_is_one_line_and_leaves_the_old_file(tmp_path: Path, place: int) -> None:
    pytest.importorskip("resource", reason="this system cannot limit the size of files")
    pytest.importorskip("matplotlib", reason="needs lenadose[plot]")
    pytest.importorskip("pyarrow", reason="needs lenadose[cohort]")
    many_visits(tmp_path / "visits.csv")
    command = commands(tmp_path)[place]
    out = Path(command[-1])
    out.write_bytes(b"old")
    done = run(FULL, "limit", *command)
    _, errors = done.communicate()
    assert (done.returncode, errors.count("\n")) == (2, 1), errors
    assert errors.startswith(f"{out}: file too large; give ")
    assert out.read_bytes() == b"old"
    assert sorted(os.listdir(tmp_path)) == sorted(["visits.csv", out.name])


def many_visits(path: Path) -> None:
    rows = (f"p-{number:06},2026-01-05\n" for number in range(20_000))
    path.write_text(f"patient,date\n{''.join(rows)}", "utf-8")


def test_on_a_full_file_system_the_old_file_is_whole(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs lenadose[plot]")
    unshare = shutil.which("unshare")
    disk = tmp_path / "disk"
    disk.mkdir()
    script = f"""
        mount -t tmpfs -o size=16k tmpfs {disk} || exit 77
        echo old > {disk}/out.svg
        {sys.executable} -m lenadose plot {COURSE} -o {disk}/out.svg
        echo code $?; cat {disk}/out.svg; ls -A {disk}
    """
    if unshare is None:
        pytest.skip("there is no unshare to make a small file system with")
    done = subprocess.run(
        [unshare, "-rm", "/bin/sh", "-c", script], capture_output=True, text=True, check=False
    )
    if done.returncode in (1, 77):
        pytest.skip("this user may not make a small file system")
    assert done.stdout.split() == ["code", "2", "old", "out.svg"]
    assert done.stderr.startswith(f"{disk}/out.svg: no space left on device; give ")


# What is no path


@pytest.mark.parametrize("path", [0, True, b"course.json", None, 1.5, "a\0b"])
def test_what_is_no_path_opens_nothing(path) -> None:
    with pytest.raises(DocumentError, match=r": is not a path; give the path of a course file$"):
        load_course(path)
    os.fstat(0)


# An output that is an input


def test_an_output_that_is_an_input_is_refused_under_every_name(tmp_path: Path) -> None:
    source, other = tmp_path / "visits.csv", tmp_path / "other.csv"
    source.write_bytes(b"record")
    other.write_bytes(b"record")
    links = [tmp_path / "symbolic.csv", tmp_path / "hard.csv"]
    links[0].symlink_to(source)
    links[1].hardlink_to(source)
    for out in (source, *links, tmp_path / "." / "visits.csv"):
        with pytest.raises(DocumentError, match=r"visits\.csv; give another path; "):
            check_output(str(out), None, str(source))
    check_output(str(other), str(source), "penn-2012", None)
    check_output(str(tmp_path / "new.csv"), str(source))


def test_every_command_that_writes_keeps_its_inputs(tmp_path: Path, capsys) -> None:
    pytest.importorskip("matplotlib", reason="needs lenadose[plot]")
    pytest.importorskip("pyarrow", reason="needs lenadose[cohort]")
    for command, option, name in (
        ("plot", (), "a.svg"),
        ("cohort", (), "a.csv"),
        ("plot", ("--protocol",), "b.svg"),
        ("cohort", ("--protocol",), "b.csv"),
    ):
        path = tmp_path / name
        path.write_bytes(b"record")
        inputs = [str(COURSE), *option, str(path)] if option else [str(path)]
        assert main([command, *inputs, "-o", str(path)]) == 2
        out, errors = capsys.readouterr()
        assert out == ""
        reason = f"{path}: is the input {path}; give another path; the input is kept as it is\n"
        assert errors == reason
        assert path.read_bytes() == b"record"


def test_standard_input_is_an_input_too(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs lenadose[plot]")
    path = tmp_path / "course.svg"
    path.write_bytes(COURSE.read_bytes())
    with path.open("rb") as file:
        done = subprocess.run(
            [sys.executable, "-m", "lenadose", "plot", "-", "-o", str(path)],
            stdin=file,
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr.split(";")[0]) == (2, f"{path}: is the input -")
    assert path.read_bytes() == COURSE.read_bytes()
