"""What the package is made of, and where it runs: ``python -m benchmarks.supply_chain audit | sbom | pythons``.

- ``audit``  (make audit): known vulnerabilities of the locked packages, by pip-audit; skipped by name where no advisory service answers.
- ``sbom``  (make sbom): the locked packages as CycloneDX JSON in data/sbom.json, by cyclonedx-bom.
- ``pythons``  (make pythons): fast tests on each supported Python that is there; the others are named.

Each tool is installed into an environment of its own that is thrown away.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK, SBOM = ROOT / "requirements.lock", ROOT / "data" / "sbom.json"
#: Tools and their versions; an advisory database of another version would not change what is locked here.
TOOLS = {"audit": "pip-audit==2.9.0", "sbom": "cyclonedx-bom==7.0.0"}
#: Supported versions beside the one of the lock.
PYTHONS = ("3.12", "3.13", "3.14")
#: What pip-audit says where the network, not a package, is the problem.
NO_SERVICE = (
    "ConnectionError",
    "Max retries",
    "Name or service",
    "Temporary failure",
    "ServiceError",
    "Connection refused",
    "403",
    "timed out",
)


def environment(folder: str, *packages: str, python: str = sys.executable) -> Path:
    """A new environment with packages; its Python.

    Raises
    ------
    SystemExit : the package index does not give one of them.
    """
    subprocess.run([python, "-m", "venv", folder], check=True)
    there = Path(folder) / "bin" / "python"
    done = run([str(there), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages])
    if done.returncode:
        sys.exit(f"{' '.join(packages)} cannot be installed: {done.stderr.strip().splitlines()[-1]}")
    return there


def run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """A command from the checkout, its output kept."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def audit() -> int:
    """Print known vulnerabilities; 1 where there is one, 0 also where no service answers, which is said."""
    with tempfile.TemporaryDirectory() as folder:
        python = environment(folder, TOOLS["audit"])
        done = run([str(python), "-m", "pip_audit", "--requirement", str(LOCK), "--no-deps", "--disable-pip"])
    text = done.stdout + done.stderr
    if done.returncode and any(word in text for word in NO_SERVICE):
        print("SKIPPED: no advisory service of pip-audit answers from here")
        return 0
    skipped, locked = text.count("could not be audited"), len(_locked())
    if skipped:
        print(
            f"SKIPPED: {skipped} of {locked} packages, which the advisory service that answers from here does not know"
        )
    if skipped < locked - 1 or done.returncode:  # colorama is for Windows alone, and not asked for elsewhere
        print(text.strip())
    return done.returncode


def _locked() -> set[str]:
    """Names of the locked packages."""
    text = LOCK.read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if "==" in line and not line.startswith((" ", "#")))
    return {line.split("==")[0].split("[")[0].strip().lower().replace("_", "-") for line in lines}


def sbom() -> int:
    """Write the bill of materials and check that it names every locked package."""
    with tempfile.TemporaryDirectory() as folder:
        python = environment(folder, TOOLS["sbom"])
        SBOM.parent.mkdir(parents=True, exist_ok=True)
        done = run(
            [
                str(python),
                "-m",
                "cyclonedx_py",
                "requirements",
                str(LOCK),
                "--output-format",
                "JSON",
                "--output-file",
                str(SBOM),
            ]
        )
    if done.returncode:
        print(done.stderr.strip())
        return done.returncode
    components = json.loads(SBOM.read_text(encoding="utf-8"))["components"]
    named, locked = {c["name"].lower().replace("_", "-") for c in components}, _locked()
    print(f"{SBOM}: {len(named)} components; locked and not named: {sorted(locked - named) or 'none'}")
    return int(bool(locked - named))


def pythons() -> int:
    """Run the fast tests on every supported Python that is on the path or under pyenv."""
    failed = 0
    for version in PYTHONS:
        found = shutil.which(f"python{version}") or next(
            (str(p) for p in sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))), None
        )
        if found is None or run([found, "-c", "import venv, ssl"]).returncode:
            print(f"{version}: absent")
            continue
        with tempfile.TemporaryDirectory() as folder:
            python = environment(folder, "--require-hashes", "-r", str(ROOT / "requirements-dev.lock"), python=found)
            done = run(
                [str(python), "-m", "pytest", "-m", "not slow", "-q", "--numprocesses", "2", "--dist", "loadfile"]
            )
        print(f"{version}: {'passed' if not done.returncode else 'FAILED'}: {done.stdout.strip().splitlines()[-1]}")
        failed += bool(done.returncode)
    return int(bool(failed))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("audit", "sbom", "pythons"))
    sys.exit({"audit": audit, "sbom": sbom, "pythons": pythons}[parser.parse_args().what]())
