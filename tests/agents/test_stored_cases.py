import pytest

from agents.stored_cases import source_offset, version_of
from casework.messages import Case
from schemas.errors import NotFramedError
from schemas.registry import registry
from streams import wire

KEY = b"\x01" + bytes(32)


def state(offset: int) -> bytes:
    """Answer a framed case state."""
    return wire.encode(
        Case(
            url_key=KEY,
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


def test_the_version_of_a_state_is_its_source_offset() -> None:
    """Of two states of a case the one with the higher source offset counts, whichever comes last."""
    assert version_of(KEY, state(6)) == 6


def test_a_state_of_a_schema_that_this_program_does_not_know_has_a_version() -> None:
    """After a rollback the states that the newer program wrote still count."""
    assert version_of(KEY, b"\x00\x00\x00\x7f\x63" + state(7)[5:]) == 7


def test_a_cut_state_is_an_error() -> None:
    """A state that ends early is never read as offset zero."""
    with pytest.raises(NotFramedError):
        source_offset(state(5)[:40])


@pytest.mark.parametrize("bad", [b"", b"garbage", state(5)[:40], bytes(90), b"\xff" * 90])
def test_what_is_no_state_has_no_version(bad: bytes) -> None:
    """Garbage over a state is a late writer's: it never counts, and stops nobody."""
    assert version_of(KEY, bad) is None


def test_a_state_under_the_key_of_another_case_has_no_version() -> None:
    """A state counts under its own url key only."""
    assert version_of(b"\x02" + bytes(32), state(5)) is None
