-- SPDX-License-Identifier: Apache-2.0
-- wrk: each request is a sample of the next of FELLOE_NODES nodes, keep-alive.
local nodes = tonumber(os.getenv("FELLOE_NODES") or "1000")
local body = os.getenv("FELLOE_BODY") or '{"cpu_usage":12.5,"disk_usage":40.25,"active_backups":0}'
local threads, at = 0, 0

function setup(thread)
	thread:set("first", threads * 37)
	threads = threads + 1
end

function init()
	at = first
	wrk.method = "POST"
	requests = {}
	for i = 1, nodes do
		wrk.headers["X-API-KEY"] = string.format("bench-key-%06d", i)
		requests[i] = wrk.format("POST", "/api/v1/stats", wrk.headers, body)
	end
end

function request()
	at = at % nodes + 1
	return requests[at]
end


function done(summary, latency)
	io.write(string.format("requests %d\nseconds %.3f\nerrors %d\np50_us %d\np99_us %d\n",
		summary.requests, summary.duration / 1e6,
		summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
		latency:percentile(50), latency:percentile(99)))
end
