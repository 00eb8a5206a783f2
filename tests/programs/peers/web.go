// A web server and its client in one static binary: both print what they see as JSON.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"strconv"
	"strings"
	"sync"
)

type line struct {
	Side     string `json:"side"`
	Port     int    `json:"port"`
	Method   string `json:"method"`
	Target   string `json:"target"`
	Status   int    `json:"status"`
	Received int64  `json:"received"`
}

var output sync.Mutex

func tell(seen line) {
	output.Lock()
	defer output.Unlock()
	json.NewEncoder(os.Stdout).Encode(seen)
}

func port(address string) int {
	_, text, _ := net.SplitHostPort(address)
	number, _ := strconv.Atoi(text)
	return number
}

func serve(answer http.ResponseWriter, request *http.Request) {
	received, _ := io.Copy(io.Discard, request.Body)
	parts := strings.Split(request.URL.Path, "/")
	status := 200
	if parts[1] == "status" {
		status, _ = strconv.Atoi(parts[2])
	}
	tell(line{"server", port(request.RemoteAddr), request.Method, request.URL.Path, status, received})
	switch parts[1] {
	case "file": // by sendfile(2)
		http.ServeFile(answer, request, os.Args[1])
	case "pieces": // in chunks
		for i := 0; i < 50; i++ {
			fmt.Fprint(answer, strings.Repeat("g", 1000))
			answer.(http.Flusher).Flush()
		}
	default:
		answer.WriteHeader(status)
		if status != 204 {
			fmt.Fprint(answer, "hello")
		}
	}
}

func ask(client *http.Client, url, method, path string, body io.Reader) {
	request, _ := http.NewRequest(method, url+path, body)
	own := 0
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		own = port(info.Conn.LocalAddr().String())
	}}
	request = request.WithContext(httptrace.WithClientTrace(request.Context(), trace))
	answer, err := client.Do(request)
	if err != nil {
		panic(err)
	}
	received, _ := io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	tell(line{"client", own, method, path, answer.StatusCode, received})
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(serve)}
	go server.Serve(listener)
	url := "http://" + listener.Addr().String()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 30}}
	ask(client, url, "GET", "/file", nil)
	ask(client, url, "HEAD", "/file", nil)
	ask(client, url, "GET", "/pieces", nil)
	ask(client, url, "POST", "/form", bytes.NewReader(make([]byte, 30000)))
	ask(client, url, "PUT", "/form", io.MultiReader(bytes.NewReader(make([]byte, 30000))))
	ask(client, url, "GET", "/status/404", nil)
	ask(client, url, "DELETE", "/status/204", nil)
	var all sync.WaitGroup
	for i := 0; i < 30; i++ {
		all.Add(1)
		go func(i int) {
			defer all.Done()
			ask(client, url, "GET", fmt.Sprintf("/many/%d", i), nil)
		}(i)
	}
	all.Wait()
	client.CloseIdleConnections()
	server.Shutdown(context.Background()) // when nothing is being written any more
}
