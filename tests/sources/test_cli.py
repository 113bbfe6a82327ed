"""`energy sources`, `energy fetch` and `energy optimize --live` as a user types them, against the local servers."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest
from werkzeug import Response

from energy.cli.app import main
from energy.fetch import CACHE
from energy.sources.catalogue import SOURCES
from tests.sources.conftest import CANARIES, empty_file
from tests.sources.test_fetch import NORWAY
from tests.sources.test_secrets import FORMS, leaks


@pytest.fixture
def energy(world, time, monkeypatch, tmp_path, capfd):
    """The command in a folder of its own, with every source at the local servers; real clock."""
    time.now = datetime.now(UTC).replace(tzinfo=None)
    for contract in world.contracts.values():
        if hasattr(contract, "issued"):
            contract.issued = time.now
    world.energy_charts.always = Response(status=404)  # its clock is the tests', the command's is real
    monkeypatch.chdir(tmp_path)
    for name, source in SOURCES.items():
        monkeypatch.setenv(source.url_variable, world.urls[name])
    for name in [n for n in os.environ if n.startswith("HYDROCOOL_") and not n.endswith("_URL")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HYDROCOOL_LOOPBACK_HTTP", "1")
    monkeypatch.setenv("HYDROCOOL_CONTACT", "tests@hydrocool.example")
    monkeypatch.setenv("HYDROCOOL_CREDENTIALS", empty_file(tmp_path))

    def run(*args: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            main([str(a) for a in args])
        out, err = capfd.readouterr()
        assert not any(f in out + err for f in FORMS)
        return int(caught.value.code or 0), out, err

    return run


def test_sources_before_and_after(energy, monkeypatch):
    code, out, _ = energy("sources")
    assert code == 0
    for name in SOURCES:
        assert name in out
    assert "never" in out
    monkeypatch.setenv("HYDROCOOL_ENTSOE_TOKEN", CANARIES["HYDROCOOL_ENTSOE_TOKEN"])
    code, out, _ = energy("sources", "--json")
    table = {row["name"]: row for row in json.loads(out)}
    assert table["entsoe"]["key"] == "HYDROCOOL_ENTSOE_TOKEN (set)"
    assert table["met_norway"]["licence"] == "CC BY 4.0"


def test_fetch_shows_progress_and_says_what_is_missing(energy, world, tmp_path):
    code, out, err = energy("fetch", "--fleet", NORWAY)
    assert code == 0
    assert "[1/9] price NO4" in err
    assert re.search(r"price NO4: 24 h|price NO4: .*h secondary", out)
    assert "prices_eur.nc" in out
    assert (tmp_path / CACHE / "http.sqlite").is_file()
    day = next(tmp_path.glob("data/cache/fetched/*")).name.split("_")[1]
    for contract in world.contracts.values():
        contract.always = Response(status=404)
    code, out, err = energy("fetch", "--fleet", NORWAY, "--from", day, "--cache", tmp_path / "other")
    assert code == 3
    assert "MISSING" in out
    assert "no source has price NO4, price NO2, weather narvik" in err


def test_without_a_network_it_says_so_soon(energy, monkeypatch, tmp_path):
    """Nobody answers anywhere: one clear line, the right code, a few attempts in all."""
    for source in SOURCES.values():
        monkeypatch.setenv(source.url_variable, "http://127.0.0.1:9/")
    code, out, err = energy("fetch", "--from", "2026-11-24")
    assert code == 3
    assert out.count("MISSING") >= 5
    assert "no source has price NO4, price NO2, weather narvik" in err
    assert err.splitlines()[-1].endswith(
        "allowed: a connection to the internet (HTTPS_PROXY where it needs a proxy): not one source could be reached"
    )
    with closing(sqlite3.connect(tmp_path / CACHE / "ledger.sqlite")) as db:
        sent = dict(db.execute("SELECT source, COUNT(*) FROM sent GROUP BY source").fetchall())
    assert set(sent.values()) == {2}, "each source was tried once and again, not for every series"
    code, _, err = energy("optimize", "--live", "--fleet", NORWAY)
    assert code == 3
    assert "not one source could be reached" in err
    assert not list(tmp_path.glob("data/runs/*"))
    code, _, err = energy("fetch", "--as-of", "2026-11-24T14:00", "--from", "2026-11-25")
    assert (code, "no fetch of norway over" in err, err.count("\n")) == (3, True, 1)


@pytest.mark.slow
def test_optimize_live(energy, world, tmp_path, monkeypatch):
    for name, canary in CANARIES.items():
        monkeypatch.setenv(name, canary)
    code, _, err = energy("optimize", "--live", "--fleet", NORWAY)
    assert code in (0, 6), err
    assert "INVENTED reference jobs" in err
    folder = next((tmp_path / "data" / "runs").iterdir())
    assert (folder / "report.html").stat().st_size > 1000
    assert leaks(tmp_path) == []


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("optimize", "--live"), "--live needs --fleet"),
        (("optimize", "case.yaml", "--live", "--fleet", str(NORWAY)), "either a case or --live"),
        (("optimize", "--fleet", str(NORWAY)), "--fleet and --jobs belong to --live"),
        (("fetch", "--fleet", str(NORWAY), "--from", "tomorrow"), "is not a day"),
        (("fetch", "--fleet", "none.yaml"), "cannot be read"),
        (("fetch", "--as-of", "yesterday"), "is not a moment"),
    ],
)
def test_what_does_not_fit_together_is_said_in_one_line(energy, args, words):
    code, out, err = energy(*args)
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1


def test_a_bad_address_or_credentials_file_is_one_line(energy, monkeypatch, tmp_path):
    path = tmp_path / "credentials"
    path.write_text("HYDROCOOL_ENTSOE_TOKEN = abcdef\n")
    path.chmod(0o644)
    monkeypatch.setenv("HYDROCOOL_CREDENTIALS", str(path))
    code, _, err = energy("sources")
    assert (code, "chmod 600" in err, err.count("\n")) == (2, True, 1)
    monkeypatch.setenv("HYDROCOOL_CREDENTIALS", empty_file(tmp_path))
    monkeypatch.setenv("HYDROCOOL_NVE_URL", "http://10.0.0.1/")
    code, _, err = energy("sources")
    assert (code, "must be https" in err, err.count("\n")) == (2, True, 1)
