"""Verifies what a log handed out with Python's cryptography package and hashlib alone.

usage: python3 verify.py <folder>, which holds verifier-key, witness-key, checkpoint, older-checkpoint, proof.tlog-proof
and tile/entries/<N>[.p/<W>]
"""

import base64
import hashlib
import pathlib
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

folder = pathlib.Path(sys.argv[1])


def sha256(data):
    return hashlib.sha256(data).digest()


def node(left, right):
    return sha256(b"\x01" + left + right)


def decoded(text):
    return base64.b64decode(text, validate=True)


def key_of(file, kind):
    """Name, id and public key of a verifier key: of a log (1), or of a witness (4)."""
    name, key_id, encoded = (folder / file).read_text().strip().split("+", 2)
    material = decoded(encoded)
    assert material[0] == kind, f"{file} is no Ed25519 key of that kind"
    assert sha256(name.encode() + b"\n" + material)[:4].hex() == key_id, f"{file} does not have its id"
    return name, key_id, Ed25519PublicKey.from_public_bytes(material[1:])


name, key_id, key = key_of("verifier-key", 1)
witness, witness_id, witness_key = key_of("witness-key", 4)


def checkpoint(text):
    """Size and root of a checkpoint that the log signed and the witness cosigned."""
    body, _, signatures = text.rpartition("\n\n")
    signed = [line.split(" ") for line in signatures.splitlines()]

    def by(signer, signer_id):
        blobs = [decoded(parts[2]) for parts in signed if parts[:2] == ["\u2014", signer]]
        blobs = [blob for blob in blobs if blob[:4].hex() == signer_id]
        assert blobs, f"the checkpoint is not signed by {signer}"
        return blobs[0][4:]

    message = (body + "\n").encode()
    key.verify(by(name, key_id), message)
    cosignature = by(witness, witness_id)
    seconds = int.from_bytes(cosignature[:8], "big")
    witness_key.verify(cosignature[8:], f"cosignature/v1\ntime {seconds}\n".encode() + message)
    origin, size, root = body.split("\n")
    assert origin == name, "the checkpoint is of another log"
    return int(size), decoded(root)


size, root = checkpoint((folder / "checkpoint").read_text())
old_size, old_root = checkpoint((folder / "older-checkpoint").read_text())

# The proof of one entry, as RFC 9162 section 2.1.3.2 verifies it.
head, _, note = (folder / "proof.tlog-proof").read_text().partition("\n\n")
version, extra, index, *path = head.split("\n")
assert version == "c2sp.org/tlog-proof@v1", "the proof is of no known version"
entry = decoded(extra.removeprefix("extra "))
index = int(index.removeprefix("index "))
tree_size, tree_root = checkpoint(note)
assert index < tree_size, "the proof is of an entry that the tree does not have"
fn, sn, current = index, tree_size - 1, sha256(b"\x00" + entry)
for line in path:
    assert sn > 0, "the proof is too long"
    if fn % 2 == 1 or fn == sn:
        current = node(decoded(line), current)
        while fn % 2 == 0 and fn != 0:
            fn, sn = fn >> 1, sn >> 1
    else:
        current = node(current, decoded(line))
    fn, sn = fn >> 1, sn >> 1
assert sn == 0 and current == tree_root, "the proof does not lead to the root"

# Every entry that the log has: both roots are those of RFC 6962 section 2.1, and each entry says its place.
entries = []
for n in range((size + 255) // 256):
    width = min(256, size - 256 * n)
    bundle = (folder / "tile" / "entries" / (f"{n:03}" + ("" if width == 256 else f".p/{width}"))).read_bytes()
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        assert len(bundle) >= 2 + length, "a bundle ends within an entry"
        entries.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
assert len(entries) == size, "the bundles have another number of entries than the checkpoint"
assert entries[index] == entry, "the log has another entry at the place of the proof"
leaves = [sha256(b"\x00" + each) for each in entries]


def mth(hashes):
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return node(mth(hashes[:split]), mth(hashes[split:]))


assert mth(leaves) == root, "the entries do not have the root of the checkpoint"
assert mth(leaves[:old_size]) == old_root, "the older checkpoint is of other entries"
print(f"verified: {size} entries signed by {name}, cosigned by {witness}, entry {index} among them, the first {old_size} as signed before")
