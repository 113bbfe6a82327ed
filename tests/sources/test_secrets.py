"""A canary in every credential: it reaches the servers that need it, and nothing else, ever."""

from __future__ import annotations

import base64
import gzip
import logging
import sqlite3
import traceback
import zlib
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr
from werkzeug import Response

from energy.sources import catalogue
from energy.sources.catalogue import SOURCES
from energy.sources.client.answer import SourceError
from energy.sources.client.credentials import CredentialError, credentials, redact, scrub
from energy.sources.client.settings import from_environment
from energy.sources.providers import entsoe, frost, open_meteo
from tests.sources.conftest import CANARIES, empty_file
from tests.sources.times import at

SPAN = (at("2026-11-23T23:00"), at("2026-11-24T23:00"))
FORMS = [f for c in CANARIES.values() for f in (c, base64.b64encode(f"{c}:".encode()).decode(), c[::-1])]


def leaks(folder: Path) -> list[str]:
    """Files in which a canary is, as it is, base64, deflated, or in a database."""
    return [str(p) for p in folder.rglob("*") if p.is_file() and any(f.encode() in _open(p) for f in FORMS)]


def _open(path: Path) -> bytes:
    data = path.read_bytes()
    found = [data]
    for unpack in (gzip.decompress, zlib.decompress, base64.b64decode):
        try:
            found.append(unpack(data))
        except (OSError, ValueError, zlib.error, EOFError):
            continue
    if data.startswith(b"SQLite"):
        with closing(sqlite3.connect(path)) as db:
            tables = [r[0] for r in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            rows = [str(r) for t in tables for r in db.execute(f"SELECT * FROM '{t}'")]
            found += [r.encode() for r in rows]
            words = [w for r in rows for w in r.replace('"', " ").split() if len(w) > 40]
            found += [_base64(w) for w in words]
    return b"\n".join(found)


def _base64(word: str) -> bytes:
    try:
        return base64.b64decode(word + "===")
    except ValueError:
        return b""


def test_the_search_would_find_a_leak(tmp_path):
    canary = next(iter(CANARIES.values()))
    (tmp_path / "plain").write_text(f"x{canary}y")
    (tmp_path / "packed").write_bytes(gzip.compress(canary.encode()))
    with closing(sqlite3.connect(tmp_path / "db")) as db:
        db.execute("CREATE TABLE t (body TEXT)")
        body = base64.b64encode(b"a long body in which the token is " + canary.encode()).decode()
        db.execute("INSERT INTO t VALUES (?)", (f'{{"_content": "{body}"}}',))
        db.commit()
    assert len(leaks(tmp_path)) == 3


def echo(request):
    """A server that says back everything it was sent, in body and header."""
    said = " ".join(f"{k}={v}" for k, v in request.environ["raw.headers"].items())
    return Response(f"<html>invalid: {said} {request.url}</html>", 401, {"X-Echo": said.replace("\n", " ")})


def test_the_canaries_arrive_and_stay_nowhere(world, caplog):
    caplog.set_level(logging.DEBUG)
    client = world.client(ttl_s=1)
    entsoe.get_prices(client, "NO4", *SPAN)
    frost.get_weather(client, 68.4, 17.5, *SPAN)
    open_meteo.get_weather(client, [(52.5, 13.4)], *SPAN)
    assert world.entsoe.last.environ["raw.headers"]["security_token"] == CANARIES["HYDROCOOL_ENTSOE_TOKEN"]
    assert world.open_meteo.last.headers["X-Api-Key"] == CANARIES["HYDROCOOL_OPEN_METEO_KEY"]
    for name in ("entsoe", "frost", "open_meteo"):
        world.contracts[name].always = echo
    texts = [_fails(lambda: client.get("entsoe", "", {"documentType": "A44"}))]
    texts.append(_fails(lambda: frost.get_observations(client, "SN84701", *SPAN)))
    texts.append(_fails(lambda: open_meteo.get_weather(client, [(1.0, 1.0)], *SPAN)))
    world.entsoe.always = Response(status=302, headers={"Location": "https://evil.example/"})
    texts.append(_fails(lambda: client.get("entsoe", "", {"documentType": "A72"})))
    down = world.client(urls=world.urls | {"entsoe": "http://127.0.0.1:9/"}, ttl_s=1)
    texts.append(_fails(lambda: down.get("entsoe", "", {"documentType": "A75"})))
    texts += [caplog.text, repr(client.settings), repr(client.__dict__), str(catalogue.prices(client, "NO4", *SPAN))]
    for text in texts:
        assert not any(f in text for f in FORMS), text
    assert "***" in texts[0], "the server's echo was blotted out"
    client.close()
    assert leaks(world.folder) == []


def test_a_server_that_says_the_token_back_in_its_data_leaves_it_nowhere(world):
    """Bodies are kept raw and cached: what is kept has the token blotted out."""
    canary = CANARIES["HYDROCOOL_ENTSOE_TOKEN"]

    def with_token(request):
        world.entsoe.always = None
        answer = world.entsoe(request)
        body = answer.get_data(as_text=True).replace("<type>A</type>", f"<type>A</type><token>{canary}</token>")
        return Response(body, 200, {"X-Token": canary, "Set-Cookie": f"t={canary}"}, content_type="text/xml")

    world.entsoe.always = with_token
    client = world.client()
    assert entsoe.get_prices(client, "NO4", *SPAN).sizes["time"] == 96
    answer = entsoe.get_prices(client, "NO4", *SPAN)
    assert answer.sizes["time"] == 96
    assert world.entsoe.count == 2, "the second came from the cache"
    client.close()
    assert leaks(world.folder) == []
    assert any(
        b"<token>***</token>" in p.read_bytes() for p in (world.folder / "cache" / "raw").rglob("*") if p.is_file()
    )


def _fails(call) -> str:
    with pytest.raises(SourceError) as caught:
        call()
    e = caught.value
    assert e.__cause__ is None
    return "".join(traceback.format_exception(e)) + repr(e) + repr(e.__dict__)


def test_stale_answers_are_logged_without_secrets(world, caplog):
    import time

    client = world.client(ttl_s=1)
    entsoe.get_prices(client, "NO4", *SPAN)
    time.sleep(1.1)
    world.entsoe.always = Response("down", 503)
    ds = entsoe.get_prices(client, "NO4", *SPAN)
    assert (ds.attrs["stale"], ds.sizes["time"]) == (1, 96)
    assert "using cached response" in caplog.text
    assert not any(f in caplog.text for f in FORMS)


def test_log_records_are_blotted_with_their_arguments_and_tracebacks(world, caplog):
    world.client()
    canary = CANARIES["HYDROCOOL_ENTSOE_TOKEN"]
    log = logging.getLogger("urllib3.connectionpool")
    try:
        raise ValueError(f"token {canary}")
    except ValueError:
        log.warning("GET /api?securityToken=%s", canary, exc_info=True)
    assert "securityToken=***" in caplog.text
    assert "ValueError: token ***" in caplog.text
    assert canary not in caplog.text


def test_a_file_of_credentials_must_be_private(tmp_path):
    variables = frozenset(CANARIES)
    path = tmp_path / "credentials"
    path.write_text("# mine\n\nHYDROCOOL_ENTSOE_TOKEN = from-the-file-1\nHYDROCOOL_OTHER=ignored\n")
    path.chmod(0o644)
    with pytest.raises(CredentialError, match="chmod 600"):
        credentials({"HYDROCOOL_CREDENTIALS": str(path)}, variables)
    path.chmod(0o600)
    found = credentials({"HYDROCOOL_CREDENTIALS": str(path)}, variables)
    assert found.get("HYDROCOOL_ENTSOE_TOKEN").get_secret_value() == "from-the-file-1"
    assert found.get("HYDROCOOL_OTHER") is None
    env = {"HYDROCOOL_CREDENTIALS": str(path), "HYDROCOOL_ENTSOE_TOKEN": "from-environment"}
    assert credentials(env, variables).get("HYDROCOOL_ENTSOE_TOKEN").get_secret_value() == "from-environment"
    path.write_text("HYDROCOOL_ENTSOE_TOKEN secret-without-equals\n")
    with pytest.raises(CredentialError, match="line 1 is not") as caught:
        credentials({"HYDROCOOL_CREDENTIALS": str(path)}, variables)
    assert "secret-without" not in str(caught.value)
    settings = from_environment(tmp_path, SOURCES, {"HYDROCOOL_CREDENTIALS": empty_file(tmp_path)})
    assert settings.credentials == {}


def test_a_file_that_is_named_must_be_there_and_be_text(tmp_path):
    env = {"HYDROCOOL_CREDENTIALS": str(tmp_path / "none"), "HYDROCOOL_ENTSOE_TOKEN": "from-environment"}
    with pytest.raises(CredentialError, match=r"HYDROCOOL_CREDENTIALS: there is no file .*none; allowed: a file of"):
        credentials(env, frozenset(CANARIES))
    (tmp_path / "none").write_bytes(b"HYDROCOOL_ENTSOE_TOKEN = canary-\xff\n")
    (tmp_path / "none").chmod(0o600)
    with pytest.raises(CredentialError, match="none: is not text; allowed: lines HYDROCOOL_NAME = value") as caught:
        credentials(env, frozenset(CANARIES))
    assert "canary" not in "".join(traceback.format_exception(caught.value))


def test_white_space_at_the_ends_of_a_credential_goes_and_other_odd_characters_are_refused(tmp_path):
    env = {"HYDROCOOL_CREDENTIALS": empty_file(tmp_path), "HYDROCOOL_ENTSOE_TOKEN": " canary-token\r\n"}
    found = credentials(env | {"HYDROCOOL_FROST_CLIENT_ID": " \n"}, frozenset(CANARIES))
    assert {n: v.get_secret_value() for n, v in found.items()} == {"HYDROCOOL_ENTSOE_TOKEN": "canary-token"}
    for variable in ("HYDROCOOL_ENTSOE_TOKEN", "HYDROCOOL_CONTACT"):
        for odd in ("canary\nX-Other: 1", "canary\x00token", "canary\u20actoken", "canary\x7ftoken"):
            with pytest.raises(CredentialError, match=f"^{variable}: holds a line break or another") as caught:
                from_environment(tmp_path, SOURCES, env | {variable: odd})
            assert "canary" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("source", "variable", "odd"),
    [
        ("entsoe", "HYDROCOOL_ENTSOE_TOKEN", "canary-entsoe\nX-Other: 1"),
        ("entsoe", "HYDROCOOL_ENTSOE_TOKEN", "canary-entsoe-\u20ac"),
        ("frost", "HYDROCOOL_FROST_CLIENT_ID", "canary-entsoe-\u20ac"),
    ],
)
def test_a_header_that_cannot_be_sent_is_one_error_without_its_value(world, caplog, source, variable, odd):
    """Past the check of the environment, for who makes Settings by hand: http.client quotes what it refuses."""
    caplog.set_level(logging.DEBUG)
    client = world.client(credentials={variable: SecretStr(odd)})
    text = _fails(lambda: client.get(source, "", {"documentType": "A44"}))
    assert f"{source}: fatal: the request cannot be sent" in text
    assert "canary-entsoe" not in text + caplog.text + str(client.health(source))


def test_a_contact_that_cannot_be_sent_is_one_error_without_its_value(world):
    for contact in ("canary-me\nX: 1", "canary-me\u20ac"):
        client = world.client(contact=contact)
        text = _fails(partial(client.get, "nve", "HentOffentligData"))
        assert "nve: fatal: " in text
        assert "canary" not in text


def test_nothing_short_is_blotted_out(tmp_path):
    none = {"HYDROCOOL_CREDENTIALS": empty_file(tmp_path)}
    credentials(none | {"HYDROCOOL_ENTSOE_TOKEN": "abc"}, frozenset(CANARIES))
    assert redact("abcdef") == "abcdef"
    credentials(none | {"HYDROCOOL_ENTSOE_TOKEN": "p@ss word/1"}, frozenset(CANARIES))
    assert redact("x=p%40ss%20word%2F1&y") == "x=***&y"
    assert scrub(b"<p>p@ss word/1</p>") == b"<p>***</p>"
