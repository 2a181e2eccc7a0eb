"""Whatever a card or a service answers, what comes out is a value or one of our errors, and never a traceback."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nhirx.card import answers, basic_data, records5
from nhirx.card.cshis_process import Result
from nhirx.errors import NhirxError
from nhirx.sim.vpcd_card import basic
from nhirx.tables import layouts, reader_codes

URL = "https://localhost"
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=6
)
GOOD = {
    "statusCode": 0,
    "treatmentDateTime": "1151120090013",
    "hospitalId": "5901234567",
    "samId": "SAM000000001",
    "signature": "S" * 256,
    "clientRandom": "R",
    "hcId": "000012345678",
    "isSameDay": False,
    "sequenceNumber": None,
    "cardSn": "000012345678",
    "cardId": "000012345678",
    "name": "王小明",
    "idCardNum": "A123456789",
    "idNo": "A123456789",
    "birthday": "0501231",
    "sex": "M",
    "dateIssue": "1090101",
    "cardValidity": "1161231",
    "treatmentCounter": "6",
    "status": {"initialized": True, "sam": {"status": 2}, "hc": {"status": 1}, "hpc": {"status": 3}},
    "hexSignatureItems": ["A" * 40],
    "signatureItems": ["qqqqqqqqqqqqqqqqqqqqqqqqqqo="],
    "outpatientPrescriptions": [{"treatmentDateTime": "1151120090013"}],
}
READERS = {
    "code": lambda answer: answers.code(answer, URL),
    "failure": lambda answer: answers.failure(answer, URL, "path"),
    "signature": lambda answer: answers.signature(answer, URL, with_card=True),
    "status": lambda answer: answers.status(answer, URL),
    "holder": lambda answer: answers.holder(answer, URL),
    "virtual_holder": lambda answer: answers.virtual_holder(answer, URL),
    "register": answers.register,
    "past_orders": lambda answer: answers.past_orders(answer, URL),
    "order_signatures": lambda answer: answers.order_signatures(answer, 1, URL),
    "reading": lambda answer: answers.reading(
        answer, URL, made_by="card", visit_id="00006GA11RP4J3DM2VA7", card_number=None, notices=()
    ),
}


def outcome(call, *arguments, **options):
    """The value, or our error; anything else that is raised fails the test."""
    try:
        return call(*arguments, **options)
    except NhirxError as error:
        return error


@pytest.mark.parametrize("name", READERS)
def test_the_good_answer_is_read(name):
    """The starting point of what follows is sound."""
    READERS[name](GOOD)


@pytest.mark.parametrize("name", READERS)
@given(member=st.sampled_from(sorted(GOOD)), value=values, missing=st.booleans())
@settings(max_examples=150, deadline=None)
def test_one_member_is_anything(name, member, value, missing):
    """One member is missing or of any type, and the rest is as it should be."""
    answer = {key: found for key, found in GOOD.items() if key != member} if missing else GOOD | {member: value}

    found = outcome(READERS[name], answer)

    if isinstance(found, NhirxError):
        assert "A123456789" not in str(found.as_json())


@given(data=st.binary(max_size=80))
@settings(max_examples=300, deadline=None)
def test_any_bytes_of_a_card(data):
    """Noise instead of the 57 bytes."""
    found = outcome(basic_data.parse, data)

    assert getattr(found, "code", "card-unreadable") == "card-unreadable"


@given(place=st.integers(0, 56), byte=st.integers(0, 255))
@settings(max_examples=300, deadline=None)
def test_one_byte_of_a_card_is_wrong(place, byte):
    """One flipped byte gives a holder or an error; the places beside it are untouched."""
    data = bytearray(basic())
    data[place] = byte
    holder = outcome(basic_data.parse, bytes(data))
    if isinstance(holder, NhirxError):
        return
    if not 12 <= place < 32:
        assert holder.name == "王小明"
    if not 32 <= place < 42:
        assert holder.national_id == "A123456789"


@given(data=st.binary(min_size=316, max_size=316))
@settings(max_examples=200, deadline=None)
def test_any_bytes_of_a_visit_number(data):
    """Noise in the buffer of control software 5."""
    parts = layouts.cut("visit_number", data)

    found = outcome(records5.reading, parts, made_by="card", visit_id="x", card_number=None, notices=())

    assert getattr(found, "code", "answer-malformed") == "answer-malformed"


@given(data=st.binary(max_size=90), shorts=st.lists(st.integers(-5, 5), max_size=3))
@settings(max_examples=200, deadline=None)
def test_any_bytes_of_signatures(data, shorts):
    """Noise where forty characters for each line should be."""
    found = outcome(records5.order_signatures, Result(0, data, tuple(shorts)), 2)

    assert isinstance(found, NhirxError) or [len(signature) for signature in found] == [40, 40]


@given(number=st.integers() | st.text(max_size=12))
@settings(max_examples=300, deadline=None)
def test_any_code(number):
    """Every code, known or not, becomes words in both languages."""
    error = reader_codes.error_for(number)

    assert error.zh
    assert error.en
    reader_codes.abnormal_serials(error)
