"""Examples of bodies and answers, made from the examples of their fields."""

from typing import Any

EXAMPLES = {
    "uuid": "018f2d6e-5b7c-7a3e-9c41-0f2b6d7e8a90",
    "date-time": "2026-11-02T09:00:00.000Z",
    "boolean": True,
    "integer": 3,
}
Doc = dict[str, Any]


def give_examples(document: Doc) -> None:
    """Give each body, answer and parameter of a path an example."""
    for path in document["paths"].values():
        for parameter in path.get("parameters", ()):
            parameter["example"] = example_of(document, parameter["schema"])
        for operation in (each for name, each in path.items() if name != "parameters"):
            for part in (operation.get("requestBody", {}), *operation["responses"].values()):
                for content in part.get("content", {}).values():
                    if not {"example", "examples"} & content.keys() and "schema" in content:
                        content["example"] = example_of(document, content["schema"])


def example_of(document: Doc, schema: Doc, at: str = "") -> Any:
    """A value that a schema describes. Raises TypeError if a text field (at the path `at`) has no example."""
    if "$ref" in schema:
        _, _, kind, name = schema["$ref"].split("/")
        return example_of(document, document["components"][kind][name], name)
    if "example" in schema:
        return schema["example"]
    if "enum" in schema:
        return schema["enum"][0]
    if "properties" in schema:
        return {name: example_of(document, each, f"{at}.{name}") for name, each in schema["properties"].items()}
    if "items" in schema:
        return [example_of(document, schema["items"], at)]
    kinds = schema.get("type", [])
    for kind in (schema.get("format"), *([kinds] if isinstance(kinds, str) else kinds)):
        if kind in EXAMPLES:
            return EXAMPLES[kind]
    raise TypeError(f"nobody gave an example of {at}: {schema}")
