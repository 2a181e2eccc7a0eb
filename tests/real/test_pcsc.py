"""The holder through a real smart card service, a virtual reader and emulated cards."""

from __future__ import annotations

import pytest

from tests.real.conftest import PATIENCE, wait_for

EXPECTED = {
    "nul-padded": {},
    "blank-padded": {},
    "wide-blank": {},
    "four-characters": {"name": "歐陽小明", "sex": "F"},
    "ten-characters": {"name": "測試用名字共有十個字"},
    "latin": {"name": "NGUYEN THI TESTTESTX", "national_id": "A800000014", "sex": "F"},
    "cut-in-two": {"name": "A測試用名字共有十個\ufffd"},
    "hkscs": {"name": "王堃"},
    "undecodable": {"name": "王\ufffd明"},
    "old-permit": {"national_id": "AB12345678"},
    "new-permit": {"national_id": "A900000007"},
    "born-in-year-5": {"birth_date": "1916-02-03"},
    "born-in-year-110": {"birth_date": "2021-02-03"},
    "other-sex": {"sex": "X"},
    "no-issue-date": {"issued_on": None},
    "le-only": {},
    "slow": {},
    **{f"atr-{number}": {} for number in range(8)},
}
PLAIN = {
    "card_number": "000012345678",
    "name": "王小明",
    "national_id": "A123456789",
    "birth_date": "1986-02-03",
    "sex": "M",
    "issued_on": "2023-01-01",
}
BEFORE_IT_IS_SEEN = ("card-absent",)


@pytest.mark.parametrize("card", EXPECTED)
def test_every_nhi_card_is_read(card, slots, settled):
    """Whatever the padding, the characters or the chip, the holder comes out, and no command is sent that is not needed."""
    slots[0].insert(card)

    holder = settled(*BEFORE_IT_IS_SEEN)["holder"]

    assert slots[0].commands() == (["00a40400", "00ca1100"] if card != "le-only" else ["00a40400"] * 2 + ["00ca1100"] * 2)

    assert {**PLAIN, **EXPECTED[card]} == {name: holder[name] for name in PLAIN}


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("short-answer", "card-unreadable"),
        ("failing-read", "card-unreadable"),
        ("bad-id", "card-unreadable"),
        ("pulled", "card-removed"),
        ("pulled-at-once", "card-removed"),
        ("mute", "card-mute"),
        ("professional", "not-an-nhi-card"),
        ("bank", "not-an-nhi-card"),
        ("other-t1", "not-an-nhi-card"),
    ],
)
def test_every_other_card_has_its_own_error(card, code, slots, settled):
    """A card that cannot be read is told apart from one that is absent, foreign, mute or pulled out."""
    slots[0].insert(card)

    error = settled(*BEFORE_IT_IS_SEEN, readers=[" 00 00"])["error"]

    assert code == error["code"]
    assert "A123456789" not in str(error)


def test_the_card_in_the_second_slot_is_found(slots, settled):
    """The pharmacist's card in the first reader does not hide the patient's in the second."""
    slots[0].insert("professional")
    slots[1].insert("nul-padded")

    holder = settled("card-absent", "not-an-nhi-card")["holder"]

    assert holder["national_id"] == "A123456789"


def test_the_empty_reader_speaks_when_the_other_holds_the_pharmacist(slots, settled):
    """With the pharmacist's card in place the thing to do is to insert the patient's."""
    slots[0].insert("professional")
    settled("card-absent", readers=[" 00 00"])

    assert settled()["error"]["code"] == "card-absent"


def test_a_bank_card_beside_an_empty_reader_is_named(slots, settled):
    """An operator who inserted the wrong card hears that, not that there is none."""
    slots[1].insert("bank")

    assert settled(*BEFORE_IT_IS_SEEN)["error"]["code"] == "not-an-nhi-card"


def test_no_card(agent, slots):
    """An empty reader is no missing reader."""
    assert agent("read")["error"]["code"] == "card-absent"


def test_readers_can_be_chosen(agent, slots):
    """Only the readers that were named are asked, and naming none that is there is a missing reader."""
    names = agent("names")["names"]

    assert len(names) == 2
    assert agent("read", readers=["no such reader"])["error"]["code"] == "reader-absent"


def test_card_pulled_and_put_back(slots, settled, agent):
    """After a card has gone nothing of it is left, and the next one is read."""
    slots[0].insert("nul-padded")
    settled("card-absent")
    slots[0].pull()

    assert settled("card-removed", "card-mute", "not-an-nhi-card")["error"]["code"] == "card-absent"

    slots[0].insert("four-characters")

    assert settled("card-absent", "card-mute")["holder"]["name"] == "歐陽小明"


def test_a_reader_in_use_is_waited_for(slots, settled, agent, service):
    """Another program that holds the reader for a moment costs a moment; one that keeps it is an error of its own."""
    from tests.real.conftest import Agent

    slots[0].insert("nul-padded")
    settled("card-absent")
    other = Agent(service.socket_name)
    try:
        first = agent("names")["names"][0]
        other("hold", reader=first)

        assert agent("read", patience=0.2)["error"]["code"] == "reader-busy"

        other("let_go")
        other("hold", reader=first, seconds=0.3)

        assert agent("read", patience=10)["holder"]["name"] == "王小明"
    finally:
        other("let_go")
        other.close()


def test_the_service_is_down_and_comes_back(service, agent, slots, settled):
    """Without the service the word is about the service; when it is back so is reading, in the same process."""
    slots[0].insert("nul-padded")
    settled("card-absent")
    slots[0].pull()
    service.stop()

    assert agent("read")["error"]["code"] == "pcsc-unavailable"

    service.start()
    slots[0].insert("nul-padded")

    assert settled("card-absent", "pcsc-unavailable", "reader-absent")["holder"]["name"] == "王小明"


def test_the_service_ends_in_the_middle_of_a_read(service, slots, settled, agent):
    """A reader unplugged, or its service stopped, while the card is thinking: an error, and soon."""
    import threading

    slots[0].insert("very-slow")
    answers = []
    reading = threading.Thread(target=lambda: answers.append(settled("card-absent")))
    reading.start()
    wait_for(slots[0].commands, "the first command")
    service.stop()
    reading.join(PATIENCE)

    assert [answer["error"]["code"] for answer in answers] in (
        [["pcsc-unavailable"], ["reader-gone"], ["card-removed"], ["card-mute"], ["card"]]
    )


def test_what_goes_over_the_wire_stays_out_of_errors_and_logs(slots, settled, agent):
    """APDUs are logged at the lowest level only, where a person asked for them."""
    slots[0].insert("nul-padded")
    settled("card-absent")

    assert b"A123456789".hex() not in agent("log", level=10)["log"]
    assert b"A123456789".hex() in agent("log", level=5)["log"]


def test_reads_at_the_same_moment_do_not_mix(slots, settled, agent):
    """Eight threads, one card, a monitor watching: each read holds the card for its two commands, and nobody fails."""
    slots[0].insert("nul-padded")
    settled("card-absent")
    agent("watch")

    assert agent("read_together", threads=8) == {"A123456789": 8}
    assert slots[0].commands()[-16:] == ["00a40400", "00ca1100"] * 8

    agent("unwatch")
