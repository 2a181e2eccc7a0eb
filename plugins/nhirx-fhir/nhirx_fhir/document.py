"""A bundle as it lies on the disk: plain JSON, looked at through a few forgiving verbs.

Reading never goes through a schema: what a hospital's software wrote a little wrong must still reach the pharmacist. Only
what is missing where it is needed counts as a defect, and then it is named.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Resource = Mapping[str, Any]

LARGEST = 4_000_000
"""Bytes. A prescription is a few kilobytes; a picture of a signature in a dispensing document some hundred."""


class NotABundle(ValueError):
    """The text is no FHIR document bundle. The words hold nothing of its content."""


class Document:
    """The resources of one bundle, by kind and by reference."""

    def __init__(self, bundle: Resource) -> None:
        self.bundle = bundle
        self._resources: list[Resource] = []
        self._by_reference: dict[str, Resource] = {}
        for entry in _list(bundle.get("entry")):
            resource = entry.get("resource") if isinstance(entry, dict) else None
            if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
                continue
            self._resources.append(resource)
            for name in (entry.get("fullUrl"), _path(resource)):
                if isinstance(name, str):
                    self._by_reference.setdefault(name, resource)

    @classmethod
    def parse(cls, text: str | bytes) -> Document:
        """Raises ``NotABundle`` unless ``text`` is the JSON of a bundle with a prescription in it."""
        if len(text) > LARGEST:
            raise NotABundle("太大 / too large")
        try:
            tree = json.loads(text)
        except (ValueError, RecursionError):
            raise NotABundle("不是 JSON / not JSON") from None
        if not isinstance(tree, dict) or tree.get("resourceType") != "Bundle":
            raise NotABundle("不是 FHIR Bundle / not a FHIR Bundle")
        document = cls(tree)
        if not document.all("MedicationRequest"):
            raise NotABundle("沒有處方內容 / no MedicationRequest")
        return document

    def all(self, kind: str) -> list[Resource]:
        return [resource for resource in self._resources if resource["resourceType"] == kind]

    def first(self, kind: str) -> Resource:
        """The first of its kind, or an empty one."""
        return next(iter(self.all(kind)), {})

    def at(self, reference: object) -> Resource:
        """What a reference element points at: by full address, by ``Kind/id``, by ``id`` alone; empty where nothing fits.

        Addresses of other servers are compared by their end: documents are copied between systems.
        """
        wanted = reference.get("reference") if isinstance(reference, dict) else reference
        if not isinstance(wanted, str) or not wanted:
            return {}
        if wanted in self._by_reference:
            return self._by_reference[wanted]
        end = "/".join(wanted.split("/")[-2:])
        for resource in self._resources:
            if end == _path(resource) or wanted == resource.get("id"):
                return resource
        return {}


def codings(concept: object) -> Iterator[tuple[str, str, str]]:
    """``(system, code, display)`` of a CodeableConcept, of a Coding, or of a list of either."""
    if isinstance(concept, list):
        for item in concept:
            yield from codings(item)
    elif isinstance(concept, dict):
        if "code" in concept and not isinstance(concept["code"], dict):
            yield text(concept.get("system")), text(concept["code"]), text(concept.get("display"))
        yield from codings(concept.get("coding", []))


def code_of(concept: object, system: str) -> str:
    """The code of that system, by the end of its address; "" where there is none."""
    end = system.rsplit("/", 1)[-1].lower()
    return next((code for found, code, _ in codings(concept) if found.rsplit("/", 1)[-1].lower() == end), "")


def identifiers(resource: Resource) -> list[Mapping[str, Any]]:
    """A list even where one was written without its brackets."""
    return [item for item in _list(resource.get("identifier")) if isinstance(item, dict)]


def extension(resource: Resource, url: str) -> Any:
    """The value of an extension, whatever its ``value[x]`` is called; None where it is absent."""
    for item in _list(resource.get("extension")):
        if isinstance(item, dict) and text(item.get("url")).rsplit("/", 1)[-1] == url.rsplit("/", 1)[-1]:
            return next((value for name, value in item.items() if name.startswith("value")), None)
    return None


def number(value: object) -> float | None:
    """A number, a quantity, or digits in quotation marks."""
    if isinstance(value, dict):
        return number(value.get("value"))
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except ValueError:
        return None
    return found if 0 <= found < 1e9 else None  # neither endless nor "not a number"


def text(value: object) -> str:
    return value.strip() if isinstance(value, str) else str(value) if isinstance(value, int) else ""


def dig(tree: object, *path: str) -> Any:
    """Along member names; a list stands for its first item. None where the way ends."""
    for name in path:
        while isinstance(tree, list):
            tree = tree[0] if tree else None
        tree = tree.get(name) if isinstance(tree, dict) else None
    return tree


def _path(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource.get('id')}"


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
