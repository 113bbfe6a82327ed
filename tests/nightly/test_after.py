"""What follows a night: metrics, history page, log, messages; none of them can make it fail."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace

import pytest

from energy.errors import StoreError
from energy.nightly import history, notify
from energy.nightly import run as nightly
from energy.nightly.fallback import KILLED, Ended
from energy.nightly.history import last_nights
from energy.nightly.logs import logging_to
from energy.nightly.notify import Delivery
from energy.nightly.outcome import Night
from energy.nightly.run import run_night
from tests.cli.conftest import energy  # noqa: F401 - the fixture that runs a command
from tests.nightly.nightcase import DAY


def metric(folder, name):
    """Value of a metric by its name and labels."""
    lines = (folder / "hydrocool.prom").read_text(encoding="utf-8").splitlines()
    return next(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


@pytest.fixture
def impossible(nights):
    """A folder whose night cannot be planned: no price is known."""
    nights.put("prices.csv", [r for r in nights.rows("prices.csv") if r["utc"] < "2024-03-01"])
    return nights


@pytest.mark.slow
def test_a_published_night_leaves_metrics_history_log_and_summary(solved):
    out = solved.case.out
    assert metric(out, 'hydrocool_status{fleet="small",status="OK"}') == 1
    assert metric(out, "hydrocool_last_success_timestamp_seconds") > 0
    folder = out / (out / "latest").readlink()
    assert f"./{folder.name}/report.html" in (out / history.HISTORY).read_text(encoding="utf-8")
    assert (folder / "summary.md").read_text(encoding="utf-8").startswith("## OK: small, 12 Mar 2024")
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    begun = [i for i, line in enumerate(lines) if line["event"] == "what is known, what yesterday left"]
    last = lines[begun[-1] :]  # tests share the folder of this night
    assert last[0]["run_id"] == f"small_{DAY}"
    assert {line["run_id"] for line in last[1:]} == {folder.name}
    assert (lines[-1]["event"], lines[-1]["status"], lines[-1]["published"]) == ("ended", "OK", folder.name)


def test_a_failed_night_is_in_metrics_and_history_without_invented_zeros(impossible):
    assert impossible.night().status == "FAILED"
    assert metric(impossible.out, 'hydrocool_status{fleet="small",status="FAILED"}') == 1
    text = (impossible.out / "hydrocool.prom").read_text(encoding="utf-8")
    for unknown in ("hydrocool_cost_eur", "hydrocool_unserved_gpu_hours", "hydrocool_last_success"):
        assert unknown not in text
    assert "FAILED" in (impossible.out / history.HISTORY).read_text(encoding="utf-8")


def test_messages_that_do_not_arrive_are_counted_and_the_night_stands(impossible, monkeypatch):
    sent = []

    def lost(addresses, subject, text):
        sent.append((list(addresses), subject, text))
        return [Delivery("json", False, "the service did not take the message")]

    monkeypatch.setenv(notify.ADDRESSES, "json://localhost")
    monkeypatch.setattr(notify, "notify", lost)
    night = impossible.night()
    assert night.code == 7
    [(addresses, subject, text)] = sent
    assert addresses == ["json://localhost"]
    assert "nothing published, the last plan stays active" in subject
    assert all(reason.split()[0] in text for reason in night.reasons)
    assert metric(impossible.out, "hydrocool_notify_failures") == 1


def test_a_metrics_folder_that_cannot_be_is_logged_and_no_more(impossible):
    config = impossible.folder / "nightly.yaml"
    (impossible.folder / "taken").write_text("a file", encoding="utf-8")
    config.write_text(config.read_text(encoding="utf-8") + "metrics: taken/x.prom\n", encoding="utf-8")
    assert impossible.night().code == 7
    lines = [json.loads(x) for x in (impossible.out / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    [failed] = [x for x in lines if x["level"] == "ERROR"]
    assert failed["event"] == "metrics not made"
    assert "taken/x.prom: the metrics cannot be written" in failed["problem"]


def test_a_log_that_cannot_be_opened_fails_no_night(impossible, capfd):
    config = impossible.folder / "nightly.yaml"
    (impossible.folder / "taken").write_text("a file", encoding="utf-8")
    config.write_text(config.read_text(encoding="utf-8") + "log: taken/log.jsonl\n", encoding="utf-8")
    assert impossible.night().code == 7
    assert metric(impossible.out, 'hydrocool_status{fleet="small",status="FAILED"}') == 1
    assert "taken/log.jsonl: the log cannot be written" in capfd.readouterr().err


def errors(folder):
    lines = [json.loads(x) for x in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    return [x for x in lines if x["level"] == "ERROR"]


def test_whatever_a_library_raises_is_logged_and_no_more(impossible, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("json://user:secret@host")

    monkeypatch.setenv(notify.ADDRESSES, "json://localhost mailto://b")
    for name in ("notify", "render_history"):
        monkeypatch.setattr(notify, name, broken)
    monkeypatch.setattr(notify.metrics, "write", broken)
    assert impossible.night().code == 7
    assert {x["event"] for x in errors(impossible.out)} == {"history not made", "metrics not made", "not notified"}
    [told] = [x for x in errors(impossible.out) if x["event"] == "not notified"]
    assert told["problem"] == "RuntimeError", "the text of an error may hold an address"


def test_messages_that_cannot_even_be_written_count_as_lost(impossible, monkeypatch):
    monkeypatch.setenv(notify.ADDRESSES, "json://localhost mailto://b")
    monkeypatch.setattr(notify, "notify", lambda *_: 1 / 0)
    impossible.night()
    assert metric(impossible.out, "hydrocool_notify_failures") == 2


def test_an_older_night_is_no_news(impossible, monkeypatch):
    sent = []
    monkeypatch.setenv(notify.ADDRESSES, "json://localhost")
    monkeypatch.setattr(notify, "notify", lambda *a: sent.append(a) or [])
    impossible.night()
    before = (impossible.out / "hydrocool.prom").read_bytes()
    impossible.night(DAY - timedelta(days=1))
    assert len(sent) == 1
    assert (impossible.out / "hydrocool.prom").read_bytes() == before
    assert f"{DAY - timedelta(days=1)}" in json.dumps(list(last_nights(impossible.place, 9)))


def test_a_quiet_night_tells_nobody(impossible, monkeypatch):
    monkeypatch.setenv(notify.ADDRESSES, "json://localhost")
    monkeypatch.setattr(notify, "notify", lambda *_: pytest.fail("a message"))
    run_night(impossible.place, DAY, quiet=True)
    assert not (impossible.out / "hydrocool.prom").exists()


def test_a_pdf_that_takes_too_long_is_killed_and_no_more(impossible, monkeypatch):
    """The process is a fake that its limit has ended."""
    asked = []

    def run(args, limit_s, log, module):
        asked.append((args, limit_s, module))
        return Ended(KILLED, 180.0, "killed after 180 s, 1.5 times its limit")

    monkeypatch.setattr(notify.fallback, "run", run)
    page = impossible.folder / "report.html"
    page.write_text("<head></head>", encoding="utf-8")
    impossible.edit("nightly.yaml", "pdf", True)
    impossible.out.mkdir()
    night = Night(DAY, "OK", folder=impossible.folder)
    with logging_to(impossible.out / "log.jsonl", "r"):
        notify.follow_up(impossible.place, None, night)
    [([source, _], limit, module)] = asked
    assert (source, limit, module) == (str(page), notify.LIMIT_S, notify.__name__)
    problem = next(x["problem"] for x in errors(impossible.out) if x["event"] == "pdf not made")
    assert problem.endswith("1.5 times its limit")


def test_the_process_of_a_pdf_says_what_is_wrong(tmp_path):
    with pytest.raises(notify.PdfError, match="No such file"):
        notify.draw(tmp_path / "gone.html", tmp_path / "x.pdf", tmp_path / "log")


def test_the_folder_of_pdfs_is_made(tmp_path, monkeypatch):
    page = SimpleNamespace(write_pdf=lambda: b"%PDF-")
    monkeypatch.setattr(notify, "import_weasyprint", lambda: SimpleNamespace(HTML=lambda **_: page))
    notify.write_pdf("<head></head>", tmp_path / "pdf" / "night.pdf")
    assert (tmp_path / "pdf" / "night.pdf").read_bytes() == b"%PDF-"


@pytest.fixture
def broken(nights, monkeypatch):
    """A folder with a plan in force whose database cannot be read; returns it and what was sent."""
    sent = []
    monkeypatch.setenv(notify.ADDRESSES, "json://localhost")
    monkeypatch.setattr(notify, "notify", lambda *a: sent.append(a) or [])
    (nights.out / "latest").mkdir(parents=True)
    (nights.out / "latest" / "night.json").write_text('{"fleet": "small fleet"}')
    nights.place.database.write_bytes(b"no database " * 500)
    return nights, sent


@pytest.mark.parametrize("days", [("--date", DAY), ("--from", DAY, "--to", DAY)])
def test_a_database_that_cannot_be_used_is_worth_another_attempt(days, broken, energy):  # noqa: F811
    done = energy("nightly", broken[0].folder / "nightly.yaml", *days)
    assert done.code == 7
    assert "the state database is damaged" in done.out + done.err


def test_without_its_database_a_night_is_still_told(broken):
    nights, sent = broken
    night = nights.night()
    assert (night.status, night.code, night.folder) == ("FAILED", 7, None)
    [(_, subject, text)] = sent
    assert "nothing published" in subject
    assert "the state database is damaged" in text.replace("\\", "")
    assert metric(nights.out, 'hydrocool_status{fleet="small fleet",status="FAILED"}') == 1
    told = (nights.out / "hydrocool.prom").read_text(encoding="utf-8")
    assert "hydrocool_last_success" not in told
    assert "hydrocool_wall_seconds" not in told


def test_a_database_that_is_locked_halfway_fails_the_night(impossible, monkeypatch):
    def locked(*_):
        raise StoreError("locked by another process")

    monkeypatch.setattr(nightly, "record_run", locked)
    assert impossible.night().reasons == ["locked by another process"]
    assert metric(impossible.out, 'hydrocool_status{fleet="small",status="FAILED"}') == 1
