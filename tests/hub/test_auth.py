"""Tokens, proofs, capabilities and codes."""

import ast
from pathlib import Path

import pytest

from ipyweb import hub
from ipyweb.connection import proof, scope_token
from ipyweb.hub.auth import CODE_SECONDS, FAILURE_SECONDS, MAX_CODES, MAX_FAILURES, Codes, Keys
from ipyweb.hub.sharing import Grant

ROOT = "5e" * 32


@pytest.fixture
def keys() -> Keys:
    return Keys(ROOT, "hub1")


def test_each_token_opens_its_scope(keys: Keys) -> None:
    for scope in ("admin", "session", "pane"):
        assert keys.grant(scope_token(ROOT, scope)) == Grant(scope)  # type: ignore[arg-type]


@pytest.mark.parametrize("token", [None, "", " ", ROOT[:-1], ROOT + "0", ROOT.upper(), f" {ROOT}", "ö", "\udcff"])
def test_nothing_else_opens_anything(keys: Keys, token: str | None) -> None:
    assert keys.grant(token) is None


def test_a_short_root_secret_is_refused() -> None:
    for root in ("", "x", "5e" * 16):
        with pytest.raises(ValueError, match="64 characters"):
            Keys(root, "hub1")


def test_proofs_are_those_that_a_dialler_expects(keys: Keys) -> None:
    proofs = keys.proofs("ab" * 16, "127.0.0.1:20000", 20000)
    for scope, given in proofs.items():
        assert given == proof(keys.tokens[scope], "ab" * 16, "hub1", "127.0.0.1:20000", 20000)  # type: ignore[index]
    assert len(set(proofs.values())) == 3


@pytest.mark.parametrize("nonce", ["", "ab", "x" * 32, "ab" * 65, "ab" * 16 + "\n"])
def test_a_nonce_has_a_form(keys: Keys, nonce: str) -> None:
    with pytest.raises(ValueError, match="nonce"):
        keys.proofs(nonce, "127.0.0.1:1", 1)


def test_a_capability_is_good_for_one_hash_type_and_hub(keys: Keys) -> None:
    sha256 = "12" * 32
    _, mac, name = keys.blob_url("image/png", sha256).split("/")
    assert name == f"{sha256}.png"
    assert keys.blob_type(mac, sha256, "png") == "image/png"
    for other in (("0" * 32, sha256, "png"), (mac, "13" * 32, "png"), (mac, sha256, "bin"), (mac, sha256, "svg")):
        assert keys.blob_type(*other) is None
    assert Keys("6f" * 32, "hub1").blob_type(mac, sha256, "png") is None
    assert Keys(ROOT, "hub1").blob_url("image/png", sha256) == keys.blob_url("image/png", sha256)


@pytest.mark.parametrize("mimetype", ["text/html", "image/svg+xml", "application/pdf", "x/../y", "image/png; x"])
def test_only_rasters_are_served_as_what_they_are(keys: Keys, mimetype: str) -> None:
    _, mac, name = keys.blob_url(mimetype, "12" * 32).split("/")
    assert keys.blob_type(mac, "12" * 32, name.split(".")[1]) == "application/octet-stream"


def test_the_frame_has_a_capability_of_its_own(keys: Keys) -> None:
    _, mac, name = keys.frame_url().split("/")
    assert name == "frame.html"
    assert keys.is_frame_mac(mac)
    assert not keys.is_frame_mac("0" * 32)
    assert not keys.is_frame_mac("")


class Clock:
    """Seconds, moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_code_works_once_and_not_for_long() -> None:
    clock = Clock()
    codes = Codes(clock)
    first, second = codes.issue(), codes.issue()
    assert codes.redeem(first)
    assert not codes.redeem(first)
    clock.now += CODE_SECONDS
    assert not codes.redeem(second)


def test_codes_do_not_pile_up() -> None:
    codes = Codes(Clock())
    issued = [codes.issue() for _ in range(MAX_CODES + 5)]
    assert not codes.redeem(issued[0])
    assert codes.redeem(issued[-1])


def test_wrong_codes_are_counted_for_a_minute() -> None:
    clock = Clock()
    codes = Codes(clock)
    for n in range(MAX_FAILURES):
        assert not codes.exhausted
        assert not codes.redeem(str(n))
    assert codes.exhausted
    assert codes.redeem(codes.issue())
    clock.now += FAILURE_SECONDS
    assert not codes.exhausted


def test_secrets_are_only_compared_in_constant_time() -> None:
    """No == or != with something named like a secret, anywhere in the hub."""
    for path in Path(hub.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
                names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
                attributes = {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
                assert not (names | attributes) & {"mac", "offered", "secret", "code", "key_hash", "signature"}, (
                    path,
                    node.lineno,
                )
