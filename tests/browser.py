#!/usr/bin/env python3
"""Usage: browser.py CHROMIUM PAGE...
       browser.py CHROMIUM --within SECONDS PAGE...

Opens pages of `etcd-cat report` in a headless Chromium and stops where one is not what it should be: a request, a word
on the console, a page wider than the window, a filter or an order that does not work, a landmark that is not there.
With --within it stops only where a page takes longer to open than that, the best of five times, each in a browser of its own.
Nothing but Python's own library is needed.
"""
import base64, itertools, json, os, pathlib, re, shutil, socket, struct, subprocess, sys, tempfile, threading, time
import urllib.request

WIDTHS = (360, 1600)
LANDMARKS = {"banner": 1, "main": 1, "contentinfo": 1, "region": 3, "search": 1, "searchbox": 1, "combobox": 1}


class Browser:
    """One tab, spoken to in the DevTools protocol."""

    def __init__(self, program):
        self.profile = tempfile.mkdtemp()
        options = ["--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", f"--user-data-dir={self.profile}"]
        self.process = subprocess.Popen([program, *options, "about:blank"], stderr=subprocess.PIPE, text=True)
        found = (re.search(r"ws://127\.0\.0\.1:(\d+)/", line) for line in self.process.stderr)
        port = int(next(match for match in found if match).group(1))
        threading.Thread(target=lambda: [None for _ in self.process.stderr], daemon=True).start()
        tabs = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list"))
        tab = next(tab for tab in tabs if tab["type"] == "page")
        path = tab["webSocketDebuggerUrl"].split(str(port), 1)[1]
        self.socket = socket.create_connection(("127.0.0.1", port))
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        self.stream = self.socket.makefile("rb")
        while self.stream.readline().strip():
            pass
        self.numbers, self.events = itertools.count(1), []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def close(self):
        # The program may be a script around the browser, which would outlive it.
        self.call("Browser.close")
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    def message(self):
        length = self.stream.read(2)[1] & 127
        if length > 125:
            size, form = ((2, ">H"), (8, ">Q"))[length - 126]
            length = struct.unpack(form, self.stream.read(size))[0]
        return json.loads(self.stream.read(length))

    def call(self, method, **parameters):
        number = next(self.numbers)
        data = json.dumps({"id": number, "method": method, "params": parameters}).encode()
        mask = os.urandom(4)
        head = b"\x81" + struct.pack(">BH", 0x80 | 126, len(data)) + mask
        self.socket.sendall(head + bytes(one ^ mask[place % 4] for place, one in enumerate(data)))
        while True:
            answer = self.message()
            if answer.get("id") == number:
                return answer["result"]
            self.events.append(answer)

    def value(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def open(self, url, width, has_scripts=True):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.events.clear()
        begun = time.monotonic()
        self.call("Page.navigate", url=url)
        while self.value("document.readyState") != "complete":
            time.sleep(0.01)
        if has_scripts:
            self.value("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        return time.monotonic() - begun

    def seen(self, *methods):
        return [event for event in self.events if event["method"] in methods]


def check(browser, page):
    url = pathlib.Path(page).resolve().as_uri()
    for width in WIDTHS:
        seconds = browser.open(url, width)
        assert len(browser.seen("Network.requestWillBeSent")) == 1, "the page itself, and nothing else"
        assert browser.value("document.documentElement.scrollWidth") <= width, f"wider than {width}"
        rows = browser.value("list.tBodies[0].rows.length")
        assert browser.value("shown.textContent") == f"{rows} of {rows} shown"
        print(f"{page}: {rows} backups at {width} pixels in {seconds:.2f} s")

    visible = "[...list.tBodies[0].rows].filter(row => row.offsetHeight > 0).length"
    for verdict in ("valid", "warning", "invalid", "unknown"):
        browser.value(f"verdict.value = '{verdict}'; verdict.dispatchEvent(new Event('change'))")
        cells = browser.value("[...list.tBodies[0].rows].map(row => row.cells[0].textContent)")
        assert browser.value(visible) == cells.count(verdict), verdict
    browser.value("verdict.value = ''; verdict.dispatchEvent(new Event('change'))")
    word = browser.value("list.tBodies[0].rows[0].cells[1].textContent")
    browser.value(f"words.value = '{word}'; words.dispatchEvent(new Event('input'));"
                  "new Promise(done => setTimeout(done, 300))")
    assert 1 <= browser.value(visible) <= rows, word
    browser.value("words.value = 'no such word'; words.dispatchEvent(new Event('input'));"
                  "new Promise(done => setTimeout(done, 300))")
    assert browser.value(visible) == 0
    assert browser.value("list.querySelectorAll('li').length") == 0, "what is folded is no element yet"
    browser.value("words.value = '</li>'; words.dispatchEvent(new Event('input'));"
                  "new Promise(done => setTimeout(done, 300))")
    assert browser.value(visible) == 0, "nobody looks for markup"
    browser.value("list.querySelector('details').open = true; new Promise(done => setTimeout(done, 100))")
    path = browser.value("list.querySelector('details li').innerText")
    assert path.startswith("/"), path
    browser.value("list.querySelector('details').open = false;"
                  f"words.value = {json.dumps(path)}; words.dispatchEvent(new Event('input'));"
                  "new Promise(done => setTimeout(done, 300))")
    assert 1 <= browser.value(visible) <= rows, path
    browser.value("words.value = ''; words.dispatchEvent(new Event('input'));"
                  "new Promise(done => setTimeout(done, 300))")

    sizes = "[...list.tBodies[0].rows].map(row => Number(row.cells[5].dataset.n))"
    for direction in ("ascending", "descending"):
        browser.value("list.tHead.rows[0].cells[5].querySelector('button').click()")
        found = browser.value(sizes)
        assert found == sorted(found, reverse=direction == "descending"), direction
        assert browser.value("list.tHead.rows[0].cells[5].getAttribute('aria-sort')") == direction

    roles = [node.get("role", {}).get("value") for node in browser.call("Accessibility.getFullAXTree")["nodes"]]
    assert {role: roles.count(role) for role in LANDMARKS} == LANDMARKS
    assert roles.count("columnheader") == 14, "tables stay tables"

    backgrounds = set()
    for scheme in ("light", "dark"):
        browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        backgrounds.add(browser.value("getComputedStyle(document.body).backgroundColor"))
    assert len(backgrounds) == 2, backgrounds
    browser.call("Emulation.setEmulatedMedia", media="print", features=[])
    browser.value("new Promise(done => setTimeout(done, 100))")
    height = "document.querySelector('#list details li').getBoundingClientRect().height"
    assert browser.value(height) > 0, "on paper what is folded is open"
    browser.call("Emulation.setEmulatedMedia", media="", features=[])
    words = browser.seen("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
    assert not words, words

    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(url, 1600, has_scripts=False)
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert browser.value("getComputedStyle(document.getElementById('filter')).display") == "none"
    assert browser.value(visible) == rows, "without scripts everything is there"
    assert browser.value("document.querySelectorAll('#list details li').length") >= rows


def opened(program, page, width):
    """How long a page takes in a browser that has just started."""
    browser = Browser(program)
    try:
        return browser.open(pathlib.Path(page).resolve().as_uri(), width)
    finally:
        browser.close()


def opens_within(program, limit, page):
    for width in WIDTHS:
        seconds = sorted(opened(program, page, width) for _ in range(5))
        print(f"{page}: opens at {width} pixels in {seconds[0]:.2f} to {seconds[-1]:.2f} s")
        assert seconds[0] < limit, seconds


def main():
    program, *rest = sys.argv[1:]
    if rest[0] == "--within":
        for page in rest[2:]:
            opens_within(program, float(rest[1]), page)
        return
    browser = Browser(program)
    try:
        for page in rest:
            check(browser, page)
    finally:
        browser.close()


main()
