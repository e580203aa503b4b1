"""Run the notebooks of examples/notebooks from their sources, each in a clean kernel.

python scripts/notebooks.py          write them, with their outputs
python scripts/notebooks.py --check  exit 1 if one of them is out of date

A source is Markdown; its Python blocks are the cells. The duration of a check may differ from run
to run, and a picture from one version of matplotlib to another. All other output may not.
"""

import re
import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

FOLDER = Path(__file__).parents[1] / "examples" / "notebooks"
SOURCES = sorted((FOLDER / "source").glob("*.md"))


def read(source: Path) -> NotebookNode:
    """Return the notebook of a source, not yet run."""
    notebook = jupytext.read(source, fmt="md")
    for number, cell in enumerate(notebook.cells, 1):
        cell.id, cell.metadata = f"cell-{number}", {}
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def run(source: Path) -> NotebookNode:
    """Return the notebook of a source with its outputs, run in a clean kernel."""
    notebook = read(source)
    client = NotebookClient(
        notebook,
        timeout=120,
        record_timing=False,
        resources={"metadata": {"path": str(FOLDER)}},
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
    )
    ran = client.execute()
    ran.metadata = read(source).metadata  # the kernel adds its own version
    return ran


def comparable(notebook: NotebookNode, pictures: bool) -> str:
    """Return the text of a notebook without durations and, unless *pictures*, without pictures."""
    text = re.sub(r"in [0-9.]+ seconds", "in n seconds", nbformat.writes(notebook))
    return text if pictures else re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "a picture", text)


def main() -> int:
    """Write every notebook, or with --check only compare."""
    check = sys.argv[1:] == ["--check"]
    stale = []
    for source in SOURCES:
        path = FOLDER / f"{source.stem}.ipynb"
        ran = run(source)
        if path.exists() and comparable(nbformat.read(path, 4), not check) == comparable(
            ran, not check
        ):
            continue
        stale.append(path.name)
        if check:
            print(
                f"{path.name}: out of date; run python scripts/notebooks.py",
                file=sys.stderr,
            )
        else:
            nbformat.write(ran, path)
    orphans = {path.stem for path in FOLDER.glob("*.ipynb")} - {source.stem for source in SOURCES}
    for name in sorted(orphans):
        print(f"{name}.ipynb: has no source", file=sys.stderr)
    return 1 if orphans or (check and stale) else 0


if __name__ == "__main__":
    sys.exit(main())
