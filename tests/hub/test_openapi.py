"""The description names every route and method that there is."""

import re

from tornado.web import RequestHandler

from ipyweb.hub import openapi, routes

from .conftest import Live

UNDESCRIBED = re.compile(r"/|/assets/.*|/c/.*|/s/.*|/ws/.*")


def test_every_route_is_described_with_its_methods() -> None:
    described = {(path, method) for path, methods in openapi.PATHS.items() for method in methods}
    found = set()
    for pattern, handler in routes.ROUTES:
        path = (
            pattern.replace("([0-9]{1,18})", "{id}")
            .replace("runs/([0-9a-f]{32})", "runs/{run}")
            .replace("([0-9a-f]{64})", "{sha256}")
            .replace("([A-Za-z0-9_-]{22})", "{line}")
            .replace("\\.", ".")
        )
        if UNDESCRIBED.fullmatch(path):
            continue
        for method in ("get", "head", "post", "put", "patch", "delete"):
            if getattr(handler, method) is not getattr(RequestHandler, method):
                found.add((path, method))
    assert found - {("/api/outputs/{id}/data", "head")} == described


def test_the_description_is_public_and_its_references_resolve(live: Live) -> None:
    response = live.request("GET", "/api/openapi.json", scope=None)
    document = response.json()
    assert document["openapi"].startswith("3.1")
    names = set(re.findall(r"#/components/schemas/(\w+)", response.body.decode()))
    assert names == set(document["components"]["schemas"])


def test_records_have_exactly_the_described_fields(live: Live) -> None:
    schemas = live.get("/api/openapi.json")["components"]["schemas"]
    session = live.session()
    session.welcome()
    session.display()
    session.acked()
    assert live.outputs()[0].keys() == schemas["Output"]["properties"].keys()
    assert live.get("/api/sessions")["sessions"][0].keys() == schemas["Session"]["properties"].keys()
    assert live.get("/api/outputs/1/versions")[0].keys() == schemas["Version"]["properties"].keys()
    assert live.get("/api/state").keys() == openapi._STATE["properties"].keys()
