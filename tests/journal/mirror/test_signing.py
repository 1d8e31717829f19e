"""Checkpoints that are signed: who does not have the key cannot write another history."""

from pathlib import Path

import pytest

from clasp_journal.errors import JournalUnavailable
from clasp_journal.mirror import verify_chain
from clasp_journal.mirror.chain import Fault
from clasp_journal.mirror.ending import CHECKED_MIN_BYTES
from tests.conftest import missing_tool
from tests.journal.mirror.stage import Files, recorded


@pytest.fixture
def keys(tmp_path: Path) -> tuple[str, str, str]:
    """The files of a private key, of its public one, and of the public one of somebody else."""
    try:
        from cryptography.hazmat.primitives import serialization as form
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError:
        missing_tool("cryptography is not installed: pip install 'clasp-journal[signing]'")
    names = []
    for name in ("ours", "theirs"):
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
        public = key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
        (tmp_path / f"{name}.key").write_bytes(private)
        (tmp_path / f"{name}.pub").write_bytes(public)
        names += [str(tmp_path / f"{name}.key"), str(tmp_path / f"{name}.pub")]
    return names[0], names[1], names[3]


async def test_a_signed_mirror_is_verified_with_either_half_of_the_key(
    tmp_path: Path, keys: tuple[str, str, str]
) -> None:
    """The report says up to which entry it is signed; another key finds the first checkpoint forged."""
    private, public, foreign = keys
    files = Files(tmp_path)
    kept = await recorded(files, [CHECKED_MIN_BYTES // 500] * 3, key_file=private)
    for key in (private, public):
        found = verify_chain(files.mirror, key_file=key)
        assert (found.is_intact, found.signed_upto_seq) == (True, len(kept))
    broken = verify_chain(files.mirror, key_file=foreign).broken
    assert broken is not None
    assert broken.fault == Fault.FORGED


async def test_a_history_that_was_written_again_is_found(tmp_path: Path, keys: tuple[str, str, str]) -> None:
    """Its chain holds, but nobody has signed it."""
    _, public, _ = keys
    files = Files(tmp_path)
    await recorded(files, [5])
    assert verify_chain(files.mirror).is_intact
    broken = verify_chain(files.mirror, key_file=public).broken
    assert broken is not None
    assert broken.fault == Fault.FORGED


@pytest.mark.parametrize("content", [None, "no key"])
def test_a_key_that_is_none_is_refused(
    tmp_path: Path, keys: tuple[str, str, str], content: str | None
) -> None:
    """With its name."""
    path = tmp_path / "wrong.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(JournalUnavailable, match=r"wrong\.pem"):
        verify_chain(tmp_path / "show.jsonl", key_file=str(path))
