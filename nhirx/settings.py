"""Settings: one frozen model, read from a TOML file, with the environment on top.

Where: ``--config FILE``, else ``NHIRX_CONFIG``, else ``nhirx.toml`` in the platform's configuration folder. A value of the
environment is named ``NHIRX_<SECTION>_<NAME>``. Secrets are not settings: they live in the keyring, a key file or an
environment variable of their own, and a file that holds one is refused. Certificate checks have no switch here, on purpose.

What the sources leave unknown has no default (``medical_category``): using it unset is ``SettingMissing``.
"""

from __future__ import annotations

import os
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BeforeValidator, Field, ValidationError

from nhirx import roc
from nhirx.errors import FileMissing, FileUnreadable, SettingInvalid, SettingMissing
from nhirx.model import Value

_Date = Annotated[date, BeforeValidator(lambda value: roc.parse_date(value) if isinstance(value, str) else value)]


class PharmacySettings(Value):
    institution: str | None = None
    pharmacist: str | None = None
    newly_contracted: bool = False
    format2_since: _Date | None = None


class RecordSettings(Value):
    """Values the sources leave open (field-notes, upload format 2.0 §9)."""

    medical_category: str | None = None
    """M56; no published value for a pharmacy."""
    dispensing_mode: str | None = None
    """M23 for a pharmacy; None takes the table's inferred value."""
    encoding: Literal["big5", "utf-8"] = "big5"
    send_refill_fields: bool = True
    """Whether a refill's total days, allowed dispensings and number are sent; no source says that a pharmacy must."""


class RuleSettings(Value):
    """Days that have not been published."""

    single_track_since: _Date | None = None
    """From this day format 1.0 is gone and twenty 9s have no rule; None while both formats run side by side."""
    calendar_file: Path | None = None
    """TOML with days that are closed, or worked after all, against the public calendar."""


class ServiceSettings(Value):
    """One HTTPS service. A local self-signed certificate is pinned by fingerprint or named as CA file."""

    url: str
    ca_file: Path | None = None
    fingerprint: str | None = None
    """SHA-256 of the certificate, hex, with or without colons."""
    timeout: Annotated[float, Field(gt=0)] = 10.0


class CshisSettings(Value):
    """Control software 5.x: its library, and the 32-bit Python that can load it (None: the one that runs nhirx)."""

    library: Path | None = None
    python: Path | None = None
    port: Annotated[int, Field(ge=0)] = 0
    """0 is COM1 or the first folder of security modules."""
    limit: Annotated[float, Field(gt=0)] | None = None
    """Seconds for any call; None takes the table's value for each."""


class ControlSettings(Value):
    kind: str = "auto"
    """``auto``, ``control6``, ``cshis``, ``virtual``, ``none``, or a name that a plugin registered."""
    reader: str | None = None
    """A card reader that a plugin registered, to tell who the holder is; None is the control software."""
    local: ServiceSettings = ServiceSettings(url="https://localhost:5066")
    data_centre: ServiceSettings = ServiceSettings(url="https://medvpndc.nhi.gov.tw", timeout=20.0)
    cshis: CshisSettings = CshisSettings()
    virtual_by: Literal["control6", "gateway"] = "control6"
    """Who takes the token of a virtual card: control software 6.0, or the local gateway of the 5.x time."""
    gateway: ServiceSettings = ServiceSettings(url="http://localhost:3033", timeout=35.0)
    telemedicine: ServiceSettings = ServiceSettings(url="https://vhcapp.nhi.gov.tw", timeout=20.0)


