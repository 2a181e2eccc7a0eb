"""Uploads over the Web API, from the request to the check result."""

from __future__ import annotations

from typing import Any


def test_a_good_record_is_accepted(ready: Any, records: Any, sim: Any) -> None:
    """Number, order signature, upload and result fit together without a remark."""
    record = records.normal()
    result = ready.result(ready.upload(records.xml(record)))
    assert [(rec["err_level"], rec["errors"]) for rec in result["recs"]] == [(0, [])]
    assert sim.ledger.records()[record["M15"]]["state"] == "accepted"


def test_an_abnormal_record_is_accepted(ready: Any, records: Any) -> None:
    """Without a card the ID is of the other service and nothing is signed."""
    assert ready.codes(records.abnormal()) == []
