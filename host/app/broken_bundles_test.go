//go:build unix

package app

import (
	"bytes"
	"strings"

	"github.com/hpmq/hpmq/sdk/bundle"
	"github.com/hpmq/hpmq/sdk/bundle/oci"
)

// brokenTars do not hold a layout, or one that is damaged.
func brokenTars() []broken {
	return []broken{{
		name: "neither a bundle nor a component", of: "upload",
		wrong: "it is neither a .wasm nor the tar of a bundle",
		do:    "hpmq-cli bundle build -o NAME.tar",
		tar:   func([]byte) []byte { return []byte("MZ, a program of another system") },
	}, {
		name: "a tar that was cut short", of: "fetched",
		wrong: "unexpected EOF", do: "get it again",
		tar: func(b []byte) []byte { return b[:1100] },
	}, {
		name: "a tar that was cut short between two files", of: "fetched",
		wrong: "there is no oci-layout in the tar", do: "get it again",
		files: func(p *parcel) { delete(p.entries, "oci-layout") },
	}, {
		name: "a tar that is no layout", of: "fetched",
		wrong: "there is no index.json in the tar", do: "get it again",
		files: func(p *parcel) { delete(p.entries, "index.json") },
	}, {
		name: "a blob with another digest than its name", of: "fetched",
		wrong: "oci: blob sha256:…: not what its digest says: get", do: "get it again",
		files: func(p *parcel) {
			d := p.layer("LICENCE")
			b := bytes.Clone(p.entries[nameOf(d.Digest)])
			b[len(b)-1] ^= 1
			p.entries[nameOf(d.Digest)] = b
		},
	}, {
		name: "a layout of another version", of: "fetched",
		wrong: "does not say version 1.0.0", do: "make it with",
		files: func(p *parcel) {
			p.entries["oci-layout"] = []byte(`{"imageLayoutVersion":"9.0.0"}`)
		},
	}}
}

// brokenIndexes lead to what is not there, or to too much.
func brokenIndexes() []broken {
	return []broken{{
		name: "an index that is no JSON", of: "fetched",
		wrong: "index.json: invalid character", do: "make it with",
		files: func(p *parcel) { p.entries["index.json"] = []byte("manifests: []") },
	}, {
		name: "an index of another version", of: "fetched",
		wrong: "index.json is of schema version 1", do: "want 2",
		files: indexed(func(ix *oci.Index) { ix.SchemaVersion = 1 }),
	}, {
		name: "an index that lists something else", of: "fetched",
		wrong: `index.json lists a "application/x-tar"`, do: "want application/vnd.oci",
		files: indexed(func(ix *oci.Index) { ix.Manifests[0].MediaType = "application/x-tar" }),
	}, {
		name: "an index with another kind of digest", of: "fetched",
		wrong: `"md5:1b2c" is no digest`, do: "want sha256:",
		files: indexed(func(ix *oci.Index) { ix.Manifests[0].Digest = "md5:1b2c" }),
	}, {
		name: "a file that would be written elsewhere", of: "fetched",
		wrong: `"../../etc/cron.d/job" in the tar has no place`, do: "make it with",
		files: func(p *parcel) { p.entries["../../etc/cron.d/job"] = []byte("* * * * *") },
	}, {
		name: "a symbolic link", of: "fetched",
		wrong: `"blobs/sha256/x" in the tar is not a file`, do: "make it with",
		files: func(p *parcel) {
			p.entries["blobs/sha256/x"], p.links["blobs/sha256/x"] = nil, "/etc/shadow"
		},
	}, {
		name: "an index that is there twice", of: "fetched",
		wrong: `"index.json" is twice in the tar`, do: "make it with",
		files: func(p *parcel) { p.entries["index.json again"] = p.entries["index.json"] },
	}, {
		name: "no bundle in the layout", of: "fetched",
		wrong: "the layout holds none", do: "make one with hpmq-cli bundle build",
		parcel: func(p *parcel) { p.image.ArtifactType = "application/vnd.other.v1" },
	}, {
		name: "two bundles in a layout", of: "fetched",
		wrong: "there are 2 in the layout", do: "keep each in a layout of its own",
		parcel: func(p *parcel) {
			other := p.image
			other.SchemaVersion, other.Config = 2, p.blob(bundle.MediaTypeConfig, []byte("{}"))
			p.list(other)
		},
	}, {
		name: "a blob that is not there", of: "fetched",
		wrong: ": missing", do: "get all of it again",
		files: func(p *parcel) { p.take(*p.layer("dedup.wasm")) },
	}, {
		name: "a size that is not that of the blob", of: "fetched",
		wrong: "it is said to have 7 bytes and has", do: "get it again",
		parcel: func(p *parcel) { p.layer("dedup.wasm").Size = 7 },
	}}
}

