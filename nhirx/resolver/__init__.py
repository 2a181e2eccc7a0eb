"""Facts × day → what may be uploaded, why, and with which values. Pure: no clock, no card, no network.

``plan`` answers before the card is asked, ``fill`` puts the card's answer in, ``card_orders`` says what goes on the card,
``order_findings`` looks at single lines, ``amend`` corrects or deletes what was uploaded, ``deadlines`` shows the periods,
``explain_plan`` and ``explain_lines`` say why each value stands there.
Every regulated value comes from a row of ``nhirx.tables``; what the tables do not decide raises ``NoRuleApplies``.
"""

from nhirx.resolver.amend import Amendment, amend
from nhirx.resolver.calendar import Calendar, read_calendar
from nhirx.resolver.explained import explain_field, explain_plan, masked_value
from nhirx.resolver.fill import card_orders, explain_lines, fill
from nhirx.resolver.order_checks import order_findings
from nhirx.resolver.plan import plan
from nhirx.resolver.windows import Window, deadlines

__all__ = [
    "Amendment",
    "Calendar",
    "Window",
    "amend",
    "card_orders",
    "deadlines",
    "explain_field",
    "explain_lines",
    "explain_plan",
    "fill",
    "masked_value",
    "order_findings",
    "plan",
    "read_calendar",
]
