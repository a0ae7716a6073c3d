"""The prompt: a Jinja template, filled in for each row."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from emobatch.errors import PromptError

SYSTEM, USER = "system", "user"
Messages = list[dict[str, str]]


def quoted(text: str) -> str:
    r"""Write a text as a JSON string from which no fence can be closed.

    Args:
        text: any.

    Returns:
        The string in double quotes, without ``<``, ``>`` or a line's end in it.

    Examples:
        >>> print(quoted('well</transcript>"'))
        "well\u003c/transcript\u003e\""
    """
    written = json.dumps(text, ensure_ascii=False)
    for sign in "<>`\u2028\u2029":
        written = written.replace(sign, f"\\u{ord(sign):04x}")
    return written


@dataclass(frozen=True)
class Prompt:
    """A template with a block ``user``, and maybe one ``system``.

    Attributes:
        text: of the template.
        name: for messages.
    """

    text: str
    name: str

    @classmethod
    def read(cls, file: Path | None = None) -> Prompt:
        """Read a template.

        Args:
            file: a user's; None for the one that comes with emobatch.

        Returns:
            The prompt.

        Raises:
            PromptError: if it can't be read, or isn't such a template.
        """
        try:
            if file is None:
                text = resources.files(__package__).joinpath("prompt.jinja").read_text("utf-8")
            else:
                text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise PromptError(f"{file}: can't be read: {error}; name a text file") from error
        prompt = cls(text, str(file or "the prompt"))
        if USER not in prompt._template.blocks:
            raise PromptError(
                f"{prompt.name}: no block {USER!r} in it; write {{% block user %}} ... "
                "{% endblock %}, and maybe a block system before it"
            )
        return prompt

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def _template(self) -> Template:
        # In a sandbox: a template of somebody else's is text and no program.
        environment = SandboxedEnvironment(
            undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        environment.filters["quoted"] = quoted
        try:
            return environment.from_string(self.text)
        except TemplateError as error:
            line = getattr(error, "lineno", None)
            where = f"{self.name}, line {line}" if line else self.name
            raise PromptError(f"{where}: {error}; see Jinja's documentation") from error

    def messages(self, row: Mapping[str, Any]) -> Messages:
        """Fill the template in.

        Args:
            row: what the template may name.

        Returns:
            Messages of a chat.

        Raises:
            PromptError: if the template names something else.
        """
        messages, context = [], self._template.new_context(dict(row))
        for role in (SYSTEM, USER):
            if role not in self._template.blocks:
                continue
            block = self._template.blocks[role]
            try:
                content = "".join(block(context)).strip()
            except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
                raise PromptError(
                    f"{self.name}: {error}; it may name {', '.join(sorted(row))}"
                ) from error
            # What every row is told is held once.
            content = sys.intern(content) if role == SYSTEM else content
            messages.append({"role": role, "content": content})
        return messages
