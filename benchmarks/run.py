"""Run the benchmarks: the peers are installed into an environment of their own, then each part runs in turn.

python benchmarks/run.py               install, run all, write results.json and docs/benchmarks.md
python benchmarks/run.py decision ...  only these parts; what the others found before is kept
python benchmarks/run.py --quick       prove in a few seconds that it runs: nothing installed, nothing written
"""

import json
import os
import platform
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import page

HERE = Path(__file__).parent
ROOT = HERE.parent
ENVIRONMENT = HERE / ".env"
NODE = ENVIRONMENT / "node"


def main(arguments: list[str]) -> None:
    """Run the parts that are asked for, and keep what each of them found as soon as it is there."""
    quick = "--quick" in arguments
    asked = [each for each in arguments if each != "--quick"] or page.PARTS
    unknown = [each for each in asked if each not in page.PARTS]
    if unknown:
        raise SystemExit(
            f"no part is called {', '.join(unknown)}; there are {', '.join(page.PARTS)}"
        )
    python = sys.executable if quick else install()
    for name in asked:
        file = HERE / f"{name}.py"
        if not file.exists():
            print(f"{name}: not there, left out")
            continue
        print(f"{name}: running", flush=True)
        done = subprocess.run(
            [python, str(file), *(["--quick"] if quick else [])], stdout=subprocess.PIPE, text=True
        )
        if done.returncode:
            raise SystemExit(f"{name}: failed; what the parts before it found is kept")
        found = json.loads(done.stdout)
        print(page.brief(found))
        if not quick:
            results = page.read()
            results[name] = {
                **found,
                "machine": machine(),
                "on": datetime.now(UTC).date().isoformat(),
            }
            page.write(results)


def install() -> str:
    """Make the environment of the peers, or bring it up to date, and give its Python."""
    python = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
    wanted = ["-e", str(ROOT), "-r", str(HERE / "requirements.txt")]
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", *wanted], check=True)
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        print("node is not there: xstate and cql-execution are left out")
    else:
        NODE.mkdir(exist_ok=True)
        shutil.copy(HERE / "package.json", NODE)
        subprocess.run(
            [npm, "install", "--silent", "--no-audit", "--no-fund"], cwd=NODE, check=True
        )
    return str(python)


def machine() -> str:
    """Say what it ran on."""
    model = platform.processor() or platform.machine()
    cpus = Path("/proc/cpuinfo")
    if cpus.exists():
        named = (
            line.split(":", 1)[1].strip()
            for line in cpus.read_text().splitlines()
            if "model name" in line
        )
        model = next(named, model)
    python = f"{platform.python_implementation()} {platform.python_version()} ({platform.python_compiler()})"
    load = f", load {os.getloadavg()[0]:.1f} at the end" if hasattr(os, "getloadavg") else ""
    return (
        f"{model}, {os.cpu_count()} cores; {platform.system()} {platform.machine()}; {python}{load}"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
