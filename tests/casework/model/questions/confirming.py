"""Confirmations: who was asked to confirm a correction, a withdrawal or an erasure."""

from model.memory import once
from model.questions.log import remembered


@once
def asked(facts):
    """Answer the newest 16 facts that asked members to confirm, with those who have not."""
    found = []
    for fact in remembered(facts):
        kind = fact["kind"]
        if kind in {"corrected", "withdrawn", "erased"} and fact["members"]:
            one = {"number": fact["number"], "members": fact["members"], "due_at": fact["due_at"]}
            found = [*found, one | {"told": False}][-16:]
        elif kind in {"confirmed", "unconfirmed"}:
            for one in found:
                if one["number"] == fact["ref"] and kind == "confirmed":
                    one["members"] = [member for member in one["members"] if member != fact["by"]]
                elif one["number"] == fact["ref"]:
                    one["told"] = True
            found = [one for one in found if one["members"]]
    return found
