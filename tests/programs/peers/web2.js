// A server and its client in one process, over HTTP/2 without encryption: many streams at once
// through one connection, one of them a call of gRPC that fails. Both print what they see as JSON.
"use strict";

const http2 = require("http2");

function tell(side, stream, method, target, status, received) {
  console.log(JSON.stringify({ side, stream, method, target, status, received }));
}

function size(stream, done) {
  let bytes = 0;
  stream.on("data", (data) => (bytes += data.length));
  stream.on("end", () => done(bytes));
}

const server = http2.createServer();
server.on("stream", (stream, headers) => {
  const target = headers[":path"];
  const method = headers[":method"];
  size(stream, (received) => {
    const [, kind, number] = target.split("/");
    const status = kind === "status" ? Number(number) : 200;
    tell("server", stream.id, method, target, status, received);
    if (headers["content-type"] === "application/grpc") {
      stream.respond(
        { ":status": 200, "content-type": "application/grpc" },
        { waitForTrailers: true }
      );
      stream.on("wantTrailers", () =>
        stream.sendTrailers({ "grpc-status": "5", "grpc-message": "no such thing" })
      );
      stream.end(Buffer.from([0, 0, 0, 0, 0]));
    } else {
      stream.respond({ ":status": status, "x-long": "l".repeat(20000) });
      stream.end(Buffer.alloc(kind === "bytes" ? Number(number) : 5, "j"));
    }
  });
});

function ask(session, method, path, bytes, more = {}) {
  return new Promise((done, failed) => {
    const stream = session.request({ ":method": method, ":path": path, ...more });
    let status;
    stream.on("response", (headers) => (status = headers[":status"]));
    stream.on("error", failed);
    size(stream, (received) => {
      tell("client", stream.id, method, path, status, received);
      done();
    });
    if (bytes) stream.write(Buffer.alloc(bytes, "n"));
    stream.end();
  });
}

server.listen(0, "127.0.0.1", async () => {
  const session = http2.connect(`http://127.0.0.1:${server.address().port}`);
  await Promise.all([
    ...Array.from({ length: 20 }, (_, n) => ask(session, "GET", `/bytes/${n * 5000}`, 0)),
    ask(session, "POST", "/form", 100000),
    ask(session, "GET", "/status/404", 0),
    ask(session, "POST", "/a.Service/Find", 5, { "content-type": "application/grpc" }),
  ]);
  session.close();
  server.close();
});
