import pytest

from agents.stored_cases import is_newer, source_offset
from casework.messages import Case
from schemas.errors import NotFramedError
from schemas.registry import registry
from streams import wire


def state(offset: int) -> bytes:
    """Answer a framed case state."""
    return wire.encode(
        Case(
            url_key=b"\x01" + bytes(32),
            case_id="c" * 36,
            source_offset=offset,
            environment="test",
            number=1,
            state="assigned",
            round=1,
            leg=1,
            hosting_country="NL",
            received_at=1,
            opened_at=1,
            leg_started_at=1,
            last_now=1,
            directory_version=1,
            rules_version=1,
        )
    )


@pytest.mark.parametrize("offset", [0, 1, 63, 64, 8191, 8192, 2**31, 2**62])
def test_the_short_reading_agrees_with_the_full_one(offset: int) -> None:
    """The offset read from the first bytes is the one a full decode gives."""
    assert source_offset(state(offset)) == wire.decode_as(Case, state(offset)).source_offset == offset


def test_the_fields_before_the_offset_are_those_the_short_reading_skips() -> None:
    """The order of the first fields of the state is part of the contract."""
    assert registry().latest("CaseStatus").field_names[:3] == ("url_key", "case_id", "source_offset")


def test_a_late_writers_state_does_not_win() -> None:
    """Of two states of a case the one with the higher source offset counts, whichever comes last."""
    assert is_newer(state(5), state(6))
    assert is_newer(state(5), state(5))
    assert not is_newer(state(6), state(5))


def test_a_cut_state_is_an_error() -> None:
    """A state that ends early is never read as offset zero."""
    with pytest.raises(NotFramedError):
        source_offset(state(5)[:40])


@pytest.mark.parametrize(
    "bad", [b"", b"garbage", state(5)[:40], b"\x00\x00\x00\x00\x63" + bytes(60), b"\xff" * 90]
)
def test_what_is_no_state_never_replaces_one_and_stops_nobody(bad: bytes) -> None:
    """Garbage over a state is a late writer's: the state stays; a state over garbage counts."""
    assert not is_newer(state(5), bad)
    assert is_newer(bad, state(5))
