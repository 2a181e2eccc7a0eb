"""The last gate of a document that leaves: valid FHIR R4B, and every reference leads to a resource inside it.

fhir.resources has R4B and no R4; for the resources used here the two are the same (field-notes, pharmacy workflow §3.4).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def validated(bundle: dict[str, Any]) -> dict[str, Any]:
    """``bundle`` itself. Raises ``ValueError`` that names the member; values are never in its words."""
    from fhir.resources.R4B.bundle import Bundle
    from pydantic import ValidationError

    try:
        Bundle.model_validate(bundle)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise ValueError(f"not valid FHIR: {'.'.join(map(str, first['loc']))}: {first['type']}") from None
    there = {entry["fullUrl"] for entry in bundle["entry"]}
    if lost := sorted(set(_references(bundle)) - there):
        raise ValueError(f"{len(lost)} reference(s) lead nowhere")
    return bundle


def _references(tree: Any) -> Iterator[str]:
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name == "reference" and isinstance(value, str):
                yield value
            else:
                yield from _references(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _references(value)
