"""What only the library of control software 5.x does to a program: it crashes, hangs, prints, overruns and lies about lengths."""

from __future__ import annotations

import itertools
import sys
import threading
import time
from pathlib import Path

import pytest

from nhirx.card.base import CardOrder
from nhirx.card.cshis import Cshis
from nhirx.card.upload_signer import ComUploadSigner
from nhirx.errors import (
    AnswerLost,
    AnswerMalformed,
    CardError,
    CardUnreadable,
    ComponentMissing,
    FactsInvalid,
    ReaderFault,
    SecurityModuleError,
    ServiceTimeout,
    SettingMissing,
    WrongCard,
)
from nhirx.settings import ControlSettings, CshisSettings, Settings
from nhirx.tables import layouts, reader_codes
from tests.card.benches import LING, CshisBench, built_library


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    return built_library(tmp_path_factory.mktemp("library"))


@pytest.fixture
def bench(tmp_path, monkeypatch, library):
    monkeypatch.setenv("CSHIS_STUB", "")
    made = CshisBench(tmp_path, library)
    yield made
    made.close()


def process(bench):
    return bench.control._helper._process


def test_a_crash_takes_only_the_helper(bench):
    """The library's process dies in the middle of a call; the next call starts another."""
    bench.set(crash="hisGetBasicData")

    with pytest.raises(AnswerLost) as caught:
        bench.control.read_holder()
    assert caught.value.detail["asked"] == "hisGetBasicData"

    bench.set(crash="")

    assert bench.control.read_holder().national_id == "A123456789"


def test_a_hang_is_ended_at_the_limit(bench):
    """The helper is killed, because nothing else ends a call that hangs."""
    bench.control.read_holder()
    hung = process(bench)
    bench.control._helper._limit = 1.0
    bench.set(hang="hisGetSeqNumber256N1")

    with pytest.raises(ServiceTimeout) as caught:
        bench.control.visit_number(visit_category="AF")
    assert not isinstance(caught.value, CardError)
    assert reader_codes.abnormal_serials(caught.value) == ("A000", "D010")
    assert hung.poll() is not None


def test_success_without_a_time_is_no_refusal(bench):
    """The library said yes, so a number may be taken: the error is none of those after which nothing was done."""
    bench.set(at="?")

    with pytest.raises(AnswerMalformed):
        bench.control.visit_number(visit_category="AF")


def test_killed_from_outside(bench):
    """Somebody ended the helper between two calls: the next one starts it again."""
    bench.control.read_holder()
    process(bench).kill()
    process(bench).wait()

    assert bench.control.read_holder().national_id == "A123456789"


def test_an_overrun_is_caught_and_the_data_are_kept(bench, caplog):
    """A hundred bytes behind the buffer hit the guard: the answer is whole, the process is not trusted any longer."""
    bench.control.read_holder()
    first = process(bench)
    bench.set(overrun=1)

    assert bench.control.read_holder().national_id == "A123456789"
    assert first.poll() is not None
    assert "hisGetBasicData" in caplog.text

    bench.set(overrun=0)

    assert bench.control.read_holder().national_id == "A123456789"


def test_what_the_library_prints_is_no_answer(bench):
    """Noise on standard output, even when it looks like an answer, reaches nobody."""
    bench.set(print=1)

    assert bench.control.read_holder().national_id == "A123456789"


def test_the_connection_is_opened_and_closed_around_every_call(bench):
    """No operation leaves the reader open, not even one that fails."""
    bench.set(code__hisGetBasicData=4043)

    with pytest.raises(CardUnreadable):
        bench.control.read_holder()
    assert bench.calls() == ["csOpenCom", "hisGetBasicData", "csCloseCom"]


def test_a_connection_that_does_not_open(bench):
    """The code of csOpenCom is the error, and nothing else is called."""
    bench.set(code__csOpenCom=9205)

    with pytest.raises(ReaderFault):
        bench.control.read_holder()
    assert bench.calls() == ["csOpenCom"]


