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
