"""What others have written, as text that orders no terminal about. Pure."""

from __future__ import annotations


def plain(text: str) -> str:
    """The text, with a dot for each character that does not print."""
    return "".join(character if character.isprintable() else "·" for character in text)
