"""The sentence for each way in which a value can be wrong. It says what would be right, to people who never programmed.

The library has sentences of its own. Where a field or a check would say one of those, it is given one of these.
"""

import json
from typing import Any

from marshmallow import Schema, fields, validate

Kind = type[fields.Field[Any]]

A_MOMENT = "Write a moment with its zone, such as 2027-03-01T18:30:00+03:00."
# By the kind of a field; later ones count more. {such} is an example of this field, as it is written in JSON.
SENTENCES: dict[Kind, dict[str, str]] = {
    fields.Field: {
        "required": "This is needed{such}.",
        "null": "This can't be null: give a value{such}.",
        "validator_failed": "Give another value{such}.",
    },
    fields.String: {"invalid": "Write text{such}.", "invalid_utf8": "Write text in UTF-8{such}."},
    fields.Number: {"invalid": "Write a number{such}.", "too_large": "Write a smaller number{such}."},
    fields.Integer: {"invalid": "Write a whole number{such}."},
    fields.Boolean: {"invalid": "Say true or false."},
    fields.AwareDateTime: dict.fromkeys(("invalid", "invalid_awareness", "format"), A_MOMENT),
    fields.List: {"invalid": "Write a list{such}."},
    fields.Email: {"invalid": "Write an e-mail address, such as amara@hub.example."},
    fields.Url: {"invalid": "Write a web address, such as https://hub.example/print."},
}


def advise(shape: Schema) -> None:
    """Give a shape, its fields and their checks these sentences. Sentences that were written for one field stay."""
    names = ", ".join(each.data_key or name for name, each in shape.load_fields.items())
    shape.error_messages = {
        **shape.error_messages,
        "type": _an_object(names),
        "unknown": f"Nothing here is called so. The names are: {names}.",
    }
    for field in shape.load_fields.values():
        _advise(field, field.metadata)


def _advise(field: fields.Field[Any], told: Any) -> None:
    example = None if field.load_only else told.get("example")  # nobody shall choose the example of a secret
    such = "" if example in (None, "") else f", such as {json.dumps(example, ensure_ascii=False)}"
    own = {key: says for key, says in field.error_messages.items() if says not in _library_says(type(field))}
    ours = {key: says for kind, known in SENTENCES.items() if isinstance(field, kind) for key, says in known.items()}
    field.error_messages |= {key: says.replace("{such}", such).replace('.".', '."') for key, says in ours.items()} | own
    for check in field.validators:
        _advise_check(check, isinstance(field, fields.List), field.error_messages)
    if isinstance(field, fields.Nested):
        names = ", ".join(each.data_key or name for name, each in field.schema.load_fields.items())
        field.error_messages["type"] = _an_object(names)
    if isinstance(field, fields.List):
        _advise(field.inner, field.inner.metadata)


def _library_says(kind: Kind) -> set[str]:
    """The sentences that a kind of field has from the library."""
    known = (vars(each).get("default_error_messages", {}) for each in kind.__mro__ if "marshmallow" in each.__module__)
    return {says for each in known for says in each.values()}


def _an_object(names: str) -> str:
    return f"Write an object with these fields: {names}." if names else "Write an object, in curly brackets."


def _advise_check(check: Any, of_a_list: bool, says: dict[str, Any]) -> None:
    if isinstance(check, validate.Email | validate.URL):
        check.error = says["invalid"]
    elif check.error not in (None, getattr(check, "default_message", None)):
        return
    elif isinstance(check, validate.Length):
        amount = _amount(check.equal or check.min, check.equal or check.max)
        check.error = f"List {amount} entries." if of_a_list else f"Write {amount} characters."
    elif isinstance(check, validate.Range):
        check.error = f"Write a number: {_amount(check.min, check.max)}."
    elif isinstance(check, validate.OneOf):
        empty = " Leave it empty to choose none." if "" in check.choices else ""
        check.error = f"Choose one of: {', '.join(filter(None, check.choices))}.{empty}"


def _amount(least: Any, most: Any) -> str:
    if not least:
        return f"at most {most}"
    return f"at least {least}" if most is None else f"{least} to {most}"
