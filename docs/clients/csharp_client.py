"""Writes ``NhirxClient.cs``, a typed client for .NET Framework 4 and newer, from the counter's own description.

    python docs/clients/csharp_client.py openapi.json NhirxClient.cs

One file without further packages: values, calls, errors, and a small JSON reader. It holds what the description says and
nothing else, so it is made anew for a new version; a test compares the one in this folder with the running counter.
"""

from __future__ import annotations

import json
import keyword
import re
import sys
from pathlib import Path
from typing import Any

Schema = dict[str, Any]

_HEAD = Path(__file__).with_name("head.cs.txt")
_LOOSE = "Dictionary<string, object>"
_RESERVED = set(keyword.kwlist) | {
    "object",
    "string",
    "event",
    "ref",
    "out",
    "params",
    "base",
    "default",
    "operator",
    "lock",
    "checked",
    "namespace",
    "fixed",
}


def client(description: Schema) -> str:
    """The source file."""
    schemas: dict[str, Schema] = description["components"]["schemas"]
    parts = [_HEAD.read_text("utf-8").replace("@VERSION@", description["info"]["version"])]
    parts += [_class(name, schema) for name, schema in sorted(schemas.items()) if schema.get("type") == "object"]
    calls = [_call(path, method, call) for path, methods in description["paths"].items() for method, call in methods.items()]
    parts.append("    public sealed partial class NhirxClient\n    {\n" + "\n".join(calls) + "    }\n")
    return "\n".join(parts) + "}\n"


def pascal(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[^0-9A-Za-z]+", name))


def camel(name: str) -> str:
    found = pascal(name)
    found = found[:1].lower() + found[1:]
    return f"@{found}" if found in _RESERVED else found


def type_of(schema: Schema) -> str:
    """The C# type; what the description leaves open is a dictionary or an object."""
    if "$ref" in schema:
        return pascal(schema["$ref"].rsplit("/", 1)[-1])
    if "anyOf" in schema:
        inner = [each for each in schema["anyOf"] if each.get("type") != "null"]
        found = type_of(inner[0]) if len(inner) == 1 else "object"
        return f"{found}?" if found in {"long", "double", "bool"} else found
    kind = schema.get("type")
    if kind == "array":
        return f"List<{type_of(schema.get('items', {}))}>"
    return {"string": "string", "integer": "long", "number": "double", "boolean": "bool", "object": _LOOSE}.get(
        kind or "", "object"
    )


def _class(name: str, schema: Schema) -> str:
    lines = [f"    public sealed class {pascal(name)} : INhirxValue", "    {"]
    fill, write = [], []
    needed = set(schema.get("required", ()))
    for member, each in schema.get("properties", {}).items():
        kind = type_of(each)
        if member not in needed and kind in {"long", "double", "bool"}:
            kind += "?"  # left out unless it is set: the counter knows what it means then
        if words := re.sub(r"\s+", " ", each.get("description", "")):
            lines.append(f"        /// <summary>{words.replace('&', '&amp;').replace('<', '&lt;')}</summary>")
        lines.append(f"        public {kind} {_member(member, name)};")
        fill.append(f"            made.{_member(member, name)} = {_read(kind, f'Json.Get(from, {json.dumps(member)})')};")
        write.append(f"            Json.Put(made, {json.dumps(member)}, {_member(member, name)});")
    lines += [
        f"        public static {pascal(name)} From(object from)",
        "        {",
        "            if (from == null) return null;",
    ]
    lines += [f"            var made = new {pascal(name)}();", *fill, "            return made;", "        }"]
    lines += ["        public object ToJson()", "        {", f"            var made = new {_LOOSE}();", *write]
    lines += ["            return made;", "        }", "    }"]
    return "\n".join(lines) + "\n"


def _member(name: str, owner: str) -> str:
    found = pascal(name)
    return f"{found}Value" if found == pascal(owner) else found


def _read(kind: str, value: str) -> str:
    simple = {
        "string": "Json.Text",
        "long": "Json.Long",
        "long?": "Json.LongOrNull",
        "double": "Json.Double",
        "double?": "Json.DoubleOrNull",
        "bool": "Json.Bool",
        "bool?": "Json.BoolOrNull",
        _LOOSE: "Json.Map",
    }
    if kind in simple:
        return f"{simple[kind]}({value})"
    if kind.startswith("List<"):
        inner = kind[5:-1]
        return f"Json.List<{inner}>({value}, each => {_read(inner, 'each')})"
    return value if kind == "object" else f"{kind}.From({value})"


def _call(path: str, method: str, call: Schema) -> str:
    names = [
        (each["name"], each["in"], type_of(each["schema"]), each.get("required", False)) for each in call.get("parameters", ())
    ]
    body = _content(call.get("requestBody"))
    answer = next((_content(each) for code, each in call["responses"].items() if code.startswith("2")), None)
    given = [f"{kind} {camel(name)}" for name, _, kind, needed in names if needed]
    if body is not None:
        given.append(f"{'byte[]' if body[0] != 'application/json' else type_of(body[1])} body")
    given += [
        f"{kind if kind in ('string', 'object') or kind.endswith('?') else kind + '?'} {camel(name)} = null"
        for name, _, kind, needed in names
        if not needed
    ]
    address = re.sub(r"\{(\w+)\}", lambda found: f'" + Json.Escape({camel(found[1])}) + "', path)
    lines = [f'            var address = "{address}";'.replace(' + ""', "")]
    lines += [
        f'            address = Json.Query(address, "{name}", {camel(name)});' for name, where, *_ in names if where == "query"
    ]
    heads = ", ".join(f'"{name}", {camel(name)}' for name, where, *_ in names if where == "header")
    sent = "null" if body is None else "body" if body[0] != "application/json" else "Json.ToBytes(body)"
    media = f'"{body[0]}"' if body else "null"
    send = f'Send("{method.upper()}", address, {media}, {sent}{", " + heads if heads else ""})'
    if answer is None:
        kind, lines = "void", [*lines, f"            {send};"]
    elif answer[0] == "application/json":
        kind = type_of(answer[1])
        lines.append(f"            return {_read(kind, f'Json.Parse({send})')};")
    elif answer[1].get("format") == "binary":
        kind, lines = "byte[]", [*lines, f"            return {send};"]
    else:
        kind, lines = "string", [*lines, f"            return Json.Utf8({send});"]
    words = re.sub(r"\s+", " ", call.get("summary", "") or "").replace("&", "&amp;").replace("<", "&lt;")
    head = [f"        /// <summary>{words}</summary>"] if words else []
    head.append(f"        public {kind} {pascal(call['operationId'])}({', '.join(given)})")
    return "\n".join([*head, "        {", *lines, "        }"]) + "\n"


def _content(part: Schema | None) -> tuple[str, Schema] | None:
    for media, each in ((part or {}).get("content") or {}).items():
        return media, each.get("schema", {})
    return None


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:3])
    target.write_text(client(json.loads(source.read_text("utf-8"))), "utf-8", newline="\n")
