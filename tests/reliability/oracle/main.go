// The oracle of docs/damage.md: restores snapshots as etcd 3.6 does and starts what etcd starts on them.
//
// It reads one path of a snapshot a line and answers with one line of JSON: what was served, or what died of what.
// Everything runs in this process, on the packages of etcd itself, so that thousands of damaged files take minutes.
// A store that died is left behind with all that it has started: whoever asks takes a new process now and then.
package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"go.etcd.io/etcd/etcdutl/v3/snapshot"
	"go.etcd.io/etcd/server/v3/auth"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3alarm"
	"go.etcd.io/etcd/server/v3/lease"
	"go.etcd.io/etcd/server/v3/storage/backend"
	"go.etcd.io/etcd/server/v3/storage/mvcc"
	"go.etcd.io/etcd/server/v3/storage/schema"
	"go.etcd.io/etcd/server/v3/storage/wal"
)

// What came of one snapshot.
type answer struct {
	Path     string   `json:"path"`
	Step     string   `json:"step"` // served, or the step that died
	Reason   string   `json:"reason,omitempty"`
	Revision int64    `json:"revision,omitempty"`
	Keys     int      `json:"keys,omitempty"`
	Content  string   `json:"content,omitempty"` // SHA-256 over keys, values and leases
	Served   string   `json:"served,omitempty"`  // SHA-256 over what an API server reads: keys, values, mod revisions, leases
	Leases   []string `json:"leases,omitempty"`
	Alarms   int      `json:"alarms,omitempty"`
}

func main() {
	core := zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(devNull{}), zap.DPanicLevel)
	logger := zap.New(core, zap.WithFatalHook(zapcore.WriteThenPanic))
	wal.SegmentSizeBytes = 64 << 10 // 64 MB are made for each log otherwise
	out := json.NewEncoder(os.Stdout)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		path := lines.Text()
		done := make(chan answer, 1)
		go func() { done <- serve(logger, path) }()
		select {
		case found := <-done:
			_ = out.Encode(found)
		case <-time.After(10 * time.Second):
			_ = out.Encode(answer{Path: path, Step: "hang"})
		}
	}
}

type devNull struct{}

func (devNull) Write(bytes []byte) (int, error) { return len(bytes), nil }

func serve(logger *zap.Logger, path string) (found answer) {
	found = answer{Path: path, Step: "restore"}
	directory, err := os.MkdirTemp("", "oracle")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(directory)
	defer func() {
		if died := recover(); died != nil {
			found.Reason = fmt.Sprint(died)
		}
	}()
	data := filepath.Join(directory, "data")
	peer := "http://127.0.0.1:2380"
	config := snapshot.RestoreConfig{
		SnapshotPath:        path,
		Name:                "m0",
		OutputDataDir:       data,
		PeerURLs:            []string{peer},
		InitialCluster:      "m0=" + peer,
		InitialClusterToken: "oracle",
	}
	if err := snapshot.NewV3(logger).Restore(config); err != nil {
		found.Reason = err.Error()
		return found
	}
	found.Step = "open"
	store := backend.NewDefaultBackend(logger, filepath.Join(data, "member", "snap", "db"))
	// Whatever panics may hold a lock that closing waits for: a store that died is left behind.
	closing := []func(){func() { store.Close() }}
	defer func() {
		for last := len(closing) - 1; found.Step == "served" && last >= 0; last-- {
			closing[last]()
		}
	}()
	found.Step = "schema"
	if err := schema.Validate(logger, store.ReadTx()); err != nil {
		found.Reason = err.Error()
		return found
	}
	found.Step = "membership"
	members := schema.NewMembershipBackend(logger, store)
	members.MustReadMembersFromBackend()
	version := members.ClusterVersionFromBackend()
	downgrade := members.DowngradeInfoFromBackend()
	if version != nil && version.Major != 3 {
		found.Reason = "cluster version " + version.String() + " is of another major version"
		return found
	}
	if version != nil && version.Minor > 6 && (downgrade == nil || !downgrade.Enabled) {
		found.Reason = "cluster version " + version.String() + " is newer than the server"
		return found
	}
	found.Step = "leases"
	lessor := lease.NewLessor(logger, store, nil, lease.LessorConfig{MinLeaseTTL: 1})
	closing = append(closing, lessor.Stop)
	found.Step = "keys"
	kv := mvcc.NewStore(logger, store, lessor, mvcc.StoreConfig{})
	closing = append(closing, func() { kv.Close() })
	found.Step = "auth"
	provider, err := auth.NewTokenProvider(logger, "simple", func(uint64) <-chan struct{} { return nil }, time.Minute)
	if err != nil {
		panic(err)
	}
	users := auth.NewAuthStore(logger, schema.NewAuthBackend(logger, store), provider, 4)
	closing = append(closing, func() { users.Close() })
	found.Step = "alarms"
	alarms, err := v3alarm.NewAlarmStore(logger, schema.NewAlarmBackend(logger, store))
	if err != nil {
		found.Reason = err.Error()
		return found
	}
	found.Alarms = len(alarms.Get(0))
	found.Step = "range"
	answered, err := kv.Range(context.Background(), []byte{0}, []byte{}, mvcc.RangeOptions{})
	if err != nil {
		found.Reason = err.Error()
		return found
	}
	sum, served := sha256.New(), sha256.New()
	for _, one := range answered.KVs {
		fmt.Fprintf(sum, "%q %q %d %d %d %d\n", one.Key, one.Value, one.CreateRevision, one.ModRevision, one.Version, one.Lease)
		fmt.Fprintf(served, "%q %q %d %d\n", one.Key, one.Value, one.ModRevision, one.Lease)
	}
	for _, one := range lessor.Leases() {
		// What a restored etcd keeps of a lease that is over at once is nothing.
		lessor.Promote(0)
		left := lessor.Lookup(one.ID)
		if left != nil && left.Remaining() > 0 {
			found.Leases = append(found.Leases, fmt.Sprintf("%x:%d", int64(one.ID), one.TTL()))
		}
	}
	sort.Strings(found.Leases)
	found.Step = "served"
	found.Revision = answered.Rev
	found.Keys = len(answered.KVs)
	found.Served = hex.EncodeToString(served.Sum(nil))
	found.Content = hex.EncodeToString(sum.Sum(nil))
	return found
}
