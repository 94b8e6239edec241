"""Values that stand for nothing: the words, and the shapes of numbers that nobody has.

Here lives the recognition. What happens to such a value (it becomes NULL or its row vanishes) is said where
it is used; a value that is suspect only because too many share it is found in ``contacts.py`` and
``documents.py``.
"""

import re

from models.identity.distinct_values import quoted
from models.identity.languages import Lexicon
from models.identity.standardise_settings import StandardiseSettings

_ASCENDING = "01234567890123456789012345678901234567890"


def placeholder_words(settings: StandardiseSettings, lexicon: Lexicon) -> tuple[str, ...]:
    """Return the words that stand for nothing: upper case, letters and digits only; the empty one included."""
    words = (*lexicon.words("placeholder_words"), *settings.placeholders.words)
    return tuple(sorted({"", *(re.sub(r"[\W_]", "", word.upper()) for word in words)}))


def bare(expression: str) -> str:
    """Return the SQL of an expression in the form in which ``placeholder_words`` are written."""
    return rf"regexp_replace(upper({expression}), '[^\p{{L}}\p{{N}}]', '', 'g')"


def is_made_up_number(expression: str, run: int) -> str:
    """Return the SQL condition that a number is one repeated character or counts up or down.

    Args:
        expression: SQL expression of the number: digits and capital letters.
        run: A tail of that many equal digits is enough. A first one or two letters and one last character
            never count.
    """
    repeated = "|".join(f"{digit}{{{run},}}" for digit in "0123456789X")
    return (
        f"(regexp_matches({expression}, '^[A-Z]{{0,2}}(?:{repeated})[0-9A-Z]?$')"
        f" or (length({expression}) >= 6"
        f" and (contains({quoted(_ASCENDING)}, {expression})"
        f" or contains({quoted(_ASCENDING[::-1])}, {expression}))))"
    )
