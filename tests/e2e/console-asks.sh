#!/bin/bash
# The console where nobody tells it of changes: a master without events, one whose
# stream breaks, lags or goes silent. The master here is a small server of canned answers.
# shellcheck disable=SC2016
. "$(dirname "$0")/../lib.sh"

for tool in tmux python3; do
	command -v $tool >/dev/null || { skip "the console without events" "$tool is missing"; exit 0; }
done
export XDG_CONFIG_HOME=$T/xdg
SOCKET=felloe-test-$$
tmux() { command tmux -L "$SOCKET" -f /dev/null "$@"; }
at_exit 'tmux kill-server'
tmux new-session -d -s keeper cat
screen() { tmux capture-pane -p -t console; }
has() { screen | grep -qF -- "$1"; }
shows() { until_ok "${2:-20}" has "$1" || { screen; return 1; }; }

# The file "mode" says what /events does, "name" how node 1 is called, "log" who asked for what.
cat >"$T/master.py" <<'PY'
import http.server, json, os, sys, time
root, port = sys.argv[1], int(sys.argv[2])
def word(name):
    with open(os.path.join(root, name)) as f:
        return f.read().strip()
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *args):
        pass
    def note(self, text):
        with open(os.path.join(root, "log"), "a") as f:
            f.write(text + "\n")
    def body(self, value):
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    def node(self):
        return {"id": 1, "name": word("name"), "hostname": "web", "state": "active", "health": "ok", "reasons": []}
    def events(self):
        mode = word("mode")
        self.note("events %s after %s" % (mode, self.headers.get("Last-Event-ID", "nothing")))
        if mode == "absent":
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b": begin\r\nid: first\r\n\r\n")
        self.wfile.flush()
        told = word("name")
        while word("mode") == mode:
            if word("name") != told:
                told = word("name")
                frame = {"items": [self.node()], "samples": [], "gone": []}
                if mode == "reset":
                    text = b"event: reset\ndata: {}\n\n"
                elif mode == "garbled":
                    text = b"event: node\ndata: {\"items\":[{]}\n\n"
                else:
                    text = b"event: node\ndata: " + json.dumps(frame).encode() + b"\n\nid: next\n\n"
                for byte in text:  # one by one: pieces may be cut anywhere
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
            time.sleep(0.05)
        self.close_connection = True
    def do_GET(self):
        path = self.path.split("?")[0]
        try:
            if path == "/api/v1/events":
                return self.events()
            if path == "/api/v1/nodes/":
                self.note("list")
                return self.body({"items": [self.node()], "next": None})
            if path == "/api/v1/alerts":
                return self.body({"items": [], "next": None})
        except OSError:
            self.close_connection = True
            return
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
PY
PORT=$(free_port)
say() { printf '%s\n' "$2" >"$T/$1.new" && mv "$T/$1.new" "$T/$1"; }
say mode absent
say name web-one
: >"$T/log"
spawn master python3 "$T/master.py" "$T" "$PORT"
answers() { curl -s "http://127.0.0.1:$PORT/api/v1/alerts" >/dev/null; }
check "the master of canned answers is up" until_ok 20 answers
mkdir -p "$XDG_CONFIG_HOME/felloe"
(umask 077; jq -n --arg m "http://127.0.0.1:$PORT" '{master: $m, user: "admin", role: "viewer", access_token: "x",
	refresh_token: "y", expires: "2099-01-01T00:00:00Z"}' >"$XDG_CONFIG_HOME/felloe/session")
run_console() {
	tmux kill-session -t console 2>/dev/null
	tmux new-session -d -s console -x 80 -y 24 "TERM=screen-256color felloe 2>$T/console.err; echo DONE; cat"
}
asked() { grep -q -- "$1" "$T/log"; }
lists() { grep -c '^list' "$T/log"; }

# ---- a master without the route
run_console
check "without events the list is asked for" shows "web-one"
check "and the title says so" shows "● every 1s"
say name web-two
check "what changes is seen by asking" shows "web-two"

# ---- one that tells
say mode tells
run_console
check "with events the title says live" shows "● live"
check "and the list is there" shows "web-two"
before=$(lists)
say name web-three
check "a change is told, byte by byte" shows "web-three"
check "without asking for the list" test "$(lists)" = "$before"

# ---- the stream breaks: asked meanwhile, and opened again where it ended
: >"$T/log"
say mode garbled
check "a stream that broke is opened again" until_ok 40 asked "events garbled after next"
check "and the title is honest again" shows "● live" 40
say name web-four
check "an event that cannot be read: the list is read anew" shows "web-four" 40
say mode reset
until_ok 40 asked "events reset" >/dev/null
shows "● live" 40 >/dev/null
say name web-five
check "a reset does the same" shows "web-five" 40
say mode absent
check "a route that goes: asked again" shows "● every" 40
say name web-six
check "and seen" shows "web-six"