class UploadSettings(Value):
    service: ServiceSettings = ServiceSettings(url="https://medvpndti.nhi.gov.tw", timeout=120.0)
    upload_path: str = "/V2000/VNHI_Upload"
    download_path: str = "/V2000/VNHI_Download"
    mode: Literal["A1", "A2", "ZZ"] = "A1"
    key_spelling: Literal["camel", "lower"] = "camel"
    """``sSamId`` or ``sSamid``: public programs use both."""
    batch_size: Annotated[int, Field(ge=1, le=500)] = 30
    retry_first: Annotated[float, Field(gt=0)] = 5.0
    retry_limit: Annotated[float, Field(gt=0)] = 3600.0
    poll_first: Annotated[float, Field(ge=0)] = 10.0
    lease: Annotated[float, Field(gt=0)] = 300.0
    """Seconds a sender may hold a record; more than the service's time-out."""
    most_attempts: Annotated[int, Field(ge=1)] = 100
    """After so many tries in vain a person has to look."""
    send: str = "at-once"
    """``at-once``, or a time of day (``HH:MM``) at which everything built before goes out."""
    quiet: str | None = None
    """Hours in which the service is left alone: ``HH:MM-HH:MM``; may span midnight."""
    most_skew: Annotated[float, Field(gt=0)] = 300.0
    """Seconds the clock of this machine may be off before the worker warns."""
    give_up_results: Annotated[float, Field(gt=0)] = 3 * 86400.0
    """Seconds after which a missing check result is shown to a person (results are kept three days)."""

    @property
    def is_precheck(self) -> bool:
        """Whether what is sent is only compared with format 1.0. Beside ``mode``, so that its values stand in one place."""
        return self.mode == "A2"


class OutboxSettings(Value):
    url: str | None = None
    """SQLAlchemy URL; None is a SQLite file in the platform's data folder."""
    key: Literal["file", "keyring", "env"] = "file"
    """Where the key of what is stored lives; the key itself is never a setting."""
    key_file: Path | None = None
    keep_months: Annotated[int, Field(ge=1)] | None = None
    """After so many months ``nhirx outbox purge`` erases the contents of what is finished; None: only on a day that a person names."""


class PluginSettings(Value):
    blocked: tuple[str, ...] = ()
    options: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """One table per plugin, handed to it as it stands."""
    time_limit: Annotated[float, Field(gt=0)] = 10.0
    """Seconds that one call of one plugin may take before it counts as failed."""


class CounterSettings(Value):
    port: Annotated[int, Field(ge=0, le=65535)] = 8755
    idle: Annotated[float, Field(gt=0)] = 600.0
    """Seconds without a person's act after which the page locks. Without operators there is nobody to unlock it, so it does not."""
    camera: str | None = None
    """What the server opens for ``/scans/camera``, such as the address of a network camera; None takes the device asked for."""
    b_line: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Share of abnormal records at which the page draws a line. No published rule names one, so there is none unless it is set here."""


class Settings(Value):
    pharmacy: PharmacySettings = PharmacySettings()
    record: RecordSettings = RecordSettings()
    rules: RuleSettings = RuleSettings()
    control: ControlSettings = ControlSettings()
    upload: UploadSettings = UploadSettings()
    outbox: OutboxSettings = OutboxSettings()
    plugins: PluginSettings = PluginSettings()
    counter: CounterSettings = CounterSettings()

    def require(self, name: str) -> Any:
        """The setting ``name`` (dotted). Raises ``SettingMissing`` when it is unset."""
        value: Any = self
        for part in name.split("."):
            value = getattr(value, part)
        if value is None:
            raise SettingMissing(setting=name)
        return value


def config_path() -> Path:
    if named := os.environ.get("NHIRX_CONFIG"):
        return Path(named)
    from platformdirs import user_config_path

    return user_config_path("nhirx", appauthor=False) / "nhirx.toml"


def data_path() -> Path:
    """The folder of the outbox; ``NHIRX_DATA`` overrides the platform's."""
    if named := os.environ.get("NHIRX_DATA"):
        return Path(named)
    from platformdirs import user_data_path

    return user_data_path("nhirx", appauthor=False)


_PASSWORD = re.compile(
    r"://[^/@]*:[^/@]+@|(?:^|[?&;\s])\w*(?:password|passwd|pwd|token|secret|api_?key)\s*=\s*[^\s;&]|-----BEGIN [A-Z ]*PRIVATE KEY",
    re.IGNORECASE,
)
"""A text that holds a secret, whatever it is called: an address or a connection string with a password, a private key."""
_SECRET = re.compile(r"password|passwd|passphrase|secret|token|api_?key|private_?key|credential", re.IGNORECASE)
_ELSEWHERE = re.compile(r"_(?:file|path|folder|variable|env)$", re.IGNORECASE)
"""The end of a name whose value says where the secret is kept."""


