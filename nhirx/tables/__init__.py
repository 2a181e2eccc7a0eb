"""Regulation as data: the only place where codes, lengths, dates and decisions of the NHI live.

``codes/*.toml`` are lists of codes, ``decisions/*.toml`` say which outcome follows from which facts on which day. Every row
names its source and how sure that source is. A changed rule is a new row with a later ``from``; no row is edited away.
"""
