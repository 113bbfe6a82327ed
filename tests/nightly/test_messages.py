"""What is sent: Markdown that no renderer can be led astray by, and deliveries that never fail a run."""

from __future__ import annotations

import json
import logging
import re
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from energy.nightly.logs import LOGGER, known_as, logging_to
from energy.nightly.notify import NOT_INSTALLED, notify, service_of
from energy.report import markdown
from energy.report.markdown import NO_WIDTH, code, escaped, page
from energy.report.night import night_view
from tests.nightly.nights import AT_RISK, HOSTILE, failed, hostile_night, night, risky


def test_summary_has_light_savings_days_and_jobs():
    text = page(night_view(night()), "https://nights.example.org/latest")
    assert text.startswith("## OK: reference-six, 30 Apr 2018: Last night saved")
    assert "| 30 Apr | 1\u202f086\u00a0MWh |" in text
    assert "- `amsterdam`, `contract`: −4.2 MWh" in text
    assert "Report: <https://nights.example.org/latest>" in text


def test_summary_names_the_remedy_of_each_job_at_risk():
    text = page(night_view(risky()))
    due = "- `llm-eval-0412` due 1 May 2018 06:00 UTC: 118.5 GPU-h short; remedy: more GPUs in malmo/air/h200"
    assert f"{due}: +12.0\u00a0GPUs, the work then costs at least 342\u00a0EUR" in text
    lost = [AT_RISK[0] | {"remedy": None, "cost_eur": None}]
    assert "remedy: none: it cannot be saved by one change" in page(night_view(risky(jobs={"at_risk": lost})))
    assert "in time: not each can be saved by one change" in page(night_view(risky(jobs={"at_risk": lost})))
    assert "remedy: not known" in page(night_view(risky(jobs={"at_risk": lost}, gap=None)))


def test_summary_of_a_failed_night_begins_with_its_reasons():
    text = page(night_view(failed()))
    assert "**✕ FAILED**: no new plan: the one before stays active." in text
    assert text.index("prices of SE4 unreadable") < text.index("The day before has not been priced")


def test_long_lists_end_in_a_count():
    many = {"at_risk": [AT_RISK[0] | {"id": f"j{i}"} for i in range(12)]}
    assert "- 7 more jobs in the report" in page(night_view(risky(jobs=many)))


def test_hostile_names_stay_names():
    text = page(night_view(hostile_night()))
    assert "<" not in text
    assert "x" * 301 not in text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", text)
    assert len(text) < 10_000
    for line in text.splitlines():
        outside = re.sub(r"`[^`]*`", "", line)
        assert not re.search(r"(?<!\\)\[", outside)
        assert line.count("`") % 2 == 0 or "\\`" in line


@pytest.mark.parametrize("text", HOSTILE)
def test_code_spans_are_one_span_on_one_line(text):
    span = code(text)
    assert re.fullmatch(r"`[^`\n|<>]+`", span)
    assert len(span) <= 42


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("# big", "\\# big"),
        ("- item", "\\- item"),
        ("1. item", "1\\. item"),
        ("*a*_b_", "\\*a\\*\\_b\\_"),
        ("a & <b>", "a &amp; &lt;b>"),
    ],
)
def test_reasons_lose_their_markup(text, safe):
    assert escaped(text) == safe


def test_titles_are_one_line():
    assert "\n" not in night_view(hostile_night()).top.title
    assert len(night_view(hostile_night()).top.title) < 200


def test_delivery_failures_are_returned_and_logged_without_the_address(tmp_path):
    def send(address: str, subject: str, body: str) -> bool:
        if "raise" in address:
            raise RuntimeError(f"cannot reach {address}")
        return "good" in address

    with logging_to(tmp_path / "log.jsonl", "run-1"):
        found = notify(["slack://good-secret/1", "mailtos://user:secret@bad", "json://raise-secret"], "s", "m", send)
    assert [d.delivered for d in found] == [True, False, False]
    assert [d.delivered for d in found].count(False) == 2
    log = (tmp_path / "log.jsonl").read_text(encoding="utf-8")
    assert "secret" not in log
    lines = [json.loads(line) for line in log.splitlines()]
    assert [(r["event"], r["service"], r["level"]) for r in lines] == [
        ("notified", "slack", "INFO"), ("not notified", "mailtos", "ERROR"), ("not notified", "json", "ERROR"),
    ]  # fmt: skip
    assert lines[2]["problem"] == "RuntimeError"


