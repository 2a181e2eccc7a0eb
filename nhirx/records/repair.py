"""A rejected record made right again, where there is only one way to do so.

A field that must be empty can be emptied, an order's time can be copied from the visit; what to put into a missing field is
for a person. Sending a record again is safe: the NHI keeps the last one of a visit ID (``field-notes`` §7).
"""

from __future__ import annotations

from nhirx.model import UploadRecord
from nhirx.records.check import check_record
from nhirx.records.report import ReportedRecord
from nhirx.tables.check_codes import check_codes
from nhirx.tables.fields import fields


def repaired(record: UploadRecord, reported: ReportedRecord) -> UploadRecord | None:
    """``record`` ready to be sent again, or None when a person has to decide something or our own checks still object."""
    values = dict(record.fields)
    orders = [dict(order) for order in record.orders]
    for error in reported.errors:
        if error.severity != "error":
            continue
        row = check_codes().get(("2.0", error.code))
        repair = row.repair if row else ""
        # The base of an order's index is not documented, so every order that has the fault is mended, not only that one.
        mended = [_mend(segment, error.field, repair, record) for segment in (values, *orders) if error.field in segment]
        if not any(mended):
            return None
    result = UploadRecord(fields=values, orders=tuple(orders))
    return None if any(finding.severity == "error" for finding in check_record(result)) or result == record else result


def _mend(segment: dict[str, str], field: str, repair: str, record: UploadRecord) -> bool:
    verb, _, rest = repair.partition(" ")
    spec = fields().get(field)
    forbidden = spec is not None and spec.need.get(record.fields.get("H01", "")) == "forbidden"
    if verb == "drop" or (verb == "drop-forbidden" and forbidden):
        del segment[field]
    elif verb == "set":
        segment[field] = rest
    elif verb == "copy" and rest in record.fields:
        segment[field] = record.fields[rest]
    else:
        return False
    return True
