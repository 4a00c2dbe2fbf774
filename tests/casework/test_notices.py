from casework import notices
from schemas.registry import registry


def test_every_kind_of_notice_can_be_written() -> None:
    """The contract knows all kinds of delivery that the rules make; casekeeper can write no others."""
    kinds = {value for name, value in vars(notices).items() if name.isupper() and name[0] != "_"}
    kind = next(f for f in registry().latest("Delivery").declaration["fields"] if f["name"] == "kind")
    assert kinds <= set(kind["type"]["symbols"])
