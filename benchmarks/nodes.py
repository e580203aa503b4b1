"""Where node and the peers in node are, if they are."""

import shutil
from pathlib import Path

FOLDER = Path(__file__).parent / ".env" / "node"


def node_folder() -> tuple[str, Path | None]:
    """Give node and the folder with the peers, or no folder where one of them is absent."""
    node = shutil.which("node")
    return (node, FOLDER) if node and (FOLDER / "node_modules").is_dir() else ("", None)
