"""A headless Chromium, told what to do through a pipe: open a page, press keys, evaluate, take a picture."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from fcntl import F_DUPFD_CLOEXEC, fcntl
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --remote-debugging-pipe"
)
# Chromium reads from the file descriptor 3 and writes to 4.
AS_3_AND_4 = """
import os, sys
for theirs, number in zip(sys.argv[1:3], (3, 4)):
    os.dup2(int(theirs), number)
os.execv(sys.argv[3], sys.argv[3:])
"""
KEYS = {"ArrowLeft": 37, "ArrowRight": 39, "Home": 36, "End": 35, "Tab": 9, "Enter": 13, " ": 32}


def executable() -> str | None:
    """Where Chromium is, if anywhere."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


class Browser:
    """One Chromium with one page. It stops at the end of a `with`, and waits `patience` seconds for an answer."""

    def __init__(self, patience: float = 30.0) -> None:
        self.patience, self.number, self.waiting = patience, 0, b""
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        theirs_in, self.writes = os.pipe()
        self.reads, theirs_out = os.pipe()
        program = executable()
        assert program, "Chromium is not on this machine"
        ends = [fcntl(end, F_DUPFD_CLOEXEC, 10) for end in (theirs_in, theirs_out)]
        self.process = subprocess.Popen(
            [
                sys.executable, "-c", AS_3_AND_4, *map(str, ends), program, *FLAGS.split(),
                f"--user-data-dir={self.profile.name}", "about:blank",
            ],
            pass_fds=ends, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for end in (theirs_in, theirs_out, *ends):
            os.close(end)
        self.session: str | None = None
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.requests: list[str] = []
        self.errors: list[str] = []
        for domain in ("Page", "Runtime", "Network"):
            self.ask(f"{domain}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.session = None
            self.ask("Browser.close")
            self.process.wait(10)
        except (OSError, EOFError, TimeoutError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        finally:
            os.close(self.reads)
            os.close(self.writes)
            self.profile.cleanup()

    # ------------------------------------------------------------------ the protocol

    def ask(self, method: str, **parameters: Any) -> Any:
        """Send a message, return the answer to it."""
        self.number += 1
        number = self.number
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        content = memoryview(json.dumps(message).encode() + b"\0")
        while content:
            content = content[os.write(self.writes, content) :]
        end = time.monotonic() + self.patience
        while (answer := self._message(end)).get("id") != number:
            self._note(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def wait_for(self, event: str) -> None:
        """Read messages until one says that this has happened."""
        end = time.monotonic() + self.patience
        while (message := self._message(end)).get("method") != event:
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        if message.get("method") == "Network.requestWillBeSent":
            self.requests.append(message["params"]["request"]["url"])
        if message.get("method") == "Runtime.exceptionThrown":
            details = message["params"]["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description", details["text"]))

    def _message(self, end: float) -> Any:
        while b"\0" not in self.waiting:
            if not select.select([self.reads], [], [], max(0.0, end - time.monotonic()))[0]:
                raise TimeoutError("Chromium does not answer")
            part = os.read(self.reads, 1 << 20)
            if not part:
                raise EOFError("Chromium has ended")
            self.waiting += part
        message, _, self.waiting = self.waiting.partition(b"\0")
        return json.loads(message)

    # ------------------------------------------------------------------ the page

    def open(self, path: Path) -> None:
        """Open a file; what it asks for stands in `requests`, what goes wrong in `errors`."""
        self.requests.clear()
        self.errors.clear()
        self.ask("Page.navigate", url=path.as_uri())
        self.wait_for("Page.loadEventFired")

    def evaluate(self, script: str) -> Any:
        """The value of a script; an exception in it raises RuntimeError."""
        answer = self.ask(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description", details["text"]))
        return answer["result"].get("value")

    def press(self, *keys: str) -> None:
        """Press keys, as a person does."""
        for key in keys:
            code = KEYS.get(key) or ord(key.upper())
            text = "\r" if key == "Enter" else key if len(key) == 1 else ""
            form = {"key": key, "windowsVirtualKeyCode": code, "code": key}
            self.ask("Input.dispatchKeyEvent", type="keyDown", text=text, **form)
            self.ask("Input.dispatchKeyEvent", type="keyUp", **form)

    def write(self, text: str) -> None:
        """Put a text where the focus is."""
        self.ask("Input.insertText", text=text)

    def look(self, width: int, height: int, dark: bool = False, scale: float = 1.0) -> None:
        """Make the window so large, and the system light or dark."""
        self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height,
            deviceScaleFactor=scale, mobile=width < 600,
        )  # fmt: skip
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.ask("Emulation.setEmulatedMedia", features=scheme)

    def picture(self, path: Path) -> None:
        """Save what the window shows as PNG."""
        content = self.ask("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(base64.b64decode(content))
