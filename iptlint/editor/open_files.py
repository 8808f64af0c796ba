"""Files as an editor has them: what is open is read as it is there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from iptlint.dialects import Reader
from iptlint.dialects.files import Through


@dataclass(frozen=True, slots=True)
class OpenFiles(Through):
    """``texts`` by path."""

    texts: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def over(cls, reader: Reader, texts: Mapping[str, str]) -> Reader:
        """The reader, with these in the place of what is saved."""
        return replace(reader, files=cls(reader.files, texts))

    def read(self, path: str) -> bytes:
        """Whether the text may have the file is for the others to say."""
        content = self.others.read(path)
        real = os.path.realpath(path)
        opened = (text for each, text in self.texts.items() if os.path.realpath(each) == real)
        text = next(opened, None)
        return content if text is None else text.encode("utf-8", "replace")
