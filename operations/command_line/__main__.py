"""`python -m operations.command_line` is `hx`."""

from operations.command_line import main

main()
