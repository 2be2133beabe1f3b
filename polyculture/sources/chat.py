"""Lists of messages to one text, by a template of two placeholders; nothing of it is code."""

import re

from polyculture.sources.json_line import LineFault
from schemas.quarantined import QuarantineReason

HINT = 'messages? Give the source a chat_template, e.g. "{role}: {content}\\n"'
_PLACEHOLDER = re.compile(r"\{(role|content)\}")


def render_chat(messages: list[object], template: str) -> tuple[str, int] | LineFault:
    r"""The text of a conversation: the template once a message, in order.

    Roles are kept as they are. Content is a string or a list of `{"type": "text", "text": ...}`, which are joined. A
    message without content, as one that only calls a tool, has an empty one.

    Args:
        messages: objects with `role` and `content`, as decoded.
        template: text with `{role}` and `{content}`; other braces are characters like others.

    Returns:
        The text, and the number of messages without content; or why there is none. O(size of the messages).
    """
    written, empty = [], 0
    for number, message in enumerate(messages):
        if not isinstance(message, dict):
            return _fault(f"message {number} is {type(message).__name__}, wanted an object with role and content")
        role, content = message.get("role"), _content(message.get("content"))
        if type(role) is not str:
            keys = ", ".join(sorted(map(str, message))[:10])
            return _fault(f"message {number} has no role; it has {keys or 'no keys'}")
        if content is None:
            return _fault(f"message {number} has content that is no text: a string, or parts of type text, is wanted")
        empty += not content
        values = {"role": role, "content": content}
        written.append(_PLACEHOLDER.sub(lambda found, values=values: values[found[1]], template))  # type: ignore[misc]
    return "".join(written), empty


def _fault(detail: str) -> LineFault:
    return LineFault(QuarantineReason.TEXT_WRONG_TYPE, detail)


def _content(content: object) -> str | None:
    if content is None:
        return ""
    if type(content) is str:
        return content
    if type(content) is not list:
        return None
    parts = [part.get("text") if isinstance(part, dict) and part.get("type") == "text" else part for part in content]
    return "".join(map(str, parts)) if all(type(part) is str for part in parts) else None
