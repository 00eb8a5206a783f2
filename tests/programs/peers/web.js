// A web server and its client in one process, over HTTP/1.1: both print what they see as JSON.
"use strict";

const http = require("http");

const ASKED = [
  ["GET", "/bytes/10", 0, false],
  ["GET", "/bytes/200000", 0, false],
  ["POST", "/form", 3000, false],
  ["POST", "/pieces", 150000, true],
  ["HEAD", "/bytes/10", 0, false],
  ["GET", "/status/404", 0, false],
  ["DELETE", "/status/204", 0, false],
];

function tell(side, port, method, target, status, received) {
  console.log(JSON.stringify({ side, port, method, target, status, received }));
}

function size(stream, done) {
  let bytes = 0;
  stream.on("data", (data) => (bytes += data.length));
  stream.on("end", () => done(bytes));
}

const server = http.createServer((request, response) => {
  size(request, (received) => {
    const [, kind, number] = request.url.split("/");
    const status = kind === "status" ? Number(number) : 200;
    tell("server", request.socket.remotePort, request.method, request.url, status, received);
    response.statusCode = status;
    const body = Buffer.alloc(kind === "bytes" ? Number(number) : 5, "j");
    if (kind === "bytes") response.setHeader("Content-Length", body.length);
    response.end(status === 204 ? undefined : body); // without a length: in chunks
  });
});

function ask(agent, [method, path, bytes, chunked]) {
  return new Promise((done, failed) => {
    const headers = bytes && !chunked ? { "Content-Length": bytes } : {};
    const { port } = server.address();
    const options = { host: "127.0.0.1", port, agent, method, path, headers };
    const request = http.request(options, (response) => {
      const own = request.socket.localPort;
      size(response, (received) => {
        tell("client", own, method, path, response.statusCode, received);
        done();
      });
    });
    request.on("error", failed);
    for (let sent = 0; sent < bytes; sent += 1000) request.write(Buffer.alloc(1000, "n"));
    request.end();
  });
}

async function main() {
  const kept = new http.Agent({ keepAlive: true, maxSockets: 1 });
  for (const each of ASKED) await ask(kept, each);
  const many = new http.Agent({ maxSockets: 20 });
  await Promise.all(Array.from({ length: 20 }, (_, n) => ask(many, ["GET", `/bytes/${n}`, 0, false])));
  kept.destroy();
  server.close();
}

server.listen(0, "127.0.0.1", main);
