"""A local issuer: servers accept its tokens, keys stay private, and rotation harms no token."""

import io
import stat
from pathlib import Path

import jwt
import pytest
from click.testing import CliRunner, Result

from carbonline.command.main import main
from carbonline.command.token import AUDIENCE, GATEWAY_CHARACTERS_MAX, ISSUER
from carbonline.local import token_issuer
from carbonline.serving.auth import jwt_tokens
from carbonline.serving.auth.jwt_tokens import Issuer, JwtAuthenticator
from carbonline.serving.auth.key_set import KeySet
from carbonline.serving.auth.principals import Principal
from carbonline.serving.logs import _log_to
from gateway_service.access.caller import TOKEN_CHARACTERS_MAX

GRANTED = ("--tenant", "north", "--role", "operator")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an issuer's key."""
    made = typed("key", "--key", f"{tmp_path}/issuer.key", "--jwks", f"{tmp_path}/jwks.json")
    assert made.exit_code == 0, made.output
    return tmp_path


def typed(*words: str) -> Result:
    return CliRunner().invoke(main, ["token", *words])


def issued(folder: Path, *more: str, key: str = "issuer.key") -> str:
    ended = typed("issue", "ann", "--key", f"{folder}/{key}", *GRANTED, *more)
    assert ended.exit_code == 0, ended.output
    return ended.output.strip()


async def principal(folder: Path, token: str) -> Principal:
    """The caller that a server sees."""
    keys = KeySet(f"{folder}/jwks.json", _log_to(io.StringIO(), "info"), 60.0)
    await keys.load()
    authenticator = JwtAuthenticator(keys, Issuer(ISSUER, AUDIENCE, 0.0))
    found = await authenticator.principal("", f"Bearer {token}")
    assert found is not None
    return found


async def test_a_server_accepts_a_token_and_grants_what_it_says(folder: Path) -> None:
    ann = await principal(folder, issued(folder, "--unit", "0828", "--module", "purchase"))
    assert (ann.name, ann.tenants, ann.roles) == ("ann", ("north",), frozenset({"operator"}))
    assert ann.covers(None, "0828") is False
    assert (ann.units, ann.is_limited) == (frozenset({"0828"}), True)
    assert ann.seconds_left is not None
    assert 0 < ann.seconds_left <= 3600
    everything = await principal(folder, issued(folder, "--minutes", "5"))
    assert everything.is_limited is False
    assert (everything.seconds_left or 0.0) <= 300.0


def test_a_key_is_made_with_its_public_half_or_not_at_all(folder: Path) -> None:
    nowhere = typed("key", "--key", f"{folder}/new.key", "--jwks", f"{folder}/none/jwks.json")
    assert nowhere.exit_code != 0
    there = typed("key", "--key", f"{folder}/issuer.key", "--jwks", f"{folder}/jwks.json")
    assert there.exit_code != 0
    assert sorted(one.name for one in folder.iterdir()) == ["issuer.key", "jwks.json"]


async def test_a_second_key_leaves_tokens_of_the_first_one_good(folder: Path) -> None:
    old = issued(folder)
    typed("key", "--key", f"{folder}/second.key", "--jwks", f"{folder}/jwks.json")
    new = issued(folder, key="second.key")
    assert (await principal(folder, old)).name == (await principal(folder, new)).name == "ann"


def test_a_key_and_a_token_are_their_owners_and_a_key_is_never_printed_or_replaced(
    folder: Path,
) -> None:
    key = folder / "issuer.key"
    before = key.read_text()
    again = typed("key", "--key", str(key), "--jwks", f"{folder}/jwks.json")
    assert (again.exit_code, "never replaced" in again.output) == (2, True)
    assert key.read_text() == before
    issued(folder, "-o", f"{folder}/ann.token")
    for file in (key, folder / "ann.token"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    private = before.splitlines()[1]
    assert private not in again.output + (folder / "jwks.json").read_text()
    key.chmod(0o644)
    refused = typed("issue", "ann", "--key", str(key), *GRANTED)
    assert (refused.exit_code, "chmod 600" in refused.output) == (2, True)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("show", "{folder}/jwks.json"), "not a signed token"),
        (("issue", "ann", "--key", "{folder}/none", *GRANTED), "No such file"),
        (("issue", "ann", "--key", "{folder}/jwks.json", *GRANTED), "chmod 600"),
        (("issue", "", "--key", "{folder}/issuer.key", *GRANTED), "printable characters"),
        (("issue", "ann", "--key", "{folder}/issuer.key", "--tenant", "n"), "--role"),
        (("key", "--key", "{folder}/k", "--jwks", "{folder}/issuer.key"), "is not a JWKS"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(folder: Path, words: tuple[str, ...], says: str) -> None:
    ended = typed(*(word.replace("{folder}", str(folder)) for word in words))
    assert ended.exit_code == 2
    assert says in ended.output
    assert not (folder / "k").exists()


async def test_a_token_that_is_longer_than_servers_take_is_not_issued(folder: Path) -> None:
    tenants = [word for number in range(600) for word in ("--tenant", f"tenant-{number:03}")]
    refused = typed("issue", "ann", "--key", f"{folder}/issuer.key", *GRANTED, *tenants)
    assert (refused.exit_code, "servers take 8,192: name fewer" in refused.output) == (2, True)
    assert token_issuer.TOKEN_BYTES_MAX == jwt_tokens.TOKEN_BYTES_MAX
    assert GATEWAY_CHARACTERS_MAX == TOKEN_CHARACTERS_MAX
    # As many as fit are accepted.
    file = ("-o", f"{folder}/ann.token")
    for count in (100, 400):
        noted = "The gateway" in issued(folder, *tenants[: 2 * count], *file)
        token = (folder / "ann.token").read_text().strip()
        assert noted is (len(token) > TOKEN_CHARACTERS_MAX), count
        assert len((await principal(folder, token)).tenants) == 1 + count


def test_a_token_is_shown_with_its_end(folder: Path) -> None:
    issued(folder, "-o", f"{folder}/ann.token")
    shown = typed("show", "--json", f"{folder}/ann.token")
    assert '"state": "good"' in shown.output
    assert '"name": "ann"' in shown.output


def test_a_token_replaces_the_one_in_the_file_that_a_link_names(folder: Path) -> None:
    kept, link = folder / "kept.token", folder / "ann.token"
    kept.write_text("old")
    kept.chmod(0o644)
    link.symlink_to(kept)
    issued(folder, "-o", str(link))
    assert (link.is_symlink(), stat.S_IMODE(kept.stat().st_mode)) == (True, 0o600)
    assert kept.read_text().count(".") == 2
    assert not list(folder.glob("*.unfinished"))


def test_a_token_whose_end_is_in_milliseconds_is_refused_by_name(folder: Path) -> None:
    token = jwt.encode({"sub": "ann", "exp": 1_700_000_000_000_000}, "k" * 32, "HS256")
    (folder / "ann.token").write_text(token)
    shown = typed("show", f"{folder}/ann.token")
    assert (shown.exit_code, "not in seconds since 1970" in shown.output) == (2, True)
