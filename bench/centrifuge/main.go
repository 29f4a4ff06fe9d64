// A gateway of the benchmark's, on Centrifuge (https://github.com/centrifugal/centrifuge) and its
// Redis broker: `centrifuge-server <redis endpoint> <port>`.
//
// Put together as its README shows, with the library's defaults. What a delivery without loss
// needs is on: each publication is written to a stream in Redis before it is acknowledged, and a
// client's subscription is positioned and recoverable.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/centrifugal/centrifuge"
)

// What the broker keeps of an account's channel, so that clients can recover.
const (
	historySize = 10_000
	historyTTL  = 24 * time.Hour
)

const shutdownWithin = 5 * time.Second

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: centrifuge-server <redis endpoint> <port>")
	}
	endpoint, port := os.Args[1], os.Args[2]
	node, err := centrifuge.New(centrifuge.Config{
		LogLevel:   centrifuge.LogLevelError,
		LogHandler: func(entry centrifuge.LogEntry) { log.Println(entry.Message, entry.Fields) },
	})
	failIf(err)
	shard, err := centrifuge.NewRedisShard(node, centrifuge.RedisShardConfig{Address: endpoint})
	failIf(err)
	broker, err := centrifuge.NewRedisBroker(node, centrifuge.RedisBrokerConfig{
		Shards: []*centrifuge.RedisShard{shard},
	})
	failIf(err)
	node.SetBroker(broker)
	serveClients(node)
	failIf(node.Run())

	routes := http.NewServeMux()
	routes.Handle("/ws/", asAccount(centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{})))
	routes.HandleFunc("/memory", tellMemory)
	routes.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("Healthy")) })
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	failIf(err)
	go func() {
		if err := http.Serve(listener, routes); !errors.Is(err, net.ErrClosed) {
			log.Fatal(err)
		}
	}()

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
	_ = listener.Close()
	ctx, cancel := context.WithTimeout(context.Background(), shutdownWithin)
	defer cancel()
	_ = node.Shutdown(ctx)
}

// serveClients subscribes each client to its own account's channel, and lets it publish to any.
func serveClients(node *centrifuge.Node) {
	node.OnConnecting(func(ctx context.Context, _ centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		credentials, _ := centrifuge.GetCredentials(ctx)
		return centrifuge.ConnectReply{
			Subscriptions: map[string]centrifuge.SubscribeOptions{
				"account:" + credentials.UserID: {EnablePositioning: true, EnableRecovery: true},
			},
		}, nil
	})
	node.OnConnect(func(client *centrifuge.Client) {
		// Centrifuge publishes when it is called back, and acknowledges after that.
		client.OnPublish(func(_ centrifuge.PublishEvent, callback centrifuge.PublishCallback) {
			options := centrifuge.PublishOptions{HistorySize: historySize, HistoryTTL: historyTTL}
			callback(centrifuge.PublishReply{Options: options}, nil)
		})
	})
}

// asAccount takes a client for the account that its path names, as all gateways here do.
func asAccount(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		account := strings.TrimPrefix(r.URL.Path, "/ws/")
		ctx := centrifuge.SetCredentials(r.Context(), &centrifuge.Credentials{UserID: account})
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// tellMemory answers in bytes: what the operating system gave the process, and what of it is in
// use, after a garbage collection that gives back all that is free.
func tellMemory(w http.ResponseWriter, _ *http.Request) {
	debug.FreeOSMemory()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	resident, err := residentBytes()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	live := memory.HeapAlloc + memory.StackInuse
	_ = json.NewEncoder(w).Encode(map[string]uint64{"rss": resident, "live": live})
}

func residentBytes() (uint64, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0, errors.New("/proc/self/statm is not as expected")
	}
	pages, err := strconv.ParseUint(fields[1], 10, 64)
	return pages * uint64(os.Getpagesize()), err
}

func failIf(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
