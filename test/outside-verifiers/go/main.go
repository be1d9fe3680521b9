// Verifies what a log handed out with golang.org/x/mod/sumdb alone: what Go's own checksum database is verified with.
//
// usage: go run . <folder>, which holds verifier-key, checkpoint, older-checkpoint, proof.tlog-proof and tile/<L>/<N>[.p/<W>]
package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
}

func read(folder string, parts ...string) []byte {
	data, err := os.ReadFile(filepath.Join(append([]string{folder}, parts...)...))
	check(err)
	return data
}

func hash(line string) tlog.Hash {
	h, err := tlog.ParseHash(line)
	check(err)
	return h
}

// checkpoint opens a signed note of a tree: origin, size, root.
func checkpoint(data []byte, verifier note.Verifier) tlog.Tree {
	opened, err := note.Open(data, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		check(fmt.Errorf("the checkpoint is not one of %s", verifier.Name()))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	return tlog.Tree{N: size, Hash: hash(lines[2])}
}

// tiles reads tiles of height 8 by the paths of c2sp.org/tlog-tiles, which leave the height out.
type tiles struct{ folder string }

func (t tiles) Height() int { return 8 }

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, len(wanted))
	for i, tile := range wanted {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(t.folder, path))
		if err != nil {
			return nil, err
		}
		found[i] = data
	}
	return found, nil
}

func main() {
	folder := os.Args[1]
	verifier, err := note.NewVerifier(strings.TrimSpace(string(read(folder, "verifier-key"))))
	check(err)
	newer := checkpoint(read(folder, "checkpoint"), verifier)
	older := checkpoint(read(folder, "older-checkpoint"), verifier)

	head, signed, found := strings.Cut(string(read(folder, "proof.tlog-proof")), "\n\n")
	if !found {
		check(fmt.Errorf("the proof has no checkpoint"))
	}
	lines := strings.Split(head, "\n")
	if len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		check(fmt.Errorf("the proof is of no known version"))
	}
	entry, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	check(err)
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	check(err)
	var path tlog.RecordProof
	for _, line := range lines[3:] {
		path = append(path, hash(line))
	}
	tree := checkpoint([]byte(signed), verifier)
	check(tlog.CheckRecord(path, tree.N, tree.Hash, index, tlog.RecordHash(entry)))

	// The reader holds every tile against the newer root before it uses it.
	hashes := tlog.TileHashReader(newer, tiles{folder})
	consistency, err := tlog.ProveTree(newer.N, older.N, hashes)
	check(err)
	check(tlog.CheckTree(consistency, newer.N, newer.Hash, older.N, older.Hash))
	fmt.Printf("verified: %d entries signed by %s, entry %d among them, the first %d as signed before\n", newer.N, verifier.Name(), index, older.N)
}