def test_a_connection_that_does_not_close_loses_nothing(bench):
    """The data are there; that the port stays open is worth a line in the log."""
    bench.set(code__csCloseCom=-1)

    assert bench.control.read_holder().national_id == "A123456789"


def test_calls_of_several_threads_do_not_mix(bench):
    """The library is global state: one operation at a time, whoever asks."""
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(bench.control.visit_number(visit_category="AF").visit_id)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    calls = bench.calls()
    assert all(calls[at : at + 3 : 2] == ["csOpenCom", "csCloseCom"] for at in range(0, len(calls), 3))


def test_the_state_is_shown_while_a_call_waits(bench):
    """A PIN window may stand open for two minutes: the state says busy, and at once."""
    bench.control.read_holder()
    bench.control._helper._limit = 2.0
    bench.set(hang="hisGetBasicData")
    failed = []

    def read():
        try:
            bench.control.read_holder()
        except ServiceTimeout as error:
            failed.append(error)

    waiting = threading.Thread(target=read)
    waiting.start()
    while "hisGetBasicData" not in bench.calls()[3:]:
        time.sleep(0.01)
    began = time.monotonic()

    assert bench.control.status().problems == ("reader-busy",)
    assert time.monotonic() - began < 1.5

    waiting.join()

    assert len(failed) == 1


def test_fewer_signatures_than_lines_are_refused(bench):
    """The library says how many lines it wrote; one fewer is not enough."""
    holder = bench.control.read_holder()
    reading = bench.control.visit_number(visit_category="AF")
    bench.set(lose_one=1)

    with pytest.raises(CardUnreadable, match="1/2"):
        bench.control.write_orders(reading, holder, [CardOrder("1", "A1"), CardOrder("1", "A2")])


def test_the_library_compares_the_person_too(bench):
    """Birth date and ID go with the lines; the library refuses another's card."""
    holder = bench.control.read_holder()
    reading = bench.control.visit_number(visit_category="AF")
    bench.set(birth=LING.birthday)

    with pytest.raises(WrongCard):
        bench.control.write_orders(reading, holder, [CardOrder("1", "A1")])


@pytest.mark.parametrize(
    "order",
    [
        CardOrder("1", "A" * 13),
        CardOrder("1", "A1", usage="每日三次"),
        CardOrder("1", "A1", days=100),
        CardOrder("1", "A1", total=100_000.0),
        CardOrder("1", "A1", position="1234567"),
    ],
)
def test_what_does_not_fit_into_a_line_is_refused_before_writing(bench, order):
    """A cut value would be a wrong one on the card; days beyond two digits have no published form."""
    holder = bench.control.read_holder()
    reading = bench.control.visit_number(visit_category="AF")

    with pytest.raises(FactsInvalid, match="orders"):
        bench.control.write_orders(reading, holder, [CardOrder("1", "A1")] * 60 + [order])
    assert bench.asked("write") == 0


# ── nothing to load ──────────────────────────────────────────────────────────────────────────────────────────────────


def made(**cshis):
    return Cshis(Settings(control=ControlSettings(cshis=CshisSettings(**cshis))))


def test_no_library_is_named():
    """The setting is asked for."""
    with pytest.raises(SettingMissing, match=r"control\.cshis\.library"):
        Cshis(Settings())


@pytest.mark.parametrize("content", [None, b"no library"])
def test_a_library_that_cannot_be_loaded(tmp_path, content):
    """Missing, or of the other width: the word names the 32-bit Python."""
    file = tmp_path / "cshis.dll"
    if content:
        file.write_bytes(content)
    control = made(library=file)

    with pytest.raises(ComponentMissing, match=r"control\.cshis\.python"):
        control.read_holder()
    assert control.status().problems == ("component-missing",)


def test_a_python_that_is_not_there(tmp_path, library):
    """The interpreter of the settings does not exist."""
    with pytest.raises(ComponentMissing, match="32-bit Python"):
        made(library=library, python=tmp_path / "python.exe").read_holder()


