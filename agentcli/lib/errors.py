"""Errors with a person as addressee."""

from __future__ import annotations


class UserError(Exception):
    """One sentence for the person: what is wrong, where, and what to do. Ends the command."""

    def __init__(self, message: str, *, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code
