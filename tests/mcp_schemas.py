"""Names and schemas of tools as strangers write them."""

NODE = {"type": "object", "properties": {"next": {"$ref": "#/definitions/node"}}}
ODD = {
    "odd.name/with spaces": {"type": "object"},
    "odd name with spaces": {"type": "object", "properties": {}},
    "x" * 90: {"type": "object", "properties": {"a": {"type": "string"}}},
    "referring": {
        "type": "object",
        "$schema": "http://json-schema.org/draft-07/schema#",
        "properties": {"node": {"$ref": "#/definitions/node"}},
        "definitions": {"node": NODE},
    },
    "all of it elsewhere": {
        "type": "object",
        "$ref": "#/$defs/args",
        "$defs": {"args": {"properties": {"id": {"type": "integer"}}, "required": ["id"]}},
    },
    "choosing": {
        "type": "object",
        "anyOf": [
            {"properties": {"id": {"type": "integer"}, "x": {}}, "required": ["id", "x"]},
            {"properties": {"name": {"type": "string"}, "x": {}}, "required": ["name", "x"]},
        ],
    },
    "const": {
        "type": "object",
        "properties": {
            "kind": {"const": "a"},
            "many": {"type": ["array", "null"], "items": {"type": "string"}, "minItems": 1},
            "map": {"type": "object", "additionalProperties": {"type": "number"}},
            "description": {"type": "string", "description": "Hi\u202eih"},
        },
        "additionalProperties": False,
    },
    "huge": {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(2000)}},
}
