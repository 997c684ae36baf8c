#!/usr/bin/env python3
"""echo-server.py FOLDER [PORT]: a server to put the gateway before, for trying out; it needs nothing but Python 3.

It serves HTTPS on 127.0.0.1 with server.pem and server.key of FOLDER, answers every request with what arrived (method,
path, headers, body) as JSON, and prints its port, which is 9443 unless another is written, and then a line for each request:
method, path, and the names of its headers, whose values may be secrets.
"""

import json
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        arrived = {"method": self.command, "path": self.path, "headers": dict(self.headers), "body": body.decode()}
        print(self.command, ascii(self.path.split("?")[0])[1:-1], "with", ", ".join(self.headers), flush=True)
        answer = json.dumps(arrived, indent=2).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def log_message(self, *_):
        pass


if len(sys.argv) not in (2, 3):
    sys.exit(__doc__)
folder = sys.argv[1]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
try:
    context.load_cert_chain(f"{folder}/server.pem", f"{folder}/server.key")
except OSError as error:
    sys.exit(f"no certificate in {folder}: {error}; make one with: sidegate keygen --self-signed {folder}")
server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) == 3 else 9443), Echo)
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_port, flush=True)
try:
    server.serve_forever()
except KeyboardInterrupt:
    pass
