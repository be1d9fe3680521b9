#!/bin/sh
# Verifies what a log handed out with OpenSSL and the tools of any shell alone.
# usage: sh verify.sh <folder>, which holds verifier-key, checkpoint, older-checkpoint and proof.tlog-proof
set -eu
folder=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
refuse() { echo "refused: $1" >&2; exit 1; }

# <name>+<id>+<base64 of 0x01 and the key>; base64 may hold a plus.
key=$(cat "$folder/verifier-key")
name=${key%%+*}
rest=${key#*+}
printf '%s' "${rest#*+}" | openssl base64 -d -A >"$work/material"
[ "$(wc -c <"$work/material")" -eq 33 ] || refuse 'the key is no Ed25519 key of a log'
id=$({ printf '%s\n' "$name"; cat "$work/material"; } | openssl dgst -sha256 -binary | head -c 4 | od -An -tx1 | tr -d ' \n')
[ "$id" = "${rest%%+*}" ] || refuse 'the key does not have its id'
{ printf '\060\052\060\005\006\003\053\145\160\003\041\000'; tail -c 32 "$work/material"; } >"$work/key.der"
openssl pkey -pubin -inform DER -in "$work/key.der" -out "$work/key.pem" || refuse 'the key is none'

# Leaves the root of a checkpoint that the key signed in $work/root, its size in $size.
checkpoint() {
  sed '/^$/,$d' "$1" >"$work/text"
  line=$(sed '1,/^$/d' "$1" | grep -F -- "— $name " | head -n 1) || refuse "$1 is not signed by $name"
  printf '%s' "${line##* }" | openssl base64 -d -A | tail -c 64 >"$work/signature"
  openssl pkeyutl -verify -rawin -pubin -inkey "$work/key.pem" -in "$work/text" -sigfile "$work/signature" >"$work/said" 2>&1 ||
    refuse "the signature of $1 is not that of $name"
  [ "$(sed -n 1p "$work/text")" = "$name" ] || refuse "$1 is of another log"
  size=$(sed -n 2p "$work/text")
  sed -n 3p "$work/text" | openssl base64 -d -A >"$work/root"
  [ "$(wc -c <"$work/root")" -eq 32 ] || refuse "$1 has no root"
}
checkpoint "$folder/older-checkpoint"
checkpoint "$folder/checkpoint"

# The proof of one entry, as RFC 9162 section 2.1.3.2 verifies it.
sed '1,/^$/d' "$folder/proof.tlog-proof" >"$work/note"
sed '/^$/,$d' "$folder/proof.tlog-proof" >"$work/head"
checkpoint "$work/note"
[ "$(sed -n 1p "$work/head")" = 'c2sp.org/tlog-proof@v1' ] || refuse 'the proof is of no known version'
{ printf '\000'; sed -n 's/^extra //p' "$work/head" | openssl base64 -d -A; } | openssl dgst -sha256 -binary >"$work/current"
fn=$(sed -n 's/^index //p' "$work/head")
index=$fn
[ "$fn" -lt "$size" ] || refuse 'the tree has no such entry'
sn=$((size - 1))
for line in $(sed -n '4,$p' "$work/head"); do
  [ "$sn" -gt 0 ] || refuse 'the proof is too long'
  printf '%s' "$line" | openssl base64 -d -A >"$work/sibling"
  if [ $((fn % 2)) -eq 1 ] || [ "$fn" -eq "$sn" ]; then
    { printf '\001'; cat "$work/sibling" "$work/current"; } | openssl dgst -sha256 -binary >"$work/next"
    while [ $((fn % 2)) -eq 0 ] && [ "$fn" -ne 0 ]; do fn=$((fn / 2)); sn=$((sn / 2)); done
  else
    { printf '\001'; cat "$work/current" "$work/sibling"; } | openssl dgst -sha256 -binary >"$work/next"
  fi
  mv "$work/next" "$work/current"
  fn=$((fn / 2))
  sn=$((sn / 2))
done
[ "$sn" -eq 0 ] || refuse 'the proof is too short'
cmp -s "$work/current" "$work/root" || refuse 'the proof does not lead to the root'
echo "verified: signed by $name, entry $index is among the first $size"
