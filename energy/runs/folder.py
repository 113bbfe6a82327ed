"""Run folders: written beside their place and renamed into it, on the disk before their name is."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from energy import __version__
from energy.errors import NewerFormat, RunFolderError
from energy.inputs.provenance import hashes, pinned, rate_origins, series_origins
from energy.runs.record import FORMAT, HYDRO, RESERVOIRS, Record, read, read_manifest, read_water, write, write_json
from energy.schedule.table import frame, handed_over

if TYPE_CHECKING:
    from energy.optimize import Run


#: The report page; the one file of a run folder that may be drawn again.
PAGE = "report.html"
#: Libraries whose version can change an answer.
LIBRARIES = ("pyomo", "highspy", "numpy", "scipy", "pandas", "xarray", "pvlib", "h5netcdf")


def check_writable(out: Path) -> None:
    """Fail before the solve, not after it, when results could not be kept.

    Raises
    ------
    RunFolderError : the folder cannot be made or written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out) as probe:
            probe.write(b"hydrocool")
    except OSError as e:
        what = f"{out}: run folders cannot be written there ({e.strerror})"
        raise RunFolderError(f"{what}; choose another with --out") from None


def record_of(run: Run) -> Record:
    """Everything of a Run that is kept."""
    datasets = {
        "problem": run.problem, "solution": run.solution, "prices": run.prices,
        "replay": run.plan.replay, "baseline_replay": run.baseline.replay,
        "schedule": run.plan.schedule, "baseline_schedule": run.baseline.schedule,
    }  # fmt: skip
    bills = {"bill": run.plan.bill.frame(), "baseline_bill": run.baseline.bill.frame()}
    schedule = frame(handed_over(run.problem, run.plan.schedule))
    folder = run.inputs.case_path.parent
    return Record(
        datasets, schedule, bills, run.summary, manifest_of(run), pinned(run.inputs),
        read_water(folder, RESERVOIRS), read_water(folder, HYDRO),
    )  # fmt: skip


def manifest_of(run: Run) -> dict[str, Any]:
    """Versions, arguments, inputs with hashes, provenance, solver, proof. Nothing of the environment."""
    folder, horizon = run.inputs.case_path.parent, run.inputs.case.horizon
    return {
        "format": FORMAT,
        "run_id": run_id(run),
        "status": run.outcome.status,
        "reasons": list(run.outcome.reasons),
        "certificate": run.certificate.as_dict(),
        "created_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"hydrocool": __version__, "python": platform.python_version(), "highs": run.raw.version}
        | {name: version(name) for name in LIBRARIES},
        "arguments": {"case": run.inputs.case_path.name, "start": str(horizon.start), "end": str(horizon.end),
                      "fill": run.inputs.fill, "attribute": "attribution" in run.summary, "as_of": str(run.inputs.as_of or "")},
        "inputs_sha256": {os.path.relpath(path, folder): sha for path, sha in hashes(run.inputs).items()},
        "series": series_origins(run.inputs),
        "rates": rate_origins(run.inputs),
        "jobs_outside_horizon": list(run.inputs.left_out),
        "solver": {"status": run.raw.status, "iterations": run.raw.iterations, "seconds": round(run.raw.seconds, 3)},
        "seconds": {k: round(v, 3) for k, v in run.seconds.items()},
    }  # fmt: skip


def run_id(run: Run) -> str:
    """Case, horizon, and a hash of version and inputs: the same inputs give the same id."""
    horizon = run.inputs.case.horizon
    digest = hashlib.sha256(__version__.encode())
    digest.update(run.inputs.case.model_dump_json().encode())
    digest.update(str(run.inputs.as_of or "").encode())
    for sha in sorted(hashes(run.inputs).values()):
        digest.update(sha.encode())
    return f"{run.inputs.case.name}_{horizon.start}_{horizon.end}_{digest.hexdigest()[:8]}"


def sha256(path: Path) -> str:
    """Hash of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def changed_files(folder: Path, manifest: dict[str, Any]) -> list[str]:
    """Files of a run folder that are not as its manifest has them; the page does not count, it may be drawn again.

    Raises
    ------
    OSError : a file is missing.
    """
    return [n for n, sha in manifest["files_sha256"].items() if n != PAGE and sha256(folder / n) != sha]


def publish(record: Record, out: Path, page: str | None = None) -> Path:
    """Write the run folder under `out` and return it; the manifest comes last, with a hash per file.

    Parameters
    ----------
    page : the report as HTML; without it `energy report` draws it later

    Raises
    ------
    RunFolderError : it cannot be written (read-only, full); nothing half-written stays behind.
    """
    final = out / str(record.manifest["run_id"])
    try:
        out.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".writing-", dir=out))
        try:
            write(record, work)
            if page is not None:
                (work / PAGE).write_text(page, encoding="utf-8")
            files = {p.relative_to(work).as_posix(): sha256(p) for p in sorted(work.rglob("*")) if p.is_file()}
            write_json(record.manifest | {"files_sha256": files}, work / "manifest.json")
            _rename(work, final)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except OSError as e:
        what = f"{final}: the run folder cannot be written ({e.strerror or e})"
        raise RunFolderError(f"{what}; older ones are untouched") from None
    return final


def _rename(work: Path, final: Path) -> None:
    """Put the finished folder in its place; an older run of the same id makes way only then, and comes back."""
    work.chmod(0o755)
    sync(work)
    old = work.with_name(f".old-{work.name.removeprefix('.')}")
    try:
        if final.exists():
            final.rename(old)
        work.rename(final)
    except BaseException:  # Ctrl-C too
        if old.exists() and not final.exists():
            old.rename(final)
        raise
    shutil.rmtree(old, ignore_errors=True)


def read_run(folder: Path) -> Record:
    """A finished run folder, every file as it was written.

    Raises
    ------
    RunFolderError : no finished run, a newer format, or a file that is missing or has changed since.
    """
    try:
        changed = changed_files(folder, read_manifest(folder))
    except NewerFormat:
        raise
    except (OSError, ValueError, KeyError) as e:
        raise RunFolderError(f"{folder}: is no finished run folder ({e}); allowed: one of energy optimize") from None
    if changed:
        raise RunFolderError(f"{folder / changed[0]}: has changed since the run was written; run energy optimize again")
    return read(folder)


def save_page(page: str, target: Path) -> None:
    """Write a report beside its place and rename it, so that an older one stays whole until then.

    Raises
    ------
    RunFolderError : the page cannot be written.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".writing-", dir=target.parent) as work:
            (Path(work) / PAGE).write_text(page, encoding="utf-8")
            (Path(work) / PAGE).replace(target)
    except OSError as e:
        raise RunFolderError(f"{target}: cannot be written ({e.strerror or e})") from None


def sync(folder: Path) -> None:
    """Every file and folder below a folder, and the folder itself.

    Raises
    ------
    OSError : one of them cannot be written.
    """
    for path in sorted(folder.rglob("*")):
        sync_one(path)
    sync_one(folder)


def sync_one(path: Path) -> None:
    """A file, or the names in a folder.

    Raises
    ------
    OSError : it cannot be written.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
