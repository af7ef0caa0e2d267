"""The sentences that members read, made of a notification's kind and facts, in the reader's language and time zone.

`sentences.py` has the English sentences, which are the keys of the translations. `speech.py` says them in a language.
`locales/<language>/sentences.po` has the translations, in gettext's format, which translators' tools read.
"""

from services.contracts.wording.sentences import said
from services.contracts.wording.speech import ENGLISH, clock_of, on_the_clock, understood

__all__ = ["ENGLISH", "clock_of", "on_the_clock", "said", "understood"]
