"""Text of a target, made fit to be shown anywhere."""

from __future__ import annotations


def cut_text(text: str, most: int) -> str:
    """Return the text with what cannot be printed escaped, cut to `most` characters."""
    clean = "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii")
        for c in text[: most + 1]
    )
    return clean if len(clean) <= most else f"{clean[: most - 1]}…"
