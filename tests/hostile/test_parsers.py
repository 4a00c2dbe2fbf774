"""What every parser of foreign bytes promises: its own errors only, no value repeated, no two spellings."""

import hypothesis
import pytest
from foreign_parsers import PARSERS
from hypothesis import strategies as st
from mutations import PROGRAMS, mutated
from parser_promises import Parser

pytestmark = pytest.mark.slow

EXAMPLES = 120
each_parser = pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)


@each_parser
def test_sound_input_is_taken(parser: Parser) -> None:
    """The inputs that hostile ones are made of are themselves accepted: the way in leads past every check."""
    assert all(parser.give(sound) for sound in parser.sound)


@each_parser
@hypothesis.settings(max_examples=EXAMPLES, suppress_health_check=[hypothesis.HealthCheck.too_slow])
@hypothesis.given(program=PROGRAMS)
def test_changed_input_breaks_no_promise(parser: Parser, program: bytes) -> None:
    """Sound input with a few hostile changes is taken as what it is, or refused by name."""
    parser.give(mutated(parser.sound, program))


@each_parser
@hypothesis.settings(max_examples=EXAMPLES // 4)
@hypothesis.given(data=st.binary(max_size=400))
def test_any_bytes_break_no_promise(parser: Parser, data: bytes) -> None:
    """Bytes of no meaning are refused by name."""
    parser.give(data)