def load(path: Path | None = None) -> Settings:
    """Read the settings. A file that is named but missing is an error; the default file may be absent."""
    named = path is not None or "NHIRX_CONFIG" in os.environ
    file = path or config_path()
    tree: dict[str, Any] = {}
    try:
        tree = tomllib.loads(file.read_text("utf-8-sig"))
    except FileNotFoundError:
        if named:
            raise FileMissing(path=str(file)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingInvalid(setting=str(file), problem=str(error)) from None
    except OSError as error:
        raise FileUnreadable(path=str(file), problem=error.strerror or type(error).__name__) from None
    _refuse_secrets(tree)
    for section, names in _environment_names().items():
        for name in names:
            value = os.environ.get(f"NHIRX_{section}_{name}".upper())
            table = tree.setdefault(section, {}) if value else None
            if isinstance(table, dict):
                table[name] = value
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        # A misspelt name is also one that is missing: the former says more.
        first = next((each for each in found if each["type"] == "extra_forbidden"), found[0])
        problem = first["msg"].removeprefix("Value error, ").rstrip(".")
        if first["type"] == "extra_forbidden":
            problem = _unknown(first["loc"])
        elif first["type"] == "missing":
            problem = "缺少這個值 / it is missing"
        raise SettingInvalid(setting=".".join(map(str, first["loc"])), problem=problem) from None


def _refuse_secrets(part: Any, place: tuple[str, ...] = (), name: str = "") -> None:
    """Whoever reads or backs up the settings must get into nothing by them. The value is in no message.

    Raises ``SettingInvalid`` for the first text below ``part`` that is a secret by its look, or in a plugin's options by its name.
    """
    if isinstance(part, dict):
        for key, value in part.items():
            _refuse_secrets(value, (*place, str(key)), str(key))
    elif isinstance(part, list):
        for value in part:
            _refuse_secrets(value, place, name)
    elif isinstance(part, str) and part:
        named = place[:2] == ("plugins", "options") and _SECRET.search(name) and not _ELSEWHERE.search(name)
        if not named and not _PASSWORD.search(part):
            return
        zh, en = "該外掛說明的環境變數或檔案", "the environment variable or file that its plugin names"
        if place == ("outbox", "url"):
            zh, en = "~/.pgpass 或環境變數 PGPASSWORD", "~/.pgpass or PGPASSWORD"
        elif len(place) == 2 and place[1] in _environment_names().get(place[0], ()):
            zh, en = (f"{word} {'_'.join(('NHIRX', *place)).upper()}" for word in ("環境變數", "the environment variable"))
        elif place[:1] != ("plugins",):
            zh, en = "不含密碼的寫法", "a form without it"
        raise SettingInvalid(
            setting=".".join(place), problem=f"密碼與金鑰不寫在設定檔：請用{zh} / no password or key in this file: use {en}"
        )


def _unknown(place: tuple[int | str, ...]) -> str:
    """Words for a setting that does not exist, with the one that may have been meant."""
    from difflib import get_close_matches

    kind: Any = Settings
    for part in place[:-1]:
        kind = next(one for one in _parts(kind.model_fields[str(part)].annotation) if isinstance(one, type))
    near = get_close_matches(str(place[-1]), kind.model_fields, n=1)
    if not near:
        return "沒有這個設定 / no such setting"
    return f"沒有這個設定，是不是 {near[0]} / no such setting, did you mean {near[0]}"


def _environment_names() -> dict[str, list[str]]:
    """Scalars of the first two levels; services and plugins come from the file."""
    names: dict[str, list[str]] = {}
    for section, outer in Settings.model_fields.items():
        kind = outer.annotation
        if isinstance(kind, type) and issubclass(kind, Value):
            names[section] = [
                name
                for name, inner in kind.model_fields.items()
                if get_origin(inner.annotation) not in (dict, tuple)
                and not any(isinstance(part, type) and issubclass(part, Value) for part in _parts(inner.annotation))
            ]
    return names


def _parts(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) or (annotation,)