// brokenManifests say what is not so, or cannot be.
func brokenManifests() []broken {
	set := func(key string, value any) func(p *parcel) {
		return func(p *parcel) { p.manifest[key] = value }
	}
	one := func(key string, value any) func(p *parcel) {
		return func(p *parcel) { p.one()[key] = value }
	}
	return []broken{{
		name: "a manifest of another kind", of: "fetched",
		wrong: `config "application/vnd.oci.image.config.v1+json"`, do: "bundle build",
		parcel: func(p *parcel) {
			p.image.Config.MediaType = "application/vnd.oci.image.config.v1+json"
		},
	}, {
		name: "a manifest with a field that nobody knows", of: "fetched",
		wrong: `unknown field "autostart"`, do: "a newer hpmq-cli may have made it",
		parcel: set("autostart", true),
	}, {
		name: "a name with a slash", of: "fetched",
		wrong: `name: "acme/dedup" is no name`, do: "want at most",
		parcel: set("name", "acme/dedup"),
	}, {
		name: "a version in two parts", of: "fetched",
		wrong: `version: "1.3" is no version`, do: "want one as 1.2.3",
		parcel: set("version", "1.3"),
	}, {
		name: "no components", of: "fetched",
		wrong: "components: there is none", do: "name at least one",
		parcel: set("components", []any{}),
	}, {
		name: "a licence that is none", of: "fetched",
		wrong: `licence: "Apache" is no SPDX`, do: "see spdx.org/licenses",
		parcel: set("licence", "Apache"),
	}, {
		name: "a requirement without a version", of: "fetched",
		wrong: `requires: "hpmq:broker" is no package with a version`, do: "want one as",
		parcel: set("requires", []any{"hpmq:broker"}),
	}, {
		name: "a description that moves the cursor", of: "fetched",
		wrong: "description: it has characters that cannot be shown", do: "want one line of text",
		parcel: set("description", "good\x1b[2J"),
	}, {
		name: "a role that there is not", of: "fetched",
		wrong: `role: "oracle" is no role`, do: "want one of",
		parcel: one("role", "oracle"),
	}, {
		name: "a capability that there is not", of: "fetched",
		wrong: `capabilities: "sockets" is none`, do: "wit/ has",
		parcel: one("capabilities", []any{map[string]any{"name": "sockets", "why": "to call"}}),
	}, {
		name: "a capability without a reason", of: "fetched",
		wrong: "capabilities: kv", do: "say why",
		parcel: one("capabilities", []any{map[string]any{"name": "kv", "why": ""}}),
	}, {
		name: "a component that is there twice", of: "fetched",
		wrong: "acme-dedup is there twice as deduplicator", do: "leave one",
		parcel: func(p *parcel) { p.manifest["components"] = []any{p.one(), p.one()} },
	}, {
		name: "defaults without a schema", of: "fetched",
		wrong: "defaults: there is no schema that says whether they are good", do: "name one",
		parcel: func(p *parcel) { delete(p.one(), "schema") },
	}}
}

// brokenLayers are not what the manifest says they are.
func brokenLayers() []broken {
	return []broken{{
		name: "a layer that the manifest does not name", of: "fetched",
		wrong: "the manifest does not name it", do: "build the bundle again",
		parcel: said("LICENCE", bundle.AnnotationDigest, "sha256:"+strings.Repeat("0", 64)),
	}, {
		name: "a digest that no layer holds", of: "fetched",
		wrong: "no layer holds", do: "build the bundle again",
		parcel: func(p *parcel) {
			p.image.Layers = p.image.Layers[:len(p.image.Layers)-1]
		},
	}, {
		name: "a layer of another type", of: "fetched",
		wrong: `it is of type "text/plain"`, do: "want text/plain+zstd",
		parcel: func(p *parcel) { p.layer("LICENCE").MediaType = "text/plain" },
	}, {
		name: "a layer with other content than its manifest says", of: "fetched",
		wrong: "its content: not what its digest says", do: "build the bundle again",
		parcel: func(p *parcel) { p.pack("LICENCE", []byte("Do as we like. ")) },
	}, {
		name: "a layer that is not compressed", of: "fetched",
		wrong: "it is not good zstd", do: "build the bundle again",
		parcel: func(p *parcel) { p.put("LICENCE", []byte("Do as you like.")) },
	}, {
		name: "a layer that holds more than it says", of: "fetched",
		wrong: "it is said to hold 3 bytes and holds more or less", do: "build the bundle again",
		parcel: said("LICENCE", bundle.AnnotationSize, "3"),
	}, {
		name: "a layer that would fill the memory", of: "fetched",
		wrong: `it is said to hold "9999999999" bytes`, do: "at most",
		parcel: said("LICENCE", bundle.AnnotationSize, "9999999999"),
	}}
}

