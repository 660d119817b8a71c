"""NewStore as `python -m tests.load.slow_newstore PORT`: tokens at once, a coupon code after 50 ms."""

import asyncio
import json
import secrets
import sys

ANSWERS_AFTER_S = 0.05


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection, one after another."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            lines = head.decode("latin-1").split("\r\n")
            size = next((int(line[15:]) for line in lines if line.lower().startswith("content-length:")), 0)
            await reader.readexactly(size)
            if "/token" in lines[0]:
                answer = {"access_token": "t", "expires_in": 3600}
            else:
                await asyncio.sleep(ANSWERS_AFTER_S)
                answer = {"codes": [secrets.token_hex(5).upper()], "warnings": []}
            body = json.dumps(answer).encode()
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                % (len(body), body)
            )
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main(port: int) -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
