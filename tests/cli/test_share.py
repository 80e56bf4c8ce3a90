"""``ipyweb share``: what is printed, and what it opens."""

from collections.abc import Callable
from urllib.parse import parse_qs

import pytest

from ipyweb import connection
from ipyweb.connection import Connection, exchange

Answer = Callable[..., tuple[int, str, str]]
PNG = "iVBORw0KGgo="


def fragment(link: str) -> dict[str, str]:
    """What a printed link carries."""
    address, _, fields = link.rstrip("\n").partition("/#")
    assert address.startswith("http://127.0.0.1:")
    return {name: value for name, (value,) in parse_qs(fields).items()}


def get(hub: Connection, token: str, path: str) -> int:
    return exchange(hub.url, "GET", path, headers={"Authorization": f"Bearer {token}"}).status


def test_the_link_is_on_stdout_and_nothing_else(
    hub: Connection, publish: Callable[..., int], answer: Answer, project: str
) -> None:
    number = publish()
    status, out, error = answer("share", "--read-only")
    assert status == 0
    assert out.count("\n") == 1
    fields = fragment(out)
    assert fields.keys() == {"token", "project"}
    assert fields["project"] == project
    assert fields["token"] not in error
    assert "sees everything that this hub has, for 1d" in error
    assert get(hub, fields["token"], f"api/outputs/{number}") == 200
    headers = {"Authorization": f"Bearer {fields['token']}"}
    assert exchange(hub.url, "DELETE", f"api/outputs/{number}", headers=headers).status == 403


def test_without_read_only_it_changes_too(hub: Connection, publish: Callable[..., int], answer: Answer) -> None:
    number = publish()
    status, out, error = answer("share", "--output", "last")
    assert (status, fragment(out).keys()) == (0, {"token"})
    assert "sees and changes this output and nothing else" in error
    headers = {"Authorization": f"Bearer {fragment(out)['token']}"}
    assert exchange(hub.url, "DELETE", f"api/outputs/{number}", headers=headers).status == 200


def test_one_output_has_a_picture_too(hub: Connection, publish: Callable[..., int], answer: Answer) -> None:
    publish({"image/png": PNG}, display_id="loss")
    publish({"text/plain": "other"})
    status, out, error = answer("share", "--display-id", "loss", "--expires", "2w")
    assert status == 0
    assert get(hub, fragment(out)["token"], "api/outputs/2") == 404
    picture = error.split()[-1]
    status, printed, error = answer("share", "--display-id", "loss", "--image")
    assert (status, error) == (0, "")
    for url in (picture, printed.strip()):
        assert exchange(hub.url, "GET", url.removeprefix(hub.url)).headers["content-type"] == "image/png"


def test_rotate_ends_every_link(hub: Connection, publish: Callable[..., int], answer: Answer) -> None:
    publish({"image/png": PNG}, display_id="loss")
    token = fragment(answer("share")[1])["token"]
    picture = answer("share", "--display-id", "loss", "--image")[1].strip().removeprefix(hub.url)
    assert (get(hub, token, "api/state"), exchange(hub.url, "GET", picture).status) == (200, 200)
    assert answer("rotate")[0] == 0
    assert (get(hub, token, "api/state"), exchange(hub.url, "GET", picture).status) == (403, 403)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--output", "x"), "expected the id of an output"),
        (("--output", "1", "--display-id", "loss"), "got both"),
        (("--image",), "--image needs"),
        (("--expires", "soon"), "--expires: expected a duration"),
        (("--expires", "0s"), "--expires: expected from 1s"),
        (("--expires", "9999w"), "--expires: expected from 1s"),
        (("1",), "expected ipyweb share"),
    ],
)
def test_wrong_usage_is_told(hub: Connection, answer: Answer, words: tuple[str, ...], says: str) -> None:
    status, out, error = answer("share", *words)
    assert (status, out) == (2, "")
    assert says in error
    assert error.count("\n") == 1


def test_what_is_not_there_cannot_be_shared(hub: Connection, publish: Callable[..., int], answer: Answer) -> None:
    publish(display_id="loss", project="/elsewhere")
    for words, says in (
        (("--output", "77"), "there is no output 77"),
        (("--display-id", "loss"), "display id 'loss' in"),
    ):
        status, out, error = answer("share", *words)
        assert (status, out) == (1, "")
        assert says in error


def test_a_hub_elsewhere_makes_its_own_links(hub: Connection, answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    path = connection.runtime_dir() / "token"
    path.touch(mode=0o600)
    path.write_text(hub.token_for("session"))
    with monkeypatch.context() as patched:
        patched.setenv("IPYWEB_HUB", hub.url)
        patched.setenv("IPYWEB_TOKEN_FILE", str(path))
        done = answer("share")
    assert done == (1, "", "ipyweb: IPYWEB_HUB names a hub elsewhere; run `ipyweb share` on its machine\n")
