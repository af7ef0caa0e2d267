"""Stands in for the gateway: answers 200 to everything on HOST:PORT."""

import os
from http.server import BaseHTTPRequestHandler, HTTPServer


class Door(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ready")


if __name__ == "__main__":
    print("the door opens")
    HTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Door).serve_forever()
