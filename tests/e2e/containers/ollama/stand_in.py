"""A STAND-IN for Ollama: ``serve``, ``pull NAME`` and ``list``, and what of ``/api/*`` Venom asks.

It answers with the real Gemma 3 on llama.cpp, by way of a Venom inside this container. It says what
it is in its version, in the name of its one model, and on each answer (``X-Stand-In``).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL, INSIDE = "gemma3:270m-base-stand-in", "llamacpp://gemma3-270m-base"
VENOM = "http://127.0.0.1:8000"
PORT = 11434
DETAILS = {"family": "gemma3", "format": "gguf", "quantization_level": "Q4_K_M"}
#: A build of someone's own, as Ollama calls one that has no release's number.
VERSION = "0.0.0"
HEAD = {"model": MODEL, "created_at": "2026-01-01T00:00:00Z"}
pulling = threading.Lock()


def models() -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{VENOM}/api/v1/models", timeout=30) as answer:
        found = [one for one in json.load(answer)["models"] if one["reference"] == INSIDE]
    return [
        {
            "name": MODEL,
            "model": MODEL,
            "modified_at": "2026-01-01T00:00:00Z",
            "size": one["size_bytes"],
            "digest": one["digest"].removeprefix("sha256:"),
            "details": {**DETAILS, "context_length": one["context_length"]},
        }
        for one in found
    ]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        return

    def answer(self, body: Any, status: int = 200) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Stand-In", "no Ollama")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def begin_lines(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("X-Stand-In", "no Ollama")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def line(self, **body: Any) -> None:
        self.wfile.write(json.dumps(body).encode() + b"\n")
        self.wfile.flush()

    def do_GET(self) -> None:
        if self.path == "/api/version":
            self.answer({"version": VERSION})
        elif self.path == "/api/tags":
            self.answer({"models": models()})
        elif self.path == "/api/ps":
            self.answer({"models": []})
        else:
            self.answer({"error": "not found: a stand-in"}, 404)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        if body.get("model") != MODEL:
            self.answer({"error": f"model '{body.get('model')}' not found"}, 404)
        elif self.path == "/api/show":
            capabilities = ["completion"]
            self.answer({"capabilities": capabilities, "details": DETAILS, "model_info": {}})
        elif self.path == "/api/pull":
            self.pull()
        elif self.path == "/api/generate" and not body.get("prompt"):
            self.answer({**HEAD, "response": "", "done": True, "done_reason": "load"})
        elif self.path == "/api/chat":
            self.chat(body)
        else:
            self.answer({"error": "not found: a stand-in"}, 404)

    def pull(self) -> None:
        self.begin_lines()
        with pulling:
            words = ["venom", "pull", INSIDE]
            child = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
            assert child.stderr is not None
            for said in child.stderr:
                self.line(status=said.strip())
        self.line(**({"error": "the pull failed"} if child.wait() else {"status": "success"}))

    def chat(self, body: dict[str, Any]) -> None:
        options = body.get("options", {})
        known = {"temperature": "temperature", "num_predict": "max_tokens", "stop": "stop"}
        asked = {ours: options[name] for name, ours in known.items() if name in options}
        asked |= {"model": INSIDE, "messages": body["messages"]}
        request = urllib.request.Request(
            f"{VENOM}/v1/chat/completions",
            json.dumps(asked).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            said = json.load(answer)
        text, usage = said["choices"][0]["message"]["content"], said["usage"]
        self.begin_lines()
        for piece in re.findall(r"\s*\S+|\s+$", text):
            self.line(**HEAD, message={"role": "assistant", "content": piece}, done=False)
        counted = {"prompt_eval_count": usage["prompt_tokens"], "total_duration": 1}
        counted["eval_count"] = usage["completion_tokens"]
        last = {"done": True, "done_reason": "stop", **counted}
        self.line(**HEAD, message={"role": "assistant", "content": ""}, **last)


def serve() -> int:
    print("STAND-IN: this is no Ollama", flush=True)
    inside = subprocess.Popen(["venom", "serve"])
    server = ThreadingHTTPServer(("0.0.0.0", PORT), Handler)  # the network of its compose project
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return inside.wait()


def pull(name: str) -> int:
    url = os.environ.get("OLLAMA_HOST", f"http://127.0.0.1:{PORT}")
    request = urllib.request.Request(f"{url}/api/pull", json.dumps({"model": name}).encode())
    for _ in range(60):
        try:
            with urllib.request.urlopen(request, timeout=300) as lines:
                said = {}
                for line in lines:
                    said = json.loads(line)
                    print(said.get("status") or said, flush=True)
                return 0 if said.get("status") == "success" else 1
        except urllib.error.URLError:
            time.sleep(1)
    return 1


if __name__ == "__main__":
    if sys.argv[1] == "pull":
        sys.exit(pull(sys.argv[2]))
    if sys.argv[1] == "list":
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/api/tags", timeout=5) as tags:
            sys.exit(print(tags.read().decode()))
    sys.exit(serve())
