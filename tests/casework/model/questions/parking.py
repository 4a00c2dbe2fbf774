"""Parked cases: what waits because the rules failed on a record, until an order lets the case go on."""

OF_PARKING = ["parked", "unparked", "given_up"]


def waiting(facts):
    """Answer the records that wait, each with how often it was tried; none while the case is not parked."""
    for fact in reversed(facts):
        if fact["kind"] == "parked":
            return fact["waiting"]
        if fact["kind"] != "given_up":
            return []
    return []