// brokenContents are in layers that are as they are said to be.
func brokenContents() []broken {
	return []broken{{
		name: "a component that is no WebAssembly", of: "verified",
		wrong: "it is no WebAssembly", do: "build the bundle again",
		parcel: filled("dedup.wasm", "#!/bin/sh\nexit 0\n"),
	}, {
		name: "a component that calls itself otherwise", of: "verified",
		wrong: `its .wasm calls itself "acme-router"`, do: "build the bundle again",
		parcel: stampedAs(`{"name": "acme-router"}`),
	}, {
		name: "a component that calls itself in two ways", of: "verified",
		wrong: "says of itself in hpmq:manifest", do: "build the bundle again",
		parcel: func(p *parcel) {
			code := stamped(guestOf("deduplicator-kv"), `{"name": "deduplicator-window"}`)
			p.fill("dedup.wasm", stamped(code, `{"name": "acme-dedup"}`))
		},
	}, {
		name: "a component that was made for another role", of: "verified",
		wrong: `its .wasm says it is made as "router"`, do: "build the bundle again",
		parcel: stampedAs(`{"role": "router"}`),
	}, {
		name: "a component that wants more than the manifest says", of: "verified",
		wrong: `its .wasm wants "publish"`, do: "build the bundle again",
		parcel: stampedAs(`{"capabilities": [{"name": "publish", "why": "to call home"}]}`),
	}, {
		name: "a schema that is no JSON", of: "verified",
		wrong: "no good JSON Schema: not good JSON", do: "correct it",
		parcel: filled("schema.json", `{"type": "object"`),
	}, {
		name: "a schema of an older draft", of: "verified",
		wrong: "its $schema is http://json-schema.org/draft-04/schema#", do: "want https://",
		parcel: filled("schema.json", `{"$schema": "http://json-schema.org/draft-04/schema#"}`),
	}, {
		name: "a schema that is elsewhere", of: "verified",
		wrong: `it refers to "https://schemas.example/dedup.json"`, do: "put what it refers to",
		parcel: filled("schema.json", `{"$ref": "https://schemas.example/dedup.json"}`),
	}, {
		name: "a schema that contains itself", of: "verified",
		wrong: "contains itself, by $ref", do: "write it out",
		parcel: filled("schema.json", `{"properties": {"words": {"$ref": "#"}}}`),
	}, {
		name: "defaults that the schema refuses", of: "verified",
		wrong: "its defaults: ", do: "want ",
		parcel: func(p *parcel) { p.one()["defaults"] = map[string]any{"words": 7} },
	}, {
		name: "a golden case that asks nothing", of: "verified",
		wrong: "it asks nothing", do: `write "calls"`,
		parcel: filled("seen.json", `{"about": "It is good."}`),
	}, {
		name: "golden cases that would fill the memory", of: "verified",
		wrong: "all golden cases together take more than 64 MiB", do: "have less repeated",
		parcel: filled("seen.json", repeating),
	}, {
		name: "a golden case for another broker", of: "verified",
		wrong: `no function "divine"`, do: "there are",
		parcel: filled("seen.json", `{"about": "It is good.", "calls": [{"call": "divine"}]}`),
	}, {
		name: "an SBOM in another form", of: "verified",
		wrong: "SBOM: its spdxVersion is", do: "want a document of SPDX-2.3",
		parcel: filled("sbom.spdx.json", `{"bomFormat": "CycloneDX"}`),
	}}
}

// repeating are a few words that stand for gigabytes.
var repeating = "[" + strings.Repeat(`{"call":"check","payload":{"repeat":"a","times":8388608},`+
	`"answer":"news"},`, 999) + `{"call":"check","answer":"news"}]`

// indexed changes the index.json.
func indexed(edit func(ix *oci.Index)) func(p *parcel) {
	return func(p *parcel) {
		edit(&p.index)
		p.entries["index.json"] = p.json(p.index)
	}
}

// filled puts other content into a layer.
func filled(title, text string) func(p *parcel) {
	return func(p *parcel) { p.fill(title, []byte(text)) }
}

// said says something else of a layer.
func said(title, key, value string) func(p *parcel) {
	return func(p *parcel) { p.layer(title).Annotations[key] = value }
}
