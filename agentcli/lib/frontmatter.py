"""The head of a Markdown file: `key: value` lines between two `---` lines, and the text below."""

from __future__ import annotations


def frontmatter(text: str) -> tuple[dict[str, str], str]:
    """Fields and body. A list below a key is joined with commas, a folded text with blanks."""
    lines = text.splitlines()
    if not lines or lines[0].strip() != "---":
        return {}, text
    end = next((n for n, line in enumerate(lines[1:], 1) if line.strip() == "---"), None)
    if end is None:
        return {}, text
    fields: dict[str, str] = {}
    open_key = ""
    for line in lines[1:end]:
        key, colon, value = line.partition(":")
        item = line.strip()
        if open_key and (line[:1].isspace() or item.startswith("- ")):
            fields[open_key] = _joined(fields[open_key], item)
        elif colon and not line[:1].isspace():
            open_key = key.strip() if value.strip() in OPEN else ""
            fields[key.strip()] = "" if open_key else _unquoted(value.strip())
    return fields, "\n".join(lines[end + 1 :]).lstrip("\n")


OPEN = ("", "|", ">", "|-", ">-")
"""Values that say that the lines below are the value."""


def _joined(before: str, item: str) -> str:
    if item.startswith("- "):
        return f"{before}, {_unquoted(item[2:].strip())}" if before else _unquoted(item[2:].strip())
    return f"{before} {item}".strip()


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value
