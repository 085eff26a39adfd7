"""What is said to people, in Japanese and in English, and which of the two the locale asks for."""

import os
from collections.abc import Mapping
from typing import NamedTuple


class Words(NamedTuple):
    """One sentence in both languages."""

    ja: str
    en: str

    def said(self, language: str) -> str:
        """The sentence in the language asked for."""
        return self.en if language == "en" else self.ja


def language(environ: Mapping[str, str] = os.environ) -> str:
    """The language of the locale: Japanese unless another language is named.

    C, POSIX and an empty locale name no language; the city's own is used then.
    """
    named = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    tongue = named.partition(".")[0].partition("_")[0]
    return "ja" if tongue in {"", "C", "POSIX", "ja"} else "en"
