"""A real server on loopback that speaks OpenAI chat completions and misbehaves as it is told."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

VARIABLES = (
    *(f"ADC_{service}_{what}" for service in ("LLM", "VLM") for what in ("MODEL", "BASE_URL")),
    *("ADC_LLM_API_KEY", "ADC_VLM_API_KEY", "OPENAI_API_KEY"),
    *("OPENAI_BASE_URL", "OLLAMA_BASE_URL"),
)


def unset_variables(monkeypatch: Any) -> None:
    """Leave the environment without a model, an address or a key."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@dataclass(frozen=True)
class Reply:
    """What goes over the wire: pieces, each after a pause, then perhaps a broken connection."""

    pieces: tuple[bytes, ...]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    pause: float = 0
    breaks: bool = False


def says(
    text: str | None,
    *,
    finish: str = "stop",
    usage: tuple[int, int] | None = (100, 20),
    **message: Any,
) -> Reply:
    """A completion."""
    body: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "message": {"role": "assistant", "content": text, **message},
            }
        ],
    }
    if usage:
        body["usage"] = {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
    return sends(json.dumps(body))


def sends(body: str | bytes, status: int = 200, **headers: str) -> Reply:
    """Any body."""
    data = body.encode() if isinstance(body, str) else body
    return Reply(
        (data,), status, {name.replace("_", "-"): value for name, value in headers.items()}
    )


def fails(status: int, message: str, code: str | None = None, **headers: str) -> Reply:
    """An error as OpenAI words it."""
    return sends(json.dumps({"error": {"message": message, "code": code}}), status, **headers)


def streams(text: str, *, pause: float = 0, size: int = 7) -> Reply:
    """A completion as server-sent events, although nobody asked for a stream."""
    parts = [text[start : start + size] for start in range(0, len(text), size)]
    events: list[dict[str, Any]] = [{"choices": [{"delta": {"role": "assistant"}}]}]
    events += [{"choices": [{"delta": {"content": part}}]} for part in parts]
    events += [{"choices": [{"delta": {}, "finish_reason": "stop"}]}]
    events += [{"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}]
    lines = [f"data: {json.dumps(event)}\n\n".encode() for event in events]
    return Reply((b": hello\n\n", *lines, b"data: [DONE]\n\n"), pause=pause)


def breaks_off() -> Reply:
    """Half an answer, then nothing."""
    return Reply((b'{"choices": [',), headers={"Content-Length": "1000"}, breaks=True)


def knows(words: dict[str, list[str]], **behavior: Any) -> Callable[[dict[str, Any]], Reply]:
    """A model that knows attributes with their words, and sorts what it is given by first letter.

    It throws out what begins with "zz", and does not repeat what the prompt says is there.
    """

    def answer(request: dict[str, Any]) -> Reply:
        prompt = request["messages"][-1]["content"]
        return says(json.dumps(_answer(prompt, words)), **behavior)

    return answer


def _answer(prompt: str, words: dict[str, list[str]]) -> dict[str, Any]:
    if found := re.match(r"Show me (\d+) ways to describe (.+) of (.+)\.", prompt):
        known = re.search(r"None of these, which I have: (.*)\.", prompt)
        there = set(known[1].split(", ")) if known else set()
        fresh = [word for word in words[found[2]] if word not in there]
        return {"options": fresh[: int(found[1])]}
    if found := re.match(r"These words shall describe .+ of .+: (.*)\.\n", prompt):
        return {"groups": list(_sorted(found[1].split(", ")))}
    return {"options": list(words)}


def _sorted(words: list[str]) -> Iterator[dict[str, Any]]:
    for letter in sorted({word[0] for word in words}):
        own = [word for word in words if word[0] == letter and not word.startswith("zz")]
        if own:
            yield {"name": f"{letter.upper()} words", "options": own}


Behavior = Reply | Callable[[dict[str, Any]], Reply]


class ChatServer:
    """Answers with the scripted replies, one after the other, and then as `model` does.

    Attributes:
        requests: the body of every request.
        headers: its headers.
        model: what answers when the script is over.
    """

    says, sends, fails = staticmethod(says), staticmethod(sends), staticmethod(fails)
    streams, breaks_off = staticmethod(streams), staticmethod(breaks_off)
    knows = staticmethod(knows)

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[Any] = []
        self.model: Callable[[dict[str, Any]], Reply] = lambda _: fails(500, "no script")
        self._script: list[Behavior] = []
        chat = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                request = json.loads(self.rfile.read(length))
                chat.requests.append(request)
                chat.headers.append(self.headers)
                if self.path != "/v1/chat/completions":
                    chat._send(self, fails(404, "no such path"))
                    return
                behavior = chat._script.pop(0) if chat._script else chat.model
                chat._send(self, behavior if isinstance(behavior, Reply) else behavior(request))

            def log_message(self, *_: object) -> None:
                """Not to the terminal."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def start(self) -> "ChatServer":
        self._thread.start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def base_url(self) -> str:
        return f"http://{self.host}/v1"

    @property
    def prompts(self) -> list[str]:
        """The last message of every request."""
        return [request["messages"][-1]["content"] for request in self.requests]

    def script(self, *behaviors: Behavior) -> None:
        """What to answer next."""
        self._script += behaviors

    @staticmethod
    def _send(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        try:
            handler.send_response(reply.status)
            for name, value in reply.headers.items():
                handler.send_header(name, value)
            handler.end_headers()
            for piece in reply.pieces:
                time.sleep(reply.pause)
                handler.wfile.write(piece)
                handler.wfile.flush()
        except OSError:  # the client has had enough
            pass
        if reply.breaks:
            handler.connection.close()
