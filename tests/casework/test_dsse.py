import hypothesis.strategies as st
from hypothesis import given
from securesystemslib.dsse import Envelope

from casework.dsse import ACTION_STATEMENT, REPORT_STATEMENT, pae, signed_statement


def test_the_published_example_comes_out() -> None:
    """The encoding is that of the DSSE specification's own example."""
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


@given(st.text(), st.binary())
def test_it_is_what_another_implementation_makes(kind: str, payload: bytes) -> None:
    """Any type and payload are encoded as by securesystemslib."""
    assert pae(kind, payload) == Envelope(payload, kind, {}).pae()


@given(st.text(), st.binary(), st.text(), st.binary())
def test_no_two_messages_share_an_encoding(one: str, this: bytes, other: str, that: bytes) -> None:
    """Different types or payloads are never signed as the same bytes."""
    assert (pae(one, this) == pae(other, that)) == ((one, this) == (other, that))


def test_a_report_is_not_signed_as_an_action() -> None:
    """The kind of a statement is part of what is signed."""
    assert signed_statement("report", b"x") == pae(REPORT_STATEMENT, b"x")
    assert signed_statement("action", b"x") == pae(ACTION_STATEMENT, b"x")
