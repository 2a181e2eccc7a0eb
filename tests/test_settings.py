"""Settings: a file, the environment on top, and words for everything that can be wrong with either."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from nhirx import settings
from nhirx.errors import FileMissing, FileUnreadable, SettingInvalid, SettingMissing
from nhirx.settings import Settings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "nhirx.toml"


def written(file: Path, text: str) -> Path:
    file.write_text(text, "utf-8")
    return file


def test_defaults_without_a_file():
    """A machine without settings works as far as no unpublished value is needed."""
    found = settings.load()

    assert Settings() == found
    assert (30, "at-once", None) == (found.upload.batch_size, found.upload.send, found.upload.quiet)
    assert "https://localhost:5066" == found.control.local.url
    assert found.record.medical_category is None


def test_whole_file(file):
    file.write_text(
        "[pharmacy]\ninstitution = '5901234567'\nformat2_since = '1130901'\n[control.local]\nurl = 'https://localhost:7777'\ntimeout = 3\n"
        "[plugins]\nblocked = ['webhook']\ntime_limit = 2.5\n[plugins.options.csv]\nfolder = 'x'\n",
        "utf-8",
    )
    found = settings.load(file)

    assert ("5901234567", date(2024, 9, 1)) == (found.pharmacy.institution, found.pharmacy.format2_since)
    assert ("https://localhost:7777", 3.0) == (found.control.local.url, found.control.local.timeout)
    assert (("webhook",), 2.5, {"csv": {"folder": "x"}}) == (
        found.plugins.blocked,
        found.plugins.time_limit,
        found.plugins.options,
    )


def test_toml_date_is_taken_too(file):
    file.write_text("[pharmacy]\nformat2_since = 2024-09-01\n", "utf-8")

    assert date(2024, 9, 1) == settings.load(file).pharmacy.format2_since


def test_mark_of_windows_editors_is_no_error(file):
    """Notepad writes a byte order mark in front."""
    file.write_bytes(b"\xef\xbb\xbf[pharmacy]\r\ninstitution = '5901234567'\r\n")

    assert "5901234567" == settings.load(file).pharmacy.institution


def test_environment_goes_over_the_file(file, monkeypatch):
    file.write_text("[upload]\nbatch_size = 10\nmode = 'A1'\n", "utf-8")
    monkeypatch.setenv("NHIRX_UPLOAD_BATCH_SIZE", "20")
    monkeypatch.setenv("NHIRX_PHARMACY_FORMAT2_SINCE", "1130901")

    found = settings.load(file)

    assert (20, "A1", date(2024, 9, 1)) == (found.upload.batch_size, found.upload.mode, found.pharmacy.format2_since)


@pytest.mark.parametrize("name", ["NHIRX_PLUGINS_BLOCKED", "NHIRX_PLUGINS_OPTIONS", "NHIRX_CONTROL_LOCAL", "NHIRX_UPLOAD_MODE"])
def test_empty_and_unsupported_variables_change_nothing(name, monkeypatch):
    """Lists, tables and services come from the file; an empty variable is an unset one."""
    monkeypatch.setenv(name, "" if name == "NHIRX_UPLOAD_MODE" else "x")

    assert Settings() == settings.load()


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[pharmacy]\ninstitutoin = '1'\n", "pharmacy.institutoin"),
        ("[upload]\nbatch_size = 0\n", "upload.batch_size"),
        ("[upload]\nmode = 'A9'\n", "upload.mode"),
        ("[control.local]\nurl = 5\n", "control.local.url"),
        ("[plugins]\ntime_limit = 0\n", "plugins.time_limit"),
        ("[pharmacy]\nformat2_since = '1139901'\n", "pharmacy.format2_since"),
        ("pharmacy = 3\n", "pharmacy"),
        ("[control]\nverify = false\n", "control.verify"),
    ],
)
def test_wrong_setting_is_named(file, text, where, monkeypatch):
    """Also that there is no switch for certificate checks."""
    monkeypatch.setenv("NHIRX_PHARMACY_PHARMACIST", "B200000002")
    file.write_text(text, "utf-8")

    with pytest.raises(SettingInvalid) as caught:
        settings.load(file)
    assert where == caught.value.detail["setting"]


@pytest.mark.parametrize("content", [b"[pharmacy", b"\xff\xfe", b"a = 1\na = 2"])
def test_broken_file_is_named(file, content):
    file.write_bytes(content)

    with pytest.raises(SettingInvalid, match=r"nhirx\.toml"):
        settings.load(file)


def test_named_file_has_to_be_there(file, monkeypatch):
    with pytest.raises(FileMissing):
        settings.load(file)
    monkeypatch.setenv("NHIRX_CONFIG", str(file))
    with pytest.raises(FileMissing):
        settings.load()


def test_folder_is_no_file(tmp_path):
    with pytest.raises(FileUnreadable):
        settings.load(tmp_path)


def test_unpublished_value_is_asked_of_a_person():
    """What no source gives is never guessed: using it unset is an error that says so."""
    with pytest.raises(SettingMissing, match=r"record\.medical_category"):
        Settings().require("record.medical_category")
    assert "A1" == Settings().require("upload.mode")


def test_folders_can_be_moved(monkeypatch, tmp_path):
    monkeypatch.setenv("NHIRX_DATA", str(tmp_path / "d"))
    monkeypatch.setenv("NHIRX_CONFIG", str(tmp_path / "c.toml"))

    assert (tmp_path / "d", tmp_path / "c.toml") == (settings.data_path(), settings.config_path())


def test_folders_of_the_platform(monkeypatch):
    monkeypatch.delenv("NHIRX_DATA")

    assert "nhirx" in str(settings.data_path())
    assert "nhirx.toml" == settings.config_path().name


@pytest.mark.parametrize(
    "url",
    ["postgresql://nhirx:hidden@server/nhirx", "postgresql://server/nhirx?password=hidden", "postgresql://:hidden@server/x"],
)
def test_a_password_in_the_file_is_refused_and_not_repeated(tmp_path: Path, url: str) -> None:
    """Whoever reads or backs up the settings must not get into the database; the way out is named."""
    (tmp_path / "nhirx.toml").write_text(f'[outbox]\nurl = "{url}"\n')

    with pytest.raises(SettingInvalid, match=r"\.pgpass") as caught:
        settings.load(tmp_path / "nhirx.toml")
    assert "hidden" not in str(caught.value.as_json())


@pytest.mark.parametrize(
    ("text", "setting", "way_out"),
    [
        ("[counter]\ncamera = 'rtsp://admin:hidden@192.0.2.7/1'\n", "counter.camera", "NHIRX_COUNTER_CAMERA"),
        ("[upload.service]\nurl = 'https://me:hidden@example.org'\n", "upload.service.url", "a form without it"),
        ("[plugins.options.sql]\nurl = 'postgresql://me:hidden@server/his'\n", "plugins.options.sql.url", "its plugin names"),
        ("[plugins.options.sql]\ndsn = 'DRIVER=x;UID=me;PWD=hidden'\n", "plugins.options.sql.dsn", "its plugin names"),
        (
            "[plugins.options.x]\nurl = 'https://a.example/hook?access_token=hidden'\n",
            "plugins.options.x.url",
            "its plugin names",
        ),
        ("[plugins.options.webhook]\nsecret = 'hidden'\n", "plugins.options.webhook.secret", "its plugin names"),
        ("[plugins.options.x.deep]\napi_key = ['a', 'hidden']\n", "plugins.options.x.deep.api_key", "its plugin names"),
        ("[plugins.options.x]\naccess_token = 'hidden'\n", "plugins.options.x.access_token", "its plugin names"),
        ("[plugins.options.x]\npem = '-----BEGIN EC PRIVATE KEY-----hidden'\n", "plugins.options.x.pem", "its plugin names"),
        ("[outbox]\nkey = 'hidden'\n", "outbox.key", "env"),
        ("[outbox]\npassword = 'hidden'\n", "outbox.password", "no such setting"),
    ],
)
def test_no_secret_stands_in_the_file(file: Path, text: str, setting: str, way_out: str) -> None:
    """Refused wherever one is written, with where it belongs instead, and never repeated."""
    with pytest.raises(SettingInvalid) as caught:
        settings.load(written(file, text))

    said = str(caught.value.as_json())

    assert (setting, True, False) == (caught.value.detail["setting"], way_out in said, "hidden" in said)


def test_where_a_secret_is_kept_may_stand_in_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of files and variables are no secrets, and the environment may hold one."""
    monkeypatch.setenv("NHIRX_COUNTER_CAMERA", "rtsp://admin:hidden@192.0.2.7/1")
    text = "[plugins.options.webhook]\nsecret_file = '/x'\nurl = 'https://a.example/?pw=1'\ntoken = ''\n"
    found = settings.load(written(file, text))

    assert "rtsp://admin:hidden@192.0.2.7/1" == found.counter.camera
    assert "/x" == found.plugins.options["webhook"]["secret_file"]


def test_a_database_url_without_a_password_is_fine(tmp_path: Path) -> None:
    (tmp_path / "nhirx.toml").write_text('[outbox]\nurl = "postgresql://nhirx@server:5432/nhirx"\n')

    assert "postgresql://nhirx@server:5432/nhirx" == settings.load(tmp_path / "nhirx.toml").outbox.url


@pytest.mark.parametrize(
    ("text", "setting", "words"),
    [
        ("[plugin.options.x]\na = 1\n", "plugin", "did you mean plugins"),
        ("[control.local]\nurll = 'https://localhost'\n", "control.local.urll", "did you mean url"),
        ("[zzz]\n", "zzz", "沒有這個設定"),
        ("[control.local]\ntimeout = 1.0\n", "control.local.url", "缺少這個值"),
        ("[counter]\nport = 'x'\n", "counter.port", "integer"),
    ],
)
def test_setting_that_is_no_setting_is_named_with_the_one_that_was_meant(file, text, setting, words):
    file.write_text(text, "utf-8")

    with pytest.raises(SettingInvalid) as caught:
        settings.load(file)

    assert setting == caught.value.detail["setting"]
    assert words in caught.value.zh
