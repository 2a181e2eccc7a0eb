"""Names of the electronic prescription guide (TW EMPD, FHIR 4.0.1): systems, code values, profiles.

The guide is still being written and its versions differ, so the reader matches by the end of an address, or by the shape of
the value where no address helps (field-notes, pharmacy workflow §3).
"""

from __future__ import annotations

BASE = "https://nhicore.nhi.gov.tw/empd"
PROFILE = f"{BASE}/StructureDefinition"
CODES = f"{BASE}/CodeSystem"

VISIT_ID = f"{BASE}/sid/visit-identifier"
VISIT_SERIAL = f"{BASE}/sid/nhi-card-visit-sequence"
PRESCRIPTION_NUMBER = f"{BASE}/identifier/prescription"
TOTAL_DAYS = f"{PROFILE}/Extension-TotalDuration"
PAYMENT = f"{PROFILE}/Extension-PaymentCategory"
COMBINED = f"{PROFILE}/Extension-CombinedPrescriptionNote"
AGE = "https://twcore.mohw.gov.tw/ig/twcore/StructureDefinition/person-age"

KINDS = f"{CODES}/TypeOfPrescription-cs"
LONG_TERM = frozenset("BCEF")
REFILL = frozenset("CF")
CONTROLLED = frozenset("DEF")

ORDER_KINDS = f"{CODES}/OrderType-cs"
MATERIAL = "3"

SELF_PAY = f"{CODES}/SelfpayStatus-cs"
PAID_BY_PATIENT = frozenset({"00", "Y"})
"""The guide wrote 00 and 01 up to 0.1, Y and N from 0.2 on."""
NOT_SELF_PAY = "N"

PAYMENT_CODES = f"{CODES}/PaymentCategory-cs"

# Times a day of the international timing codes; where a code says nothing of it, the document has to name a frequency.
TIMES_A_DAY = {"QD": 1, "AM": 1, "PM": 1, "HS": 1, "BID": 2, "TID": 3, "QID": 4}
