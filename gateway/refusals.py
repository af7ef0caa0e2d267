"""Which codes an operation sends: those that its call declares, and those that follow from the rest of its route.

The OpenAPI document has each with its sentence, as an example of its status. The page `REFUSALS.md` lists them all.
"""

from collections.abc import Collection, Mapping
from http import HTTPMethod
from typing import Any

from werkzeug.http import HTTP_STATUS_CODES

from gateway.errors import MEDIA_TYPE, SENTENCES, STATUS, Problem, word
from services.contracts.codes import CODES, family_of
from services.contracts.errors import Conflict, Invalid, Refusal, Stale, TooMany, Unauthenticated, Unavailable

Doc = dict[str, Any]
Codes = dict[int, dict[str, str]]  # by status: codes, each with what it means

SIGNED_IN = ("token_missing", "token_invalid", "token_expired", "token_revoked")
COUNTED = ("too_many_requests", "too_many_at_once")
REPEATED = ("idempotency_key_reused", "still_running", "outcome_unknown")
UNREAD = {400: "BadRequest", 413: "TooLarge", 415: "UnsupportedType"}  # refused before their shape is looked at
ANYWHERE: Codes = {
    **{status: {word(status): SENTENCES[status]} for status in (404, 405, 408, 413, 414, 417, 431, 501)},
    400: {word(400): SENTENCES[400]},
    412: CODES[Stale],
    429: {code: CODES[TooMany][code] for code in COUNTED},
    500: {"unexpected": SENTENCES[500]},
    503: {code: says for code, says in CODES[Unavailable].items() if code != "streams_full"},
}
ANYWHERE[404] |= {"no_such_method": "A service of an earlier version does not know this call yet."}
PAGE = """# Refusals

Made from the declarations of the calls. A refusal is a problem document (RFC 9457). Programs look at its `code`, people
read its `detail`; `errors` names the fields at fault. Codes may be added: take one that you do not know by its status.

## Sent by any operation

| status | code | what it means |
|---|---|---|
"""
OWN = """
## Sent by some operations

| status | code | what it means | sent by |
|---|---|---|---|
"""


def codes_of(info: Mapping[str, Any], method: str, takes_body: bool) -> Codes:
    """The codes of an operation beyond those that any may send. `info` is what is noted of its route."""
    posts, signed_in = method.upper() == HTTPMethod.POST, "security" not in info.get("manual_doc", {})
    found: Codes = {}
    declared = [*info.get("refuses", ()), *(SIGNED_IN if signed_in else ()), *(REPEATED if posts and signed_in else ())]
    if posts or "arguments" in info:
        declared.append("invalid")
    if info.get("takes_if_match"):
        declared.append("changed_meanwhile")
        found[STATUS[Stale]] = CODES[Stale]
    if posts or signed_in:
        declared += COUNTED
    for code in dict.fromkeys(declared):
        family = family_of(code)
        found.setdefault(STATUS[family], {})[code] = CODES[family][code]
    return found | ({status: {word(status): SENTENCES[status]} for status in UNREAD} if takes_body else {})


def responses(info: Mapping[str, Any], method: str, takes_body: bool) -> Doc:
    """The refusals of an operation for the OpenAPI document, by status. Those that many share are named."""
    found = codes_of(info, method, takes_body)
    return {str(status): _shared(known) or response(status, known) for status, known in found.items()}


def components() -> dict[str, Doc]:
    """The refusals that many operations share, by name."""
    made = {name: response(status, known) for name, (status, known) in SHARED.items()}
    general = [response(status, known) for status, known in sorted(ANYWHERE.items())]
    examples = {code: each for part in general for code, each in part["content"][MEDIA_TYPE]["examples"].items()}
    says = "What any operation may send, by the `status` in the document:\n\n" + "\n".join(
        f"- {status}: {', '.join(f'`{code}`' for code in known)}" for status, known in sorted(ANYWHERE.items())
    )
    return made | {"Problem": {"description": says, "content": {MEDIA_TYPE: {"schema": Problem, "examples": examples}}}}


