"""Files of a night: CSV that no spreadsheet calculates, night.json in the run folder, the PDF."""

from __future__ import annotations

import csv
import sys
from dataclasses import replace

import pandas as pd
import pytest

from benchmarks.instances import Size, random_problem
from energy.errors import ConfigError
from energy.nightly.notify import PDF_NOT_INSTALLED, PdfError, printable, write_pdf
from energy.nightly.publish import is_published, switch_latest
from energy.report.page import render
from energy.runs.folder import PAGE, publish, read_run, save_page
from energy.runs.record import FORMAT
from energy.series.spreadsheet import FORMULA, escape, unescape
from tests.nightly.nights import HOSTILE, night
from tests.report.build import record_of, renamed, small


@pytest.mark.parametrize("text", [*HOSTILE, "'=x", "''=x", "'", "", "-1", "+1", "@a", "plain", "a=b"])
def test_guarded_cells_come_back_and_never_begin_like_a_formula(text):
    assert not escape(text).startswith(FORMULA)
    assert unescape(escape(text)) == text
    assert escape(text) == text or text.lstrip("'").startswith(FORMULA)


@pytest.mark.slow
def test_run_folder_keeps_every_name_and_csv_is_safe_to_open(tmp_path):
    names = [t.replace("\x00", "") for t in HOSTILE]
    problem = renamed(random_problem(Size(jobs=len(names), sites=2), 3), "job", names)
    record = record_of(problem, {"run_id": "hostile"})
    folder = publish(record, tmp_path)
    with (folder / "schedule.csv").open(encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    assert not [r["job"] for r in rows if r["job"].startswith(FORMULA)]
    assert {unescape(r["job"]) for r in rows} <= set(names)
    back = read_run(folder)
    assert set(back.schedule_table["job"]) == set(record.schedule_table["job"])
    assert set(back.schedule_table["job"]) & {"=cmd|' /C calc'!A0", "@SUM(1+1)*cmd"}


@pytest.mark.slow
def test_bills_of_sites_that_look_like_formulas_come_back(tmp_path):
    record = record_of(renamed(random_problem(Size(jobs=3, sites=2), 3), "site", ["=1+1", "s1"]), {"run_id": "sites"})
    folder = publish(record, tmp_path)
    assert "\n=1+1" not in (folder / "bill.csv").read_text(encoding="utf-8")
    pd.testing.assert_series_equal(
        read_run(folder).bills["bill"]["site"], record.bills["bill"]["site"], check_dtype=False
    )


@pytest.mark.slow
def test_night_is_a_file_of_the_run_folder_and_of_its_hashes(tmp_path):
    record = replace(small(), night={"format": FORMAT} | night())
    folder = publish(record, tmp_path, render(record))
    back = read_run(folder)
    assert back.night == record.night
    assert "night.json" in back.manifest["files_sha256"]
    first = (folder / PAGE).read_bytes()
    save_page(render(back), folder / PAGE)
    assert (folder / PAGE).read_bytes() == first
    assert b"nightly report" in first
    assert read_run(publish(small(), tmp_path / "plain")).night is None


@pytest.mark.parametrize("name", ["../up", "/abs", "a/b", "..", ".hidden", "a\nb", "=cmd", "x" * 10_000, "<b>", ""])
def test_names_that_become_folders_are_checked_when_read(case, name):
    """A run folder is named after its case; sites, halls and pools obey the same rule."""
    case.edit("case.yaml", "name", name).refused(ConfigError, "case.yaml", "name")


def test_pdf_without_weasyprint_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(PdfError) as caught:
        write_pdf("<p>x</p>", tmp_path / "report.pdf")
    assert str(caught.value) == PDF_NOT_INSTALLED
    assert list(tmp_path.iterdir()) == []


def test_print_has_no_variables():
    html = printable('<head></head><i style="color:var(--plan);background:var(--nothing)">')
    assert "var(--plan)" not in html
    assert "#0b6aa8" in html
    assert "@page" in html


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # inside weasyprint and what it imports
def test_pdf_is_written_from_the_page(tmp_path):
    pytest.importorskip("weasyprint", reason="the optional extra pdf is not installed: pip install 'hydrocool[pdf]'")
    from energy.report.history import Past
    from energy.report.page import render_history

    write_pdf(render_history([Past.of(night())]), tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF-")
    assert [p.name for p in tmp_path.iterdir()] == ["report.pdf"]


def test_a_folder_called_latest_is_put_aside(tmp_path):
    """Whatever made it: the pointer takes its place, and nothing of it is lost."""
    (tmp_path / "latest").mkdir()
    (tmp_path / "latest" / "mine.txt").write_text("keep", encoding="utf-8")
    (tmp_path / "night").mkdir()
    switch_latest(tmp_path, "night")
    assert (tmp_path / "latest").readlink().name == "night"
    assert (tmp_path / ".latest-aside-1" / "mine.txt").read_text(encoding="utf-8") == "keep"


def test_a_link_is_no_published_night(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "night").symlink_to(outside)
    assert not is_published(tmp_path / "night")
