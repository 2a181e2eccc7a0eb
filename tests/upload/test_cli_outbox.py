"""``nhirx outbox`` as a person and a program use it, with the sandbox as the NHIA."""

import json

import pytest

from nhirx import cli
from nhirx.outbox import open_outbox
from nhirx.settings import load


@pytest.fixture
def configured(sim, tmp_path, monkeypatch: pytest.MonkeyPatch):
    """Settings of the sandbox in a file, as a pharmacy has them; and its records put into the outbox of that file."""
    service = f'url = "{sim.url}"\nca_file = "{sim.ca_file.as_posix()}"\n'
    (tmp_path / "nhirx.toml").write_text(
        f'[pharmacy]\ninstitution = "5901234567"\npharmacist = "B200000002"\n[control]\nkind = "control6"\n[control.local]\n{service}'
        f"[control.data_centre]\n{service}[upload]\nretry_first = 0.1\npoll_first = 0.0\n[upload.service]\n{service}",
        "utf-8",
    )
    monkeypatch.setenv("NHIRX_CONFIG", str(tmp_path / "nhirx.toml"))
    return load()


@pytest.fixture
def put(configured, pharmacy):
    def put(**changes) -> int:
        with open_outbox(configured) as outbox:
            return outbox.queue.put(pharmacy.record(**changes))

    return put


@pytest.fixture
def run(configured, capfdbinary):
    def run(*words: str) -> tuple[int, list, str]:
        with pytest.raises(SystemExit) as end:
            cli.main(["outbox", *words])
        out, _ = capfdbinary.readouterr()
        text = out.decode("utf-8")
        return end.value.code, [json.loads(line) for line in text.splitlines()] if "--json" in words else [], text

    return run


def test_drain_sends_and_waits_for_the_result(run, put) -> None:
    put()
    code, (answer,), _ = run("drain", "--json")

    assert (0, 1, 1, None) == (code, answer["sent"], answer["accepted"], answer["pause"])
    assert (0, []) == run("list", "--json")[:2]
    assert ["accepted"] == [record["state"] for record in run("list", "--all", "--json")[1]]


def test_drain_ends_with_one_when_a_record_is_rejected(run, put) -> None:
    number = put(M14="F" * 256)
    code, (answer,), _ = run("drain", "--json")
    shown = run("show", str(number), "--json")[1][0]

    assert (1, 1, "rejected") == (code, answer["rejected"], shown["state"])
    assert "M14" in {error["field"] for error in shown["errors"]}


def test_drain_ends_with_three_when_the_service_fails(run, put, sim) -> None:
    put()
    sim.fail("*VNHI_Upload", "status-code", code="9999")
    code, (answer,), _ = run("drain", "--json")

    assert (3, 1, "upload-refused") == (code, answer["failed"], answer["pause"]["code"])


def test_drain_says_that_the_clock_is_off(run, put, sim) -> None:
    """The NHI rejects a visit that is later than its upload; here it is noticed by the service's own time."""
    put()
    sim.world.clock.advance(1800)
    text = run("drain", "--lang", "en")[2]

    assert "clock is off by -1" in text


def test_drain_with_nothing_to_do(run) -> None:
    assert 0 == run("drain", "--json")[0]


def test_retry_sends_the_same_record_again(run, put) -> None:
    number = put(M14="F" * 256)
    run("drain", "--json")

    assert (0, "built") == (run("retry", str(number), "--by", "p1", "--json")[0], run("list", "--json")[1][0]["state"])
    assert ("retry", "p1") == tuple(run("show", str(number), "--json")[1][0]["history"][-1][name] for name in ("event", "who"))


def test_retry_of_what_is_done_is_refused_with_words(run, put) -> None:
    number = put()
    run("drain")
    code, (answer,), _ = run("retry", str(number), "--json")

    assert (1, "transition-refused") == (code, answer["error"]["code"])


def test_what_is_not_there_and_what_is_no_state(run) -> None:
    assert (2, "input") == (run("show", "7", "--json")[0], run("show", "7", "--json")[1][0]["error"]["code"])
    assert 2 == run("list", "--state", "done", "--json")[0]


@pytest.mark.parametrize(
    "words", [("list",), ("show", "1"), ("list", "--json"), ("show", "1", "--json"), ("drain",), ("drain", "--json")]
)
def test_nothing_printed_names_the_patient(run, put, configured, words: tuple[str, ...]) -> None:
    put()
    with open_outbox(configured) as outbox:
        record = outbox.queue.item(1).record
    text = run(*words)[2]

    assert text
    assert [] == [value for value in (record.visit_id, record.fields["M03"], record.fields["M14"]) if value in text]


@pytest.mark.parametrize(("language", "word"), [("zh", "待送出"), ("en", "waiting")])
def test_both_languages(run, put, language: str, word: str) -> None:
    put()

    assert word in run("list", "--lang", language)[2]


