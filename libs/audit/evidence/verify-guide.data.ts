/**
 * `VERIFY.md` of every bundle. Its programs are those of `test/outside-verifiers`, which the extra tests run on bundles of a running service;
 * `verify-guide.spec.ts` holds both together.
 */
export const VERIFY_GUIDE = String.raw`# How to verify this bundle

It is evidence of one record of a Pledgebook, as it stood under one signed checkpoint of that service's log. Nothing here has to be believed: what
follows is verified without the service, and without its programs.

| file                                        | what it is                                                                                          |
| ------------------------------------------- | --------------------------------------------------------------------------------------------------- |
| manifest.json                               | every stream, event and file of this bundle                                                         |
| checkpoint, verifier-key                    | how many events the log holds and the root hash over them, signed (C2SP tlog-checkpoint); whose key |
| events/<stream>/<revision>.json, .salt      | an event as it was recorded (its opening), and the salt that it was hashed with                     |
| events/<stream>/<revision>.tlog-proof       | that its hash stands in the log under the checkpoint (C2SP tlog-proof)                              |
| state/<stream>.json                         | what the service says the events of a stream amount to                                              |
| schemas/<Type>.v<n>.json                    | JSON Schemas of the events                                                                          |
| record.json, index.html                     | the record as the service shows it, and a page to read or print                                     |

What is proven: that the log's key signed the checkpoint; that each event stands in the log at its place; that an opening is, to the byte, what was
recorded (SHA-256 over salt and opening is the hash in the log); and that no revision of a stream before the last is missing or moved, since each
opening holds the hash of the event before it in its stream. An event whose content is not for the reader of this bundle is here by its
hash alone, and proven all the same. What is not proven: record.json, index.html, the schemas and this text, which are the service's words.
That a state follows from the events is verified by pledgebook-verify, which holds the published rules.

First get the log's key from elsewhere: from /log/verifier-key of the service, or from where its operator publishes it. The key in the bundle only
says which log it claims to be of. In what follows KEY stands for that line, and evidence for the folder that the file was unpacked to:

~~~
unzip -d evidence <this file>
~~~

## With pledgebook-verify

~~~
npx pledgebook-verify --key 'KEY' <this file>
~~~

## With OpenSSL and sha256sum

The files alone, against the manifest:

~~~sh
cd evidence && grep -o '{"path":"[^"]*","sha256":"[0-9a-f]*"}' manifest.json | sed 's/{"path":"\(.*\)","sha256":"\(.*\)"}/\2  \1/' | sha256sum -c --quiet
~~~

All of it, with OpenSSL 3 and the tools of any shell: save this as verify-bundle.sh, and run: sh verify-bundle.sh evidence 'KEY'

~~~sh
#!/bin/sh
# Verifies an unzipped bundle of evidence with OpenSSL, sha256sum and the tools of any shell alone.
# usage: sh verify-bundle.sh <folder> <verifier key>, the key as the log's operator publishes it
set -eu
cd "$1"
trusted=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
refuse() { echo "refused: $1" >&2; exit 1; }
decode() { openssl base64 -d -A; }
digest() { openssl dgst -sha256 -binary; }
hex() { od -An -v -tx1 | tr -d ' \n'; }

# Every file is listed, and as it was listed.
grep -qF '"format":"pledgebook-evidence/1"' manifest.json || refuse 'the bundle is of another format'
grep -o '{"path":"[^"]*","sha256":"[0-9a-f]*"}' manifest.json |
  sed 's/{"path":"\(.*\)","sha256":"\(.*\)"}/\2  \1/' | sort -k 2 >"$work/listed"
sha256sum -c --quiet "$work/listed" >&2 || refuse 'a file is not as the manifest lists it'
find . -type f | sed 's|^\./||' | grep -vx manifest.json | sort >"$work/found"
cut -c 67- "$work/listed" | sort | cmp -s - "$work/found" || refuse 'there are other files than the manifest lists'

# The key is the one that is trusted: <name>+<id>+<base64 of 0x01 and the key>.
[ "$(cat verifier-key)" = "$trusted" ] || refuse 'the bundle is of another log than the one asked for'
name=$(cut -d + -f 1 verifier-key)
cut -d + -f 3- verifier-key | tr -d '\n' | decode >"$work/material"
[ "$(wc -c <"$work/material")" -eq 33 ] || refuse 'the key is no Ed25519 key of a log'
id=$({ printf '%s\n' "$name"; cat "$work/material"; } | digest | head -c 4 | hex)
[ "$id" = "$(cut -d + -f 2 verifier-key)" ] || refuse 'the key does not have its id'
{ printf '\060\052\060\005\006\003\053\145\160\003\041\000'; tail -c 32 "$work/material"; } >"$work/key.der"
openssl pkey -pubin -inform DER -in "$work/key.der" -out "$work/key.pem" || refuse 'the key is none'

# The checkpoint is signed by it.
sed '/^$/,$d' checkpoint >"$work/text"
sed '1,/^$/d' checkpoint | grep -F -- "— $name " | head -n 1 | cut -d ' ' -f 3 | tr -d '\n' | decode | tail -c 64 >"$work/signature"
openssl pkeyutl -verify -rawin -pubin -inkey "$work/key.pem" -in "$work/text" -sigfile "$work/signature" >"$work/said" 2>&1 ||
  refuse 'the checkpoint is not signed by the key'
[ "$(sed -n 1p "$work/text")" = "$name" ] || refuse 'the checkpoint is of another log'
size=$(sed -n 2p "$work/text")
sed -n 3p "$work/text" | decode >"$work/root"
grep -qF "\"origin\":\"$name\"" manifest.json || refuse 'the manifest is of another log'
grep -qF "\"size\":$size," manifest.json || refuse 'the manifest is of another checkpoint'

# Every event is in the log, as RFC 9162 section 2.1.3.2 verifies it, and every opening the one that was recorded.
opened=0
events=0
for stream in $(sed -n 's|^[0-9a-f]*  events/\([^/]*\)/0\.tlog-proof$|\1|p' "$work/listed"); do
  before=null
  revision=0
  while [ -e "events/$stream/$revision.tlog-proof" ]; do
    path="events/$stream/$revision"
    sed '1,/^$/d' "$path.tlog-proof" | cmp -s - checkpoint || refuse "$path is proven by another checkpoint"
    sed '/^$/,$d' "$path.tlog-proof" >"$work/head"
    [ "$(sed -n 1p "$work/head")" = 'c2sp.org/tlog-proof@v1' ] || refuse "$path has a proof of no known version"
    sed -n 's/^extra //p' "$work/head" | decode >"$work/leaf"
    fn=$(sed -n 's/^index //p' "$work/head")
    hash=$(cut -d '"' -f 4 "$work/leaf")
    [ "$(cat "$work/leaf")" = "{\"entryHash\":\"$hash\",\"seq\":$fn,\"v\":1}" ] || refuse "$path has a leaf of another place"
    grep -qF "{\"entryHash\":\"$hash\",\"opened\":$([ -e "$path.json" ] && echo true || echo false),\"revision\":$revision,\"seq\":$fn}" manifest.json ||
      refuse "$path is not what the manifest says"
    [ "$fn" -lt "$size" ] || refuse "$path is not under the checkpoint"
    { printf '\000'; cat "$work/leaf"; } | digest >"$work/current"
    sn=$((size - 1))
    for line in $(sed -n '4,$p' "$work/head"); do
      [ "$sn" -gt 0 ] || refuse "$path has a proof that is too long"
      printf '%s' "$line" | decode >"$work/sibling"
      if [ $((fn % 2)) -eq 1 ] || [ "$fn" -eq "$sn" ]; then
        { printf '\001'; cat "$work/sibling" "$work/current"; } | digest >"$work/next"
        while [ $((fn % 2)) -eq 0 ] && [ "$fn" -ne 0 ]; do fn=$((fn / 2)); sn=$((sn / 2)); done
      else
        { printf '\001'; cat "$work/current" "$work/sibling"; } | digest >"$work/next"
      fi
      mv "$work/next" "$work/current"
      fn=$((fn / 2))
      sn=$((sn / 2))
    done
    [ "$sn" -eq 0 ] && cmp -s "$work/current" "$work/root" || refuse "$path has a proof that does not lead to the root"
    if [ -e "$path.json" ]; then
      # printf knows octal digits in every shell.
      salt=$(sed 's/../0x& /g' "$path.salt")
      for byte in $salt; do printf "\\$(printf '%03o' "$byte")"; done >"$work/salt"
      [ "$(wc -c <"$work/salt")" -eq 32 ] || refuse "$path.salt is no salt"
      [ "$(cat "$work/salt" "$path.json" | digest | hex)" = "$hash" ] || refuse "$path is not what was recorded"
      grep -qF "\"prevInStream\":$before,\"revision\":$revision," "$path.json" || refuse "$path does not follow the event before it"
      grep -qF "\"stream\":\"$stream\",\"type\":" "$path.json" || refuse "$path is of another stream"
      opened=$((opened + 1))
    fi
    before="\"$hash\""
    revision=$((revision + 1))
    events=$((events + 1))
  done
  [ "$(grep -c "  events/$stream/[0-9]*\.tlog-proof\$" "$work/listed")" -eq "$revision" ] || refuse "revision $revision of $stream is missing"
  grep -qF "\"events\":$revision,\"revisions\":[{\"entryHash\"" manifest.json || refuse "$stream is miscounted"
done
[ "$events" -gt 0 ] || refuse 'there are no events'
echo "verified: $events events, $opened of them in full, signed by $name"
~~~

## With Python

With the package cryptography: save this as verify-bundle.py, and run: python3 verify-bundle.py evidence 'KEY'

~~~python
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
~~~

## With Go

With the packages that Go's own checksum database is verified with: save this as main.go in an empty folder, and run there:

~~~
go mod init verify && go get golang.org/x/mod@v0.21.0 && go run . ../evidence 'KEY'
~~~

~~~go
// Verifies an unzipped bundle of evidence with golang.org/x/mod/sumdb, which Go's own checksum database is verified with, and the
// standard library alone.
//
// usage: go run . <folder> <verifier key>, the key as the log's operator publishes it
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type manifest struct {
	Format string
	Origin string
	Size   int64
	Record struct{ Kind, ID, Stream string }
	State  map[string]string
	Files  []struct{ Path, SHA256 string }

	Streams []struct {
		Stream, Category string
		Events           int
		Revisions        []struct {
			Revision  int
			Seq       int64
			EntryHash string
			Opened    bool
		}
	}
}

func require(holds bool, reason string, about ...any) {
	if !holds {
		fmt.Fprintf(os.Stderr, "refused: "+reason+"\n", about...)
		os.Exit(1)
	}
}

func check(err error) {
	require(err == nil, "%v", err)
}

func main() {
	folder, trusted := os.Args[1], strings.TrimSpace(os.Args[2])
	read := func(path string) []byte {
		data, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(path)))
		check(err)
		return data
	}

	// Every file is listed, and as it was listed.
	var said manifest
	decoder := json.NewDecoder(bytes.NewReader(read("manifest.json")))
	decoder.DisallowUnknownFields()
	check(decoder.Decode(&said))
	require(said.Format == "pledgebook-evidence/1", "the bundle is of another format")
	listed := map[string]bool{"manifest.json": true}
	for _, file := range said.Files {
		sum := sha256.Sum256(read(file.Path))
		require(hex.EncodeToString(sum[:]) == file.SHA256, "%s is not the file that was listed", file.Path)
		listed[file.Path] = true
	}
	check(filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		check(err)
		name, err := filepath.Rel(folder, path)
		check(err)
		require(entry.IsDir() || listed[filepath.ToSlash(name)], "%s is not in the manifest", name)
		return nil
	}))

	// The key is the one that is trusted, and signed the checkpoint.
	require(string(read("verifier-key")) == trusted+"\n", "the bundle is of another log than the one asked for")
	verifier, err := note.NewVerifier(trusted)
	check(err)
	signed := read("checkpoint")
	opened, err := note.Open(signed, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(opened.Text, "\n")
	require(len(lines) == 4 && lines[0] == verifier.Name() && lines[0] == said.Origin, "the checkpoint is of another log")
	require(lines[1] == strconv.FormatInt(said.Size, 10), "the manifest is of another checkpoint")
	root, err := tlog.ParseHash(lines[2])
	check(err)

	// Every stream is there without a gap, every event in the log, every opening the one that was recorded.
	events, full, own := 0, 0, false
	require(said.Record.Stream == said.Record.Kind+"-"+said.Record.ID, "the record is not that of its stream")
	for _, stream := range said.Streams {
		own = own || stream.Stream == said.Record.Stream
		require(strings.HasPrefix(stream.Stream, stream.Category+"-") && stream.Events == len(stream.Revisions), "%s is miscounted", stream.Stream)
		before, complete := "null", true
		for revision, event := range stream.Revisions {
			path := fmt.Sprintf("events/%s/%d", stream.Stream, revision)
			require(event.Revision == revision, "revision %d of %s is missing", revision, stream.Stream)
			leaf := fmt.Sprintf("{\"entryHash\":\"%s\",\"seq\":%d,\"v\":1}", event.EntryHash, event.Seq)
			head, checkpoint, _ := strings.Cut(string(read(path+".tlog-proof")), "\n\n")
			proof := strings.Split(head, "\n")
			require(len(proof) >= 3 && proof[0] == "c2sp.org/tlog-proof@v1" && checkpoint == string(signed), "%s has a proof of no known version or another checkpoint", path)
			require(proof[1] == "extra "+base64.StdEncoding.EncodeToString([]byte(leaf)) && proof[2] == fmt.Sprintf("index %d", event.Seq), "%s has the proof of another leaf", path)
			var hashes tlog.RecordProof
			for _, line := range proof[3:] {
				hash, err := tlog.ParseHash(line)
				check(err)
				hashes = append(hashes, hash)
			}
			check(tlog.CheckRecord(hashes, said.Size, root, event.Seq, tlog.RecordHash([]byte(leaf))))
			require(listed[path+".json"] == event.Opened && listed[path+".salt"] == event.Opened, "%s is opened in part", path)
			if event.Opened {
				opening := read(path + ".json")
				salt, err := hex.DecodeString(strings.TrimSuffix(string(read(path+".salt")), "\n"))
				check(err)
				sum := sha256.Sum256(append(salt, opening...))
				require(hex.EncodeToString(sum[:]) == event.EntryHash, "%s is not what was recorded", path)
				var event struct {
					Stream       string
					Revision     int
					PrevInStream json.RawMessage
				}
				check(json.Unmarshal(opening, &event))
				require(event.Stream == stream.Stream && event.Revision == revision, "%s is another event", path)
				require(string(event.PrevInStream) == before, "%s does not follow the event before it", path)
				full++
			}
			complete = complete && event.Opened
			before = strconv.Quote(event.EntryHash)
			events++
		}
		require((said.State[stream.Stream] != "") == complete, "the state of %s is claimed without its events", stream.Stream)
	}
	require(own, "the record's own stream is missing")
	fmt.Printf("verified: %d events of %s and what it is made of, %d of them in full, signed by %s\n", events, said.Record.Stream, full, verifier.Name())
}
~~~
`;
