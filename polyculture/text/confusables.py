"""Letters of other scripts that look like Latin ones: the disguise that normalisation does not undo.

A word is folded to Latin if it mixes Latin letters with look-alikes of Cyrillic, Greek or Armenian, or if it consists
of Cyrillic or Armenian look-alikes alone; a word with a letter that looks like no Latin one stays as it is. Greek
letters by themselves are the symbols of mathematics, so a word of them is not folded. The fold is the same wherever a
word stands: Russian text is compared with Russian text as before.

After Unicode Technical Standard #39 (confusable detection), for lower-case letters as canonical text has them.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

# First and last code points of the scripts whose look-alikes are folded.
FOREIGN_SCRIPTS = ((0x0370, 0x03FF), (0x0400, 0x052F), (0x0530, 0x058F))

# Look-alikes of lower-case Latin letters, believed in any word.
_LOOK_ALIKES = {
    "a": "\u0430",
    "b": "\u044c",
    "c": "\u0441",
    "d": "\u0501",
    "e": "\u0435\u0451",
    "g": "\u0581",
    "h": "\u04bb\u0570",
    "i": "\u0456\u0457\u04cf",
    "j": "\u0458",
    "l": "\u04c0",
    "n": "\u0578\u057c",
    "o": "\u043e\u0585",
    "p": "\u0440",
    "q": "\u051b\u0566",
    "s": "\u0455",
    "u": "\u057d",
    "v": "\u0475",
    "w": "\u051d\u0461",
    "x": "\u0445",
    "y": "\u0443\u04af",
}
# Believed only beside a Latin letter: Greek ones, and those of which the upper case alone looks Latin. Not mu, for the
# units that begin with it.
_BESIDE_LATIN = {
    "a": "\u03b1",
    "b": "\u0432\u03b2",
    "c": "\u03f2",
    "e": "\u03b5",
    "f": "\u03dd",
    "h": "\u043d\u03b7",
    "i": "\u03b9",
    "j": "\u03f3",
    "k": "\u043a\u03ba",
    "m": "\u043c",
    "o": "\u03bf",
    "p": "\u03c1",
    "t": "\u0442\u03c4",
    "u": "\u03c5",
    "v": "\u03bd",
    "x": "\u03c7",
    "y": "\u03b3",
    "z": "\u03b6",
}
FIRST, LAST = 0x0370, 0x058F  # of the letters above


@cache
def look_alikes() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Latin letter (ASCII; 0 for none) of each code point from FIRST to LAST: in any word, and beside Latin letters."""
    anywhere = np.zeros(LAST - FIRST + 1, np.uint8)
    for latin, letters in _LOOK_ALIKES.items():
        for letter in letters:
            anywhere[ord(letter) - FIRST] = ord(latin)
    beside_latin = anywhere.copy()
    for latin, letters in _BESIDE_LATIN.items():
        for letter in letters:
            beside_latin[ord(letter) - FIRST] = ord(latin)
    return anywhere, beside_latin


def unmasked(word: str) -> str:
    """The word with its look-alikes folded to Latin: the reference for the compiled kernel. O(length).

    Args:
        word: a word of canonical text.
    """
    anywhere, beside_latin = look_alikes()
    is_foreign = [any(first <= ord(c) <= last for first, last in FOREIGN_SCRIPTS) for c in word]
    has_latin = any("a" <= c <= "z" for c in word)
    table = beside_latin if has_latin else anywhere
    folded = []
    for character, foreign in zip(word, is_foreign, strict=True):
        latin = table[ord(character) - FIRST] if foreign and FIRST <= ord(character) <= LAST else 0
        if foreign and not latin:
            return word
        folded.append(chr(latin) if foreign else character)
    return "".join(folded)
