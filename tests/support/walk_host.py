"""A host of the walk's view for tests: a page, and the session behind it on this machine."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from threading import Thread

from lenadose.walk import Walk, change, shown

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>A walk</title>
<meta name="viewport" content="width=device-width">
<style>body { margin: 0 }</style><main id="walk"></main>
<script type="module">
import { mount } from "./view.js";
let listen;
const ask = async (message) => {
  const answer = await fetch("./walk", { method: "POST", body: JSON.stringify(message) });
  listen(await answer.json());
};
const host = { send: ask, subscribe: (listener) => { listen = listener; ask(null); } };
mount(document.getElementById("walk"), host);
</script></html>"""


class Host:
    """The walk behind a page, and the messages that came from it."""

    def __init__(self, walk: Walk) -> None:
        self.walk, self.messages, self.address = walk, [], ""

    def answer(self, message: object) -> bytes:
        """Return what the walk shows after a message; null only asks."""
        if message is not None:
            self.messages.append(message)
            self.walk = change(self.walk, message)
        return json.dumps(shown(self.walk)).encode()


@contextmanager
def serve(walk: Walk) -> Iterator[Host]:
    """Serve a page with the view on a free port."""
    host = Host(walk)
    view = files("lenadose.walk").joinpath("view.js").read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            kinds = {"/": ("text/html", PAGE.encode()), "/view.js": ("text/javascript", view)}
            kind, body = kinds.get(self.path, ("image/x-icon", b""))
            self.reply(kind, body)

        def do_POST(self):
            text = self.rfile.read(int(self.headers["Content-Length"]))
            self.reply("application/json", host.answer(json.loads(text)))

        def reply(self, kind, body):
            self.send_response(200)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    host.address = f"http://127.0.0.1:{server.server_port}/"
    try:
        yield host
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
