"""Events of a real service: cards in and out, readers and service gone and back, and an end that is quick."""

from __future__ import annotations

import pytest

from tests.real.conftest import Agent, Service, wait_for


@pytest.fixture
def watching(agent):
    """The kinds of events so far, of one slot or of all."""
    agent("watch")

    def kinds(reader: str = "") -> list[str]:
        return [kind for kind, name, _ in agent("seen")["events"] if reader in name]

    yield kinds
    agent("unwatch")


def test_a_card_comes_and_goes(watching, slots, agent):
    """What is there at the start is told first; then every card, in and out, with its slot."""
    wait_for(lambda: watching().count("reader-added") == 2, "both slots")
    slots[1].insert("nul-padded")
    wait_for(lambda: "card-inserted" in watching(" 00 01"), "the card")
    slots[1].pull()
    wait_for(lambda: "card-removed" in watching(" 00 01"), "the empty slot")
    slots[1].insert("four-characters")
    wait_for(lambda: watching(" 00 01").count("card-inserted") == 2, "the second card")

    assert watching(" 00 01") == ["reader-added", "card-inserted", "card-removed", "card-inserted"]
    assert watching(" 00 00") == ["reader-added"]


def test_a_mute_card_is_told_apart(watching, slots, agent):
    """A card that does not answer is inserted, and mute."""
    slots[0].insert("mute")
    wait_for(lambda: "card-inserted" in watching(), "the card")

    assert [True] == [mute for kind, _, mute in agent("seen")["events"] if kind == "card-inserted"]


def test_the_service_goes_and_comes_back(watching, slots, agent, service):
    """Everything the service showed is gone with it, and told again when it is back."""
    slots[0].insert("nul-padded")
    wait_for(lambda: "card-inserted" in watching(), "the card")
    slots[0].pull()
    service.stop()
    wait_for(lambda: "service-down" in watching(), "the end of the service")

    before = watching()

    assert before.count("reader-removed") == 2
    assert before.count("card-removed") == 1

    service.start()
    wait_for(lambda: watching().count("reader-added") == 4, "the readers")

    assert watching().count("service-up") == 1


def test_it_stops_at_once(agent, slots):
    """Stopping does not wait for the service's next look, and works from any state."""
    for card in (None, "nul-padded"):
        if card:
            slots[0].insert(card)
        agent("watch")
        wait_for(lambda: agent("seen")["events"], "the first event")

        assert agent("unwatch")["took"] < 0.5


def test_without_a_service_it_waits(tmp_path):
    """A machine whose service is down gets one word about it and no flood."""
    agent = Agent(tmp_path / "nothing")
    agent("watch")
    wait_for(lambda: agent("seen")["events"], "the word")

    assert agent("seen")["events"] == [["service-down", "", False]]
    assert agent("unwatch")["took"] < 1.5
    agent.close()


def test_a_service_without_readers(tmp_path):
    """No reader at all is nothing to report, and reading says which it is."""
    service = Service(tmp_path, with_reader=False)
    agent = Agent(service.socket_name)
    try:
        assert wait_for(lambda: _but(agent("read"), "pcsc-unavailable"), "the service") == "reader-absent"
        agent("watch")
        assert agent("unwatch")["took"] < 0.5
        assert agent("seen")["events"] == []
    finally:
        agent.close()
        service.stop()


def _but(answer, code):
    """The error code, unless it is this one."""
    found = answer["error"]["code"]
    return None if found == code else found


def test_the_counter_hears_who_was_put_in_and_of_cards_that_are_none(slots, agent):
    """A patient's card is told to plugins and display, a bank card only to the display, with the reason."""
    agent("watch_cards")
    slots[0].insert("nul-padded")
    wait_for(lambda: agent("heard")["told"], "the patient")
    slots[1].insert("bank")
    wait_for(lambda: sum(kind == "card-inserted" for kind, *_ in agent("seen")["events"]) == 2, "the bank card")
    agent("unwatch")
    [[national_id, reference]] = agent("heard")["told"]
    shown = [found for kind, found, _ in agent("seen")["events"] if kind == "card-inserted"]

    assert reference is None
    assert sorted([national_id, "not-an-nhi-card"]) == sorted(shown)
