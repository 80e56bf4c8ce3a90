"""The OpenAPI 3.1 description of the HTTP routes."""

import json


def description() -> str:
    """The description as JSON text."""
    return json.dumps({"openapi": "3.1.0"})
