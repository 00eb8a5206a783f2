"""Two hundred connections at once, both ends of which are here: each echoes a line of its own.

    many.py COUNT

Prints for each connection its client's port and how much it sent and received, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(line * 2)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def ask(number: int, port: int, all_there: asyncio.Barrier) -> dict[str, int]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await all_there.wait()
    line = b"%d " % number * number + b"\n"
    writer.write(line)
    received = 0
    for _ in range(2):
        received += len(await reader.readline())
    client = writer.get_extra_info("sockname")[1]
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
    return {"client": client, "server": port, "sent": len(line), "received": received}


async def main(count: int) -> None:
    server = await asyncio.start_server(echo, "127.0.0.1", 0, backlog=count)
    port = server.sockets[0].getsockname()[1]
    all_there = asyncio.Barrier(count)
    async with server:
        reported = await asyncio.gather(*(ask(number, port, all_there) for number in range(count)))
    for line in reported:
        print(json.dumps(line))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