def test_silent_services_hold_the_night_no_longer_together_than_allowed():
    sent = []
    send = lambda address, *_: sent.append(address) or bool(time.sleep(5))  # noqa: E731
    began = time.monotonic()
    found = notify(["json://a", "slack://b", "slack://c"], "s", "m", send, wait=0.2, all_wait=0.3)
    assert time.monotonic() - began < 2
    assert sent == ["json://a", "slack://b"]
    assert [d.delivered for d in found] == [False] * 3
    assert "no time left" in found[2].problem


def test_a_silent_service_does_not_hold_the_night():
    began = time.monotonic()
    found = notify(["json://silent"], "s", "m", lambda *_: bool(time.sleep(5)), wait=0.1)
    assert time.monotonic() - began < 2
    assert not found[0].delivered
    assert "no answer within 0.1 s" in found[0].problem


def test_missing_extra_is_said_and_does_not_raise(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "apprise", None)
    found = notify(["json://localhost"], "s", "m")
    assert found[0].problem == NOT_INSTALLED


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # inside apprise and what it imports
def test_apprise_delivers():
    pytest.importorskip("apprise", reason="the optional extra notify is not installed: pip install 'hydrocool[notify]'")
    got: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    found = notify(
        [f"json://127.0.0.1:{server.server_port}/"], night_view(night()).top.title, page(night_view(night()))
    )
    server.shutdown()
    server.server_close()
    assert found[0].delivered
    assert got[0]["title"].startswith("OK: reference-six")


@pytest.mark.parametrize(
    ("address", "service"),
    [
        ("slack://a/b/c", "slack"),
        ("MAILTOS://u:p@h", "mailtos"),
        ("secret", "address without a service"),
        ("p4ss w://x", "address without a service"),
    ],
)
def test_only_the_kind_of_an_address_is_named(address, service):
    assert service_of(address) == service


def test_log_lines_are_json_with_run_id_on_one_line_each(tmp_path):
    path = tmp_path / "deep" / "log.jsonl"
    with logging_to(path, "run-7") as log:
        for text in HOSTILE:
            log.info("job %s", text, extra={"job": text, "run_id_of": 1})
        try:
            raise ValueError("two\nlines")
        except ValueError:
            log.exception("failed")
        logging.getLogger(f"{LOGGER}.solve").warning("from below")
    lines = path.read_text(encoding="ascii").splitlines()
    records = [json.loads(line) for line in lines]
    assert len(records) == len(HOSTILE) + 2
    assert {r["run_id"] for r in records} == {"run-7"}
    assert [r["job"] for r in records[:-2]] == list(HOSTILE)
    assert "ValueError: two\nlines" in records[-2]["error"]
    assert records[-1]["level"] == "WARNING"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", records[0]["time"])
    assert not re.search("[\x00-\x1f\x7f-\uffff]", "".join(lines))


def test_lines_carry_the_run_id_from_where_it_is_known(tmp_path):
    with logging_to(tmp_path / "l", "north_2024-03-12") as log:
        log.info("read")
        known_as("north_2024-03-12_0123456789ab")
        log.info("plan")
    ids = [json.loads(x)["run_id"] for x in (tmp_path / "l").read_text().splitlines()]
    assert ids == ["north_2024-03-12", "north_2024-03-12_0123456789ab"]


def test_a_later_run_appends_and_the_logger_is_left_as_it_was(tmp_path):
    for run in ("a", "b"):
        with logging_to(tmp_path / "l", run) as log:
            log.info("x")
    assert [json.loads(x)["run_id"] for x in (tmp_path / "l").read_text().splitlines()] == ["a", "b"]
    assert logging.getLogger(LOGGER).handlers == []


def test_a_log_that_cannot_be_opened_goes_to_stderr_and_says_why(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    with logging_to(tmp_path / "file" / "log", "r") as log:
        log.info("the night goes on")
    why, after = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (why["level"], why["event"]) == ("ERROR", "log not made")
    assert "choose another with `log`" in why["problem"]
    assert after["event"] == "the night goes on"


@pytest.mark.parametrize(
    "call",
    [
        "@everyone",
        "@channel",
        "@here",
        "http://evil.example/x",
        "https://evil.example",
        "www.evil.example",
        "mailto:a@b.c",
    ],
)
def test_mentions_and_bare_links_in_reasons_call_nobody(call):
    """A job may be called anything; what a chat or mail would act on is broken by a space without width."""
    shown = night(status="DEGRADED", reasons=[f"job {call}: no pool may run it"], notes=[f"see {call}"],
                 jobs=night()["jobs"] | {"refused": [f"job {call}: no pool may run it"]})  # fmt: skip
    text = markdown.page(night_view(shown))
    assert call not in text.replace("`", "")
    assert NO_WIDTH in text
    assert call in text.replace(NO_WIDTH, "").replace("\\", "")