def test_a_backup_restored_elsewhere(run, put, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    put()
    assert 0 == run("backup", str(tmp_path / "backup.gz"), "--json")[0]
    assert 2 == run("restore", str(tmp_path / "backup.gz"), "--json")[0], "this outbox is not empty"

    monkeypatch.setenv("NHIRX_OUTBOX_URL", f"sqlite:///{tmp_path / 'other.sqlite'}")

    assert 0 == run("restore", str(tmp_path / "backup.gz"), "--json")[0]
    assert ["built"] == [record["state"] for record in run("list", "--json")[1]]
    assert (0, [{"ok": True, "problems": []}]) == run("inspect", "--json")[:2]


def test_a_new_key(run, put, configured) -> None:
    from nhirx.outbox import keys

    put()
    old = keys.load(configured.outbox)
    code, (answer,), _ = run("rekey", "--json")
    new = keys.load(configured.outbox)

    assert (0, 1, answer["key"]) == (code, answer["rows"], new.current)
    assert {old.current, new.current} == set(new.keys), "backups that were made with the old key still open"
    assert 0 == run("drain", "--json")[0]
    assert {"rows": 0, "key": new.current, "old_keys": 0} == run("rekey", "--forget-old", "--json")[1][0]
    assert {new.current} == set(keys.load(configured.outbox).keys)
    assert 0 == run("inspect", "--json")[0]


def test_a_backup_made_before_a_new_key_is_restored_after_it(run, put, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    put()
    run("backup", str(tmp_path / "backup.gz"), "--json")
    run("rekey", "--json")
    monkeypatch.setenv("NHIRX_OUTBOX_URL", f"sqlite:///{tmp_path / 'other.sqlite'}")

    assert 0 == run("restore", str(tmp_path / "backup.gz"), "--json")[0]
    assert (0, [{"ok": True, "problems": []}]) == run("inspect", "--json")[:2]


def test_purge_withdraw_and_deadlines(run, put, monkeypatch: pytest.MonkeyPatch) -> None:
    number = put()

    assert (0, []) == run("deadlines", "--json")[:2]
    assert 0 == run("withdraw", str(number), "--why", "double", "--by", "p1", "--json")[0]
    assert 1 == run("purge", "--before", "2099-01-01", "--by", "p1", "--json")[1][0]["purged"]
    code, (answer,), _ = run("purge", "--by", "p1", "--json")
    assert (2, "keep_months" in answer["error"]["zh"]) == (code, True)
    monkeypatch.setenv("NHIRX_OUTBOX_KEEP_MONTHS", "84")
    assert 0 == run("purge", "--by", "p1", "--json")[1][0]["purged"]
    code, (answer,), _ = run("purge", "--before", "soon", "--by", "p1", "--json")
    assert (2, "invalid-value") == (code, answer["error"]["code"])


def test_who_gave_a_command_stands_in_the_trail(run, put, configured, monkeypatch: pytest.MonkeyPatch) -> None:
    """The account of the machine, unless a name is given."""
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(variable, "alice")
    first, second = put(), put()
    run("withdraw", str(first), "--by", "p1", "--why", "double")
    run("drain", "--wait", "0")
    with open_outbox(configured) as outbox:
        who = {line.event: line.who for line in outbox.trail() if line.subject_id in (first, second) and line.event != "put"}

    assert ("p1", "cli:alice") == (who["withdraw"], who["receive"])


def test_an_export_names_nobody_and_replaces_nothing(run, put, tmp_path, configured) -> None:
    put()
    with open_outbox(configured) as outbox:
        record = outbox.queue.item(1).record
    assert 0 == run("export", str(tmp_path / "list.jsonl"))[0]
    text = (tmp_path / "list.jsonl").read_text("utf-8")

    assert (1, "built") == (json.loads(text)["id"], json.loads(text)["state"])
    assert [] == [value for value in (record.visit_id, record.fields["M03"], record.fields["M14"]) if value in text]
    assert 2 == run("export", str(tmp_path / "list.jsonl"))[0]


def test_audit_lists_and_verifies(put, configured, capfdbinary) -> None:
    put()

    def audit(*words: str) -> tuple[int, list]:
        with pytest.raises(SystemExit) as end:
            cli.main(["audit", *words, "--json"])
        return end.value.code, [json.loads(line) for line in capfdbinary.readouterr().out.decode().splitlines()]

    (line,) = audit("list")[1]

    assert ("put", "queue", 1) == (line["event"], line["subject"], line["subject_id"])
    assert (0, [{"ok": True, "lines": 1, "digest": line["digest"]}]) == audit("verify")

    with open_outbox(configured) as outbox, outbox.database.writing() as connection:
        connection.exec_driver_sql("UPDATE events SET who = 'nobody'")

    code, (answer,) = audit("verify")

    assert (3, "store-damaged") == (code, answer["error"]["code"])
