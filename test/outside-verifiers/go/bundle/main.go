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
