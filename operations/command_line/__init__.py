"""The command line `hotline-exchange`, alias `hx`: one module for each group of commands."""

from operations.command_line.main import app, main

__all__ = ["app", "main"]