def response(status: int, known: Mapping[str, str]) -> Doc:
    """One refusal: its codes with their sentences, and an example of each."""
    examples = {code: {"summary": says, "value": _example(status, code, says)} for code, says in known.items()}
    says = "\n".join(f"- `{code}`: {says}" for code, says in known.items())
    made: Doc = {"description": says, "content": {MEDIA_TYPE: {"schema": Problem, "examples": examples}}}
    if status in (429, 503):
        seconds = {"description": "Seconds to wait before trying again.", "schema": {"type": "integer"}, "example": 3}
        made["headers"] = {"Retry-After": seconds}
    return made


def page(document: Doc) -> str:
    """The page of all codes, from the OpenAPI document."""
    anywhere = [(status, code, says) for status, known in sorted(ANYWHERE.items()) for code, says in known.items()]
    senders: dict[tuple[int, str, str], list[str]] = {}
    for operation in (each for path in document["paths"].values() for each in path.values() if "operationId" in each):
        for each in listed(document, operation):
            senders.setdefault(each, []).append(operation["operationId"])
    own = {each: names for each, names in sorted(senders.items()) if each not in anywhere}
    rows = [f"| {status} | `{code}` | {says} |" for status, code, says in anywhere]
    sent = [f"| {status} | `{code}` | {says} | {_whom(code, own[status, code, says])} |" for status, code, says in own]
    return PAGE + "\n".join(rows) + "\n" + OWN + "\n".join(sent) + "\n"


def listed(document: Doc, operation: Doc) -> list[tuple[int, str, str]]:
    """Status, code and sentence of each refusal that the document lists for an operation, beyond what any may send."""
    found = []
    for status, answer in operation["responses"].items():
        named = document["components"]["responses"].get(answer.get("$ref", "").rpartition("/")[2], answer)
        examples = named.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {})
        if status != "default":
            found += [(int(status), code, each["summary"]) for code, each in examples.items()]
    return found


def _whom(code: str, names: Collection[str]) -> str:
    groups = {
        "whatever needs an access token": SIGNED_IN,
        "`POST` of a member": REPEATED,
        "whatever takes arguments": ("invalid",),
        "whatever takes a body": (word(415),),
    }
    known = (whom for whom, codes in groups.items() if code in codes)
    return next(known, ", ".join(f"`{name}`" for name in names))


def _of(family: type[Refusal], *codes: str) -> tuple[int, dict[str, str]]:
    return STATUS[family], {code: CODES[family][code] for code in codes}


SHARED: dict[str, tuple[int, dict[str, str]]] = {
    **{name: (status, {word(status): SENTENCES[status]}) for status, name in UNREAD.items()},
    "Invalid": _of(Invalid, "invalid"),
    "InvalidOrRepeated": _of(Invalid, "idempotency_key_reused", "invalid"),
    "Unauthenticated": _of(Unauthenticated, *SIGNED_IN),
    "Repeated": _of(Conflict, "still_running", "outcome_unknown"),
    "Stale": _of(Stale, "changed_meanwhile"),
    "TooMany": _of(TooMany, *COUNTED),
}


def _shared(known: Mapping[str, str]) -> str | None:
    return next((name for name, (_, codes) in SHARED.items() if codes == known), None)


def _example(status: int, code: str, says: str) -> Doc:
    made = {
        "type": f"urn:hearth:problem:{code}",
        "title": HTTP_STATUS_CODES[status],
        "status": status,
        "detail": says,
        "code": code,
        "instance": "urn:hearth:request:4f1c2a9d5e7b4c0f8a6d3b2e1f0c9a8b",
    }
    if code == "invalid":
        says = "Write 4 to 140 characters."
        made |= {"detail": f"title: {says}", "errors": [{"field": "title", "says": says}]}
    return made
