"""The rules of the exchange: what a submission means for a case, and who must learn of it.

This room is pure. Nothing here reads a clock, a file, a random source or a broker: times, randomness and the
directory are arguments, so that the same record always gives the same facts, states and messages, today and
in a replay years later. Its one door for cases is `casekeeping.keep`; `submissions` holds what is checked
before a record may come that far.
"""