def test_a_library_without_the_function(tmp_path):
    """An older version lacks the calls for visit IDs: the word names the version that has them."""
    import subprocess

    source = tmp_path / "old.c"
    source.write_text("int csOpenCom(int p) { return p; } int csCloseCom(void) { return 0; }")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", tmp_path / "old.so", source], check=True)
    control = made(library=tmp_path / "old.so")

    with pytest.raises(ComponentMissing, match=r"5\.1\.5\.3"):
        control.read_holder()
    control.close()


# ── the helper as a file ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_helper_needs_nothing_but_the_standard_library():
    """It is run by another, older and 32-bit Python that has none of our packages."""
    import ast

    file = Path(__file__).parents[2] / "nhirx" / "card" / "cshis_helper.py"
    tree = ast.parse(file.read_text("utf-8"), feature_version=(3, 7))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert imported <= set(sys.stdlib_module_names) | {"__future__"}


def test_the_two_calls_of_the_old_library_are_cdecl(bench):
    """Loaded directly, the library for dedicated readers leaves the stack to the caller in two functions."""
    from nhirx.card.cshis_process import HelperProcess, Wanted

    old = HelperProcess(Path("C:/NHI/LIB/CsHis30.dll"))
    new = HelperProcess(Path("C:/NHI/LIB/cshis.dll"))
    wanted = Wanted("hisGetTreatNumICCard", (b"1151120090013",))

    assert old._described(wanted)["cdecl"] is True
    assert new._described(wanted)["cdecl"] is False
    assert old._described(Wanted("hisGetBasicData"))["cdecl"] is False


def test_every_buffer_of_the_table_fits_its_call():
    """The places of each buffer end where its size ends, without gaps or overlaps between the members that are read."""
    for name, row in layouts._tree()["buffer"].items():
        places = sorted(tuple(value) for member, value in row.items() if member != "call")

        assert places[0][0] == 1, name
        assert places[-1][1] == layouts.calls()[row["call"]].size, name
        assert all(before[1] + 1 == after[0] for before, after in itertools.pairwise(places)), name


# ── the upload signature of 5.x ──────────────────────────────────────────────────────────────────────────────────────


class Component:
    """The COM object, as one public program uses it."""

    def __init__(self, **answers):
        self.answers = answers
        self.signed = []

    def VPNGetRandomX(self):  # noqa: N802 - the component's name
        return self.answers.get("random", "R" * 20)

    def VPNH_SignX(self, random, card, service):  # noqa: N802
        self.signed.append((random, card, service))
        return self.answers.get("signature", "S" * 256)

    def GetSAMCardInfoInCS(self):  # noqa: N802
        return self.answers.get("sam", '{"SAMCardInfoInCS": {"SAM": [{"CARD_ID": "SAM000000001", "HOSP": "5901234567"}]}}')


def test_the_component_signs(bench):
    """Random, signature and security module come from the component; each upload has its own signature."""
    component = Component()
    control = Cshis(bench.settings, signer=ComUploadSigner(lambda name: component))

    signature = control.upload_signature()

    assert (signature.sam_id, signature.institution) == ("SAM000000001", "5901234567")
    assert (signature.client_random, signature.signature) == ("R" * 20, "S" * 256)
    assert component.signed == [("R" * 20, "3", "30")]
    control.close()


@pytest.mark.parametrize("answers", [{"random": ""}, {"signature": None}, {"sam": ""}, {"sam": "{}"}, {"sam": "no JSON"}])
def test_half_a_signature_is_none(answers):
    """Whatever is missing, the word is about the security module."""
    with pytest.raises(SecurityModuleError):
        ComUploadSigner(lambda name: Component(**answers)).sign()


def test_without_the_component(bench):
    """A machine without it says what to install."""
    with pytest.raises(ComponentMissing, match="CsHisX"):
        bench.control.upload_signature()
    with pytest.raises(ComponentMissing, match="pywin32"):
        ComUploadSigner().sign()


def test_a_call_costs_little(bench):
    """The helper stays between calls: a read takes milliseconds, not the start of a process."""
    bench.control.read_holder()
    began = time.monotonic()
    for _ in range(20):
        bench.control.read_holder()

    assert (time.monotonic() - began) / 20 < 0.1
