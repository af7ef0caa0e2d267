"""What people copy from a letter or a screen: the blanks that come with it do not count."""

import re
from typing import Any

from marshmallow import ValidationError, fields, validate

_DASHES = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")  # hyphens and dashes that are typed for one
_BLANKS = re.compile("[\\s\u00ad\u200b-\u200d\u2060\ufeff]+")  # blanks, and what has no width
_is_code = re.compile(r"[A-Za-z0-9_-]{1,100}").fullmatch


class Code(fields.String):
    """A code that was handed over on paper or on a screen. Capitals count; blanks and kinds of dashes do not."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        text = _DASHES.sub("-", _BLANKS.sub("", super()._deserialize(value, attr, data, **kwargs)))
        if not _is_code(text):
            raise ValidationError("Write the code that you were given: letters, digits, - and _ only.")
        return text


class Address(fields.Email):
    """An e-mail address, with or without blanks around it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=validate.Length(max=254), **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        return super()._deserialize(value, attr, data, **kwargs).strip()
