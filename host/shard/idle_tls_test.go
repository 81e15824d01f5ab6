//go:build linux

package shard

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// idleTLSBytesMax is what a connected client that says nothing may take of the heap over TLS.
// Measured 2026-11-21: 8,035 bytes, and 11,125 if it showed a certificate; of RSS 10.1 and 14.2 KB,
// below the 16 KiB that are promised.
const idleTLSBytesMax = 12 << 10

// Environment of the test's other process.
const (
	idleCount  = "HPMQ_TEST_IDLE_COUNT"  // how many connections; may also be set by who runs it
	idleAddr   = "HPMQ_TEST_IDLE_ADDR"   // where to
	idleFolder = "HPMQ_TEST_IDLE_FOLDER" // ca.pem, client.pem, client.key
)

// The clients are another process, so that what is measured is the broker's. More of them:
//
//	HPMQ_TEST_IDLE_COUNT=15000 go test -v -run TestIdleTLS ./host/shard
func TestIdleTLSConnectionsAreSmall(t *testing.T) {
	if os.Getenv(idleAddr) != "" {
		idleClients(t)
		return
	}
	if testing.Short() {
		t.Skip("opens thousands of sockets")
	}
	n := 1500
	if s := os.Getenv(idleCount); s != "" {
		n, _ = strconv.Atoi(s)
	}
	for what, clients := range map[string]tls.ClientAuthType{
		"none": tls.NoClientCert, "one": tls.RequireAndVerifyClientCert,
	} {
		t.Run("certificate="+what, func(t *testing.T) {
			h := start(t)
			s := h.secure(nil, clients)
			h.crowd(s, 50)() // pools, first tables
			heap, rss := memory(t)
			end := h.crowd(s, n)
			heap2, rss2 := memory(t)
			t.Logf("an idle TLS connection: heap %d bytes, RSS %d bytes", (heap2-heap)/n,
				(rss2-rss)/n)
			if (heap2-heap)/n > idleTLSBytesMax {
				t.Errorf("an idle TLS connection takes %d bytes of the heap", (heap2-heap)/n)
			}
			end()
		})
	}
}

// crowd connects n clients of another process; what it answers ends them.
func (h *house) crowd(s *secured, n int) (end func()) {
	h.t.Helper()
	folder := h.t.TempDir()
	if _, _, err := s.client.Save(folder, "client"); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "ca.pem"), s.ca.PEM(), 0o600); err != nil {
		h.t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestIdleTLSConnectionsAreSmall$")
	cmd.Env = append(os.Environ(), idleAddr+"="+s.addr, idleFolder+"="+folder,
		fmt.Sprintf("%s=%d", idleCount, n))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	end = func() {
		_ = stdin.Close()
		_, _ = io.Copy(io.Discard, stdout)
		_ = cmd.Wait()
		until(h.t, "all gone", func() bool { return h.stats().Gate.Connections == 0 })
	}
	line, _ := bufio.NewReader(stdout).ReadString('\n')
	if line != "ready\n" || h.stats().Gate.Connections != int64(n) {
		end()
		h.t.Fatalf("%q, log: %s", line, h.log)
	}
	return end
}

// idleClients is the other process: it connects, says so, and stays until its input ends.
func idleClients(t *testing.T) {
	folder := os.Getenv(idleFolder)
	pair, err := tls.LoadX509KeyPair(
		filepath.Join(folder, "client.pem"), filepath.Join(folder, "client.key"))
	if err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(filepath.Join(folder, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	cfg := &tls.Config{
		ServerName: "localhost", RootCAs: x509.NewCertPool(), Certificates: []tls.Certificate{pair},
	}
	cfg.RootCAs.AppendCertsFromPEM(ca)
	n, _ := strconv.Atoi(os.Getenv(idleCount))
	next := make(chan int)
	stay := make([]net.Conn, n)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range next {
				c := dial(t, "tcp", os.Getenv(idleAddr))
				c.c = tls.Client(c.c, cfg)
				p := mqtt.Connect{Version: mqtt.V5, CleanStart: true}
				p.ClientID = fmt.Appendf(nil, "idle-%05d", i)
				if _, err := c.c.Write(p.Append(nil)); err != nil {
					t.Error(err)
					continue
				}
				if _, err := c.c.Read(make([]byte, 256)); err != nil {
					t.Error(err)
				}
				stay[i] = c.c
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	if !t.Failed() {
		fmt.Println("ready")
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	for _, c := range stay {
		_ = c.(*tls.Conn).NetConn().Close()
	}
}
