"""Facts × day → what may be uploaded, why, and with which values. Pure: no clock, no card, no network.

``plan`` answers before the card is asked, ``fill`` puts the card's answer in, ``card_orders`` says what goes on the card.
Every regulated value comes from a row of ``nhirx.tables``; what the tables do not decide raises ``NoRuleApplies``.
"""

from nhirx.resolver.fill import card_orders, fill
from nhirx.resolver.plan import plan

__all__ = ["card_orders", "fill", "plan"]
