"""The textfile: valid for Prometheus, each series once, never half written, nothing invented where nothing is known."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from energy.nightly.metrics import LONGEST_LABEL, NAMES, MetricsError, Timing, label, text, write
from tests.nightly.nights import AT_RISK, HOSTILE, failed, hostile_night, night, risky

AT = datetime(2018, 4, 29, 11, 14, tzinfo=UTC)
TIMING = Timing(AT, AT, 61.5, 254.0, 1)
LINE = re.compile(r'^([a-z_]+)\{((?:[a-z_]+="(?:[^"\\\n]|\\\\|\\")*",?)+)\} (-?[0-9.e+-]+)$')


def parsed(exposition: str) -> dict[str, float]:
    """Series -> value, by the rules of the exposition format."""
    out: dict[str, float] = {}
    typed: set[str] = set()
    for line in exposition.removesuffix("\n").split("\n"):
        if line.startswith("#"):
            typed |= {line.split()[2]} if line.startswith("# TYPE") else set()
            continue
        found = LINE.match(line)
        assert found, line
        assert found[1] in typed
        series = f"{found[1]}{{{found[2]}}}"
        assert series not in out, series
        out[series] = float(found[3])
    return out


def test_every_metric_is_there():
    found = parsed(text(night(), TIMING))
    assert {s.split("{")[0] for s in found} == set(NAMES)
    assert found['hydrocool_status{fleet="reference-six",status="OK"}'] == 1
    assert found['hydrocool_status{fleet="reference-six",status="FAILED"}'] == 0
    assert found['hydrocool_fallback_method{fleet="reference-six",method="lp"}'] == 1
    assert found['hydrocool_saving_eur{fleet="reference-six",period="year_to_date"}'] == 671405
    assert found['hydrocool_imputed_hours{fleet="reference-six",kind="weather",series="copenhagen"}'] == 6
    assert found['hydrocool_last_success_timestamp_seconds{fleet="reference-six"}'] == AT.timestamp()
    assert found['hydrocool_remedy_eur{fleet="reference-six"}'] == 0
    assert found['hydrocool_notify_failures{fleet="reference-six"}'] == 1


def test_price_of_saving_is_that_of_the_remedies_and_absent_where_a_job_has_none():
    series = 'hydrocool_remedy_eur{fleet="reference-six"}'
    assert parsed(text(risky(), TIMING))[series] == 403.5
    lost = [AT_RISK[0], AT_RISK[1] | {"remedy": None, "cost_eur": None}]
    assert series not in parsed(text(risky(jobs={"at_risk": lost}), TIMING))


def test_jobs_set_aside_are_counted_and_not_known_of_a_night_without_a_plan():
    series = 'hydrocool_jobs{fleet="reference-six",state="refused"}'
    assert parsed(text(night(), TIMING))[series] == 0
    aside = night()["jobs"] | {"refused": ["job big: no pool may run it", "row 3"]}
    assert parsed(text(night(jobs=aside), TIMING))[series] == 2
    unknown = dict.fromkeys(aside)
    assert not [s for s in parsed(text(night(jobs=unknown), TIMING)) if s.startswith("hydrocool_jobs")]


def test_what_is_not_known_is_left_out():
    found = parsed(text(failed() | {"gap": None}, Timing(AT, None)))
    names = {s.split("{")[0] for s in found}
    assert not names & {
        "hydrocool_last_success_timestamp_seconds",
        "hydrocool_gap_ratio",
        "hydrocool_solve_seconds",
        "hydrocool_cost_variance_eur",
    }
    assert 'hydrocool_saving_eur{fleet="reference-six",period="last_settled_day"}' not in found
    assert found['hydrocool_status{fleet="reference-six",status="FAILED"}'] == 1


def test_hostile_labels_are_valid_and_stay_apart():
    found = parsed(text(hostile_night(), TIMING))
    assert sum(s.startswith("hydrocool_pue_credit_mwh") for s in found) == 2 + len(HOSTILE)
    assert max(len(s) for s in found) < 3 * LONGEST_LABEL


def test_long_labels_that_begin_alike_stay_apart():
    a, b = label("x" * 9000 + "a"), label("x" * 9000 + "b")
    assert a != b
    assert len(a) == len(b) == LONGEST_LABEL
    assert label("a\nb") != label("a b")


def test_the_file_is_replaced_whole_and_no_other_is_left(tmp_path, monkeypatch):
    path = tmp_path / "textfile" / "hydrocool.prom"
    write(night(), TIMING, path)
    before = path.read_text(encoding="utf-8")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(MetricsError, match="No space left"):
        write(failed(), TIMING, path)
    assert path.read_text(encoding="utf-8") == before
    assert [p.name for p in path.parent.iterdir()] == ["hydrocool.prom"]
    assert path.stat().st_mode & 0o777 == 0o644
