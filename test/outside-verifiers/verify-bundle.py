"""Verifies an unzipped bundle of evidence with Python's cryptography package, hashlib and json alone.

usage: python3 verify-bundle.py <folder> <verifier key>, the key as the log's operator publishes it
"""

import base64
import hashlib
import json
import pathlib
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

folder = pathlib.Path(sys.argv[1])
trusted = sys.argv[2].strip()


def sha256(data):
    return hashlib.sha256(data).digest()


def read(path):
    return (folder / path).read_bytes()


def decoded(text):
    return base64.b64decode(text, validate=True)


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


# Every file is listed, and as it was listed.
manifest = json.loads(read("manifest.json"))
assert canonical(manifest) == read("manifest.json"), "the manifest is not canonical JSON"
assert manifest["format"] == "pledgebook-evidence/1", "the bundle is of another format"
listed = {each["path"]: each["sha256"] for each in manifest["files"]}
found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
assert found == {"manifest.json", *listed}, "the bundle has other files than its manifest lists"
for path, digest in listed.items():
    assert sha256(read(path)).hex() == digest, f"{path} is not the file that was listed"

# The key is the one that is trusted, and has its id.
assert read("verifier-key").decode() == trusted + "\n", "the bundle is of another log than the one asked for"
name, key_id, encoded = trusted.split("+", 2)
material = decoded(encoded)
assert material[0] == 1 and sha256(name.encode() + b"\n" + material)[:4].hex() == key_id, "the key does not have its id"
key = Ed25519PublicKey.from_public_bytes(material[1:])

# The checkpoint is signed by it.
note = read("checkpoint").decode()
body, _, signatures = note.rpartition("\n\n")
own = [decoded(line.split(" ")[2]) for line in signatures.splitlines() if line.startswith(f"\u2014 {name} ")]
own = [blob for blob in own if blob[:4].hex() == key_id]
assert own, "the checkpoint is not signed by the key"
key.verify(own[0][4:], (body + "\n").encode())
origin, size, root = body.split("\n")
size, root = int(size), decoded(root)
assert origin == name == manifest["origin"] and size == manifest["size"], "the manifest is of another checkpoint"


def prove(file, leaf, seq):
    """The inclusion of a leaf under the checkpoint, as RFC 9162 section 2.1.3.2 verifies it."""
    head, _, signed = file.decode().partition("\n\n")
    version, extra, index, *path = head.split("\n")
    assert version == "c2sp.org/tlog-proof@v1" and signed == note, "a proof is of no known version or another checkpoint"
    assert decoded(extra.removeprefix("extra ")) == leaf and index == f"index {seq}" and seq < size, "a proof is of another leaf"
    fn, sn, current = seq, size - 1, sha256(b"\x00" + leaf)
    for line in path:
        assert sn > 0, "a proof is too long"
        if fn % 2 == 1 or fn == sn:
            current = sha256(b"\x01" + decoded(line) + current)
            while fn % 2 == 0 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            current = sha256(b"\x01" + current + decoded(line))
        fn, sn = fn >> 1, sn >> 1
    assert sn == 0 and current == root, "a proof does not lead to the root"


# Every stream is there without a gap, every event in the log, every opening the one that was recorded.
opened = 0
events = 0
record = manifest["record"]
assert record["stream"] == record["kind"] + "-" + record["id"], "the record is not that of its stream"
assert record["stream"] in [each["stream"] for each in manifest["streams"]], "the record's own stream is missing"
for stream in manifest["streams"]:
    name, before, complete = stream["stream"], None, True
    assert stream["category"] == name.split("-")[0] and stream["events"] == len(stream["revisions"]), f"{name} is miscounted"
    for revision, event in enumerate(stream["revisions"]):
        assert event["revision"] == revision, f"revision {revision} of {name} is missing"
        path = f"events/{name}/{revision}"
        leaf = canonical({"entryHash": event["entryHash"], "seq": event["seq"], "v": 1})
        prove(read(path + ".tlog-proof"), leaf, event["seq"])
        assert event["opened"] == (path + ".json" in listed) == (path + ".salt" in listed), f"{path} is opened in part"
        if event["opened"]:
            opening, salt = read(path + ".json"), read(path + ".salt").decode()
            assert salt == bytes.fromhex(salt.strip()).hex() + "\n", f"{path}.salt is not one line of hexadecimal"
            assert sha256(bytes.fromhex(salt.strip()) + opening).hex() == event["entryHash"], f"{path} is not what was recorded"
            said = json.loads(opening)
            assert said["stream"] == name and said["revision"] == revision, f"{path} is another event"
            assert said["prevInStream"] == before, f"{path} does not follow the event before it"
            opened += 1
        complete = complete and event["opened"]
        before = event["entryHash"]
        events += 1
    assert (manifest["state"].get(name) == f"state/{name}.json") == complete, f"the state of {name} is claimed without its events"
print(f"verified: {events} events of {record['stream']} and what it is made of, {opened} of them in full, signed by {origin}")
