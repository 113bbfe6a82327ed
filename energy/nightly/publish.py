"""Publish a night: its folder is whole or not there, and `latest` points to a whole one."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path

from energy.nightly.config import LATEST, step, writing
from energy.nightly.plan import NightPlan
from energy.report import markdown
from energy.report.night import night_view
from energy.report.page import render
from energy.runs.folder import PAGE, changed_files, record_of, save_page, sha256, sync, sync_one
from energy.runs.record import PLAN_STATUS, write, write_json

#: Keys of a run's manifest that tell of the clock and not of the plan: the database keeps them.
OF_THE_CLOCK = ("created_utc", "seconds", "files_sha256")
SUMMARY = "summary.md"


def is_published(folder: Path) -> bool:
    """Whether a folder is a whole night: manifest there, every file with its hash, but for a page drawn again.

    A link is none, wherever it leads.
    """
    if folder.is_symlink():
        return False
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        return not changed_files(folder, manifest)
    except (OSError, ValueError, KeyError):
        return False


def publish_night(plan: NightPlan, out: Path, page: bool = True, active: bool = True) -> Path:
    """Write the folder of a night: a run folder without the clock, with night.json, manifest last.

    Parameters
    ----------
    page : draw the report
    active : whether the plan becomes active; if not, a rebuilt database must not take it for one that did

    Raises
    ------
    RunFolderError : the folder cannot be written; nothing half-written stays under its name.
    """
    night, record = plan.summary, record_of(plan.run)
    final, work = out / plan.run_id, out / f".night-{plan.run_id}"
    # The plan's own verdict stays beside the night's, which data and accounts may have made worse.
    manifest = {k: v for k, v in record.manifest.items() if k not in OF_THE_CLOCK}
    manifest |= {PLAN_STATUS: manifest["status"], "run_id": plan.run_id, "night": night["date"],
                 "status": night["status"], "method": plan.method, "reasons": night["reasons"], "active": active}  # fmt: skip
    manifest["solver"] = {k: v for k, v in manifest["solver"].items() if k != "seconds"}
    record = replace(record, manifest=manifest, night=night)
    with writing(final):
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        write(record, work)
        step("copied")
        (work / SUMMARY).write_text(markdown.page(night_view(night)), encoding="utf-8")
        if page:
            save_page(render(record), work / PAGE)
        step("drawn")
        hashes = {str(p.relative_to(work)): sha256(p) for p in sorted(work.rglob("*")) if p.is_file()}
        write_json(manifest | {"files_sha256": hashes}, work / "manifest.json")
        step("manifest")
        work.chmod(0o755)
        sync(work)
        step("synced")
        if final.is_symlink():
            final.unlink()  # what it leads to is not ours
        elif final.exists():
            shutil.rmtree(final)  # not whole, or to be made again
        work.rename(final)
        sync_one(out)
        step("renamed")
    return final


def switch_latest(out: Path, run_id: str) -> None:
    """Point `latest` to a night in one step; a folder or file of that name is put aside as ``.latest-aside-1`` and so on."""
    with writing(out / LATEST):
        if (out / LATEST).exists() and not (out / LATEST).is_symlink():
            free = next(n for n in count(1) if not (out / f".{LATEST}-aside-{n}").exists())
            (out / LATEST).rename(out / f".{LATEST}-aside-{free}")
        new = out / f".{LATEST}"
        with suppress(FileNotFoundError):
            new.unlink()
        new.symlink_to(run_id, target_is_directory=True)
        step("linked")
        new.replace(out / LATEST)
        sync_one(out)
        step("switched")
