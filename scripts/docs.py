"""Build the site of docs/: the pages, those made from data, the reference and the notebooks.

python scripts/docs.py [FOLDER]   into FOLDER, otherwise into build/site; exit 1 for a broken link or any warning
"""

import shutil
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lenadose.plot.phases import draw_phases
from sphinx.cmd.build import main as sphinx

import lenadose
from lenadose import get_protocol
from lenadose.plot.style import save
from lenadose.protocol.builtin import BUILT_IN
from lenadose.report.protocol import assumptions, protocol_page
from lenadose.report.verification import certificate_page
from lenadose.verification.certificate import verify

ROOT = Path(__file__).parents[1]
OTHERS = {
    "mutants": "Broken protocols",
    "vectors": "Parity with other implementations",
    "benchmarks": "Benchmarks",
}
"""What is checked and measured, and how."""

PLACES = {
    "Decide": "load_course parse_course read_course replay begin step observe recommend apply",
    "Explain": "explain rationale alternatives course_data decision_data Rationale Alternative",
    "Records": "Course Patient Visit Measurement PregnancyTest AdverseEvent DosageTaken Judgement",
    "Protocols": "get_protocol load_protocol read_protocol Protocol",
    "Decisions": "Decision State Facts Action Phase Dosage",
    "Errors": "LenadoseError DocumentError CallError ProtocolError Fault",
}
"""The promised names, by what they are for."""

MODULES = {
    "Proof": ("lenadose.proof", "verify Certificate Verdict Counterexample"),
    "Comparison": ("lenadose.comparison", "compare Comparison Disagreement Difference"),
    "Tests of your own": ("lenadose.testing", ""),
    "Pictures": ("lenadose.plot", "draw_course draw_courses draw_phases save Picture"),
    "Notebooks": ("lenadose.notebook", "load_ipython_extension"),
}
"""Names beside the promised ones, with the module that they are imported from."""


def made(what: str, page: str) -> str:
    """A page made from data, with a note of what made it."""
    head, _, rest = page.partition("\n")
    return f"{head}\n\n*Made from the data by `{what}`; not written by hand.*\n{rest}"


def generate(source: Path) -> None:
    """Write the pages that are made from data."""
    folder = source / "protocols"
    folder.mkdir()
    for id in BUILT_IN:
        protocol = get_protocol(id)
        picture = draw_phases(protocol)
        save(picture, folder / f"{id}.svg")
        drawn = f"\n## Phases\n\n![{picture.title}]({id}.svg)\n"
        for suffix, command, page in (
            ("", "show", protocol_page(protocol) + drawn),
            ("-assumptions", "assumptions", assumptions(protocol)),
            ("-certificate", "verify", certificate_page(verify(protocol))),
        ):
            (folder / f"{id}{suffix}.md").write_text(
                made(f"lenadose {command} {id}", page), "utf-8"
            )
    (source / "reference.rst").write_text("\n".join(reference()) + "\n", "utf-8")
    (source / "notebooks").mkdir()
    for path in (ROOT / "examples" / "notebooks").glob("*.ipynb"):
        shutil.copy(path, source / "notebooks")


def reference() -> Iterator[str]:
    """The reference, from the docstrings."""
    yield from ("Reference", "=========", "")
    yield "The promised names are in ``lenadose`` itself: ``from lenadose import replay``. Made from the docstrings."
    placed = " ".join(PLACES.values()).split()
    left = [name for name in lenadose.__all__ if name not in placed]
    for title, names in {**PLACES, "More": " ".join(left)}.items():
        yield from ("", title, "-" * len(title), "") if names else ()
        for name in names.split():
            yield from _documented("lenadose", name, getattr(lenadose, name))
    for title, (module, names) in MODULES.items():
        loaded = import_module(module)
        yield from ("", title, "-" * len(title), "", f"In ``{module}``.", "")
        for name in names.split() or loaded.__all__:
            yield from _documented(module, name, getattr(loaded, name))


def _documented(module: str, name: str, value: object) -> Iterator[str]:
    kind = "class" if isinstance(value, type) else "function"
    yield from (
        f".. auto{kind}:: {module}.{name}",
        *(["   :members:"] if kind == "class" else []),
        "",
    )


def contents(source: Path) -> None:
    """Put every page into the navigation."""
    others = [f"{title} <{name}>" for name, title in OTHERS.items()]
    protocols = [
        line
        for id in BUILT_IN
        for line in (
            f"{id} <protocols/{id}>",
            f"{id}: what is assumed <protocols/{id}-assumptions>",
            f"{id}: certificate <protocols/{id}-certificate>",
        )
    ]
    parts = {
        "Begin": ["tutorial", "evidence"],
        "How to": ["howto/rationale", "howto/import", "howto/protocol", "testing", "cohort"],
        "Stories": [
            f"notebooks/{path.stem}" for path in sorted((source / "notebooks").glob("*.ipynb"))
        ],
        "Protocols": [*protocols, "The two compared <comparison>"],
        "Reference": ["reference", *others],
    }
    lines = (source / "index.md").read_text("utf-8").splitlines()
    for title, pages in parts.items():
        lines += ["", "```{toctree}", ":hidden:", f":caption: {title}", "", *pages, "```"]
    (source / "index.md").write_text("\n".join(lines) + "\n", "utf-8")


class Page(HTMLParser):
    """The anchors of a page, what it links to, and what it fetches."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note what an element is and points to."""
        given = {name: value or "" for name, value in attributes}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        target = given.get("href", given.get("src", ""))
        if target:
            (self.links if tag == "a" else self.fetched).append(target)


def broken(site: Path) -> Iterator[str]:
    """Every link of the site that leads nowhere, and all that would be fetched from elsewhere."""
    pages = {
        path.resolve(): Page(path) for path in site.rglob("*.html") if "_static" not in path.parts
    }
    for path, page in pages.items():
        name = path.relative_to(site.resolve())
        for target in (*page.links, *page.fetched):
            parts = urlsplit(target)
            if parts.scheme in ("data", "mailto"):
                continue
            if parts.scheme or parts.netloc:
                if target in page.fetched:
                    yield f"{name}: fetches {target}"
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not there.exists():
                yield f"{name}: {target} is not there"
            elif (
                parts.fragment
                and there in pages
                and unquote(parts.fragment) not in pages[there].anchors
            ):
                yield f"{name}: {target} has no such place"


def main() -> int:
    """Build the site, and check that its links lead somewhere and that it is whole without a network."""
    site = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "site"
    source = site.with_name(f"{site.name}-source")
    for folder in (site, source):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs", source)
    generate(source)
    contents(source)
    code = sphinx(
        [
            "-q",
            "-W",
            "--keep-going",
            "-b",
            "html",
            "-d",
            str(source / ".doctrees"),
            str(source),
            str(site),
        ]
    )
    if code:
        return code
    faults = sorted(set(broken(site)))
    for each in faults:
        print(each, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
