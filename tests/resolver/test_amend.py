"""Corrections and deletions: the visit ID is the key, and the last upload counts."""

from __future__ import annotations

from datetime import date

import pytest

from nhirx.errors import NoRuleApplies
from nhirx.model import UploadRecord
from nhirx.resolver import amend

SENT = UploadRecord(fields={"H00": "1", "H01": "B", "M11": "1151120090013", "M13": "A010", "M15": "0" * 19 + "1", "M35": "I10"})
DAY = date(2026, 12, 1)


def codes(answer):
    return {finding.code for finding in answer.findings}


def test_a_correction_keeps_kind_and_key():
    """P24: the whole record again, same H01 and M15, whatever the corrected one says."""
    corrected = UploadRecord(fields=SENT.fields | {"M35": "E119", "M15": "0" * 19 + "2", "H01": "A"}, orders=({"D02": "1"},))
    answer = amend(SENT, "correct", on=DAY, corrected=corrected)
    assert SENT.fields | {"M35": "E119"} == answer.record.fields
    assert ({"D02": "1"},) == answer.record.orders


@pytest.mark.parametrize(("change", "told"), [("delete", set()), ("prescriber-changes", {"drugs-returned"})])
def test_a_deletion(change, told):
    """P25, P26: H01=D with the original key; which fields it needs is unknown and told."""
    answer = amend(SENT, change, on=DAY)
    assert ("D", SENT.fields["M15"], True) == (answer.record.fields["H01"], answer.record.fields["M15"], answer.ok)
    assert told | {"delete-fields-unknown"} == codes(answer)


@pytest.mark.parametrize(
    ("change", "options", "code"),
    [
        ("delete", {"acted_elsewhere": True}, "delete-not-possible"),
        ("cancel-refills", {}, "prescriber-only"),
        ("undo-cancel", {}, "prescriber-only"),
        ("correct", {"first_sent": "1.0"}, "correct-in-v1"),
    ],
)
def test_what_is_not_sent_in_2_0(change, options, code):
    """P23 and what belongs to the prescriber."""
    answer = amend(SENT, change, on=DAY, **options)
    assert (None, True) == (answer.record, code in codes(answer))


@pytest.mark.parametrize(("on", "sent"), [(date(2027, 2, 20), True), (date(2027, 2, 21), False)])
def test_corrections_end_after_three_months(on, sent):
    """The words show the count."""
    answer = amend(SENT, "correct", on=on, corrected=SENT)
    assert sent == (answer.record is not None)
    assert sent != ("correction-late" in codes(answer))


def test_deleting_an_old_record_has_no_rule():
    """Nothing is published for records sent in 1.0."""
    with pytest.raises(NoRuleApplies):
        amend(SENT, "delete", on=DAY, first_sent="1.0")
