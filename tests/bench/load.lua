-- What wrk sends, and how it tells what came of it.
--
-- The file named after -- holds one client a line; a thread is the client of its number, and sends the
-- steps of its line in turn. Steps are parted by "|", the parts of a step by tabs: METHOD PATH HEADER BODY.
-- With as many threads as connections each client waits for one answer before its next step.

local count = 0

function setup(thread)
	thread:set("number", count)
	count = count + 1
end

local steps, at = {}, 0

local function step(text)
	local parts = {}
	for part in (text .. "\t"):gmatch("(.-)\t") do
		parts[#parts + 1] = part
	end
	local headers = {}
	local name, value = (parts[3] or ""):match("^(.-): (.*)$")
	if name then
		headers[name] = value
	end
	local body = parts[4]
	if body == "" then
		body = nil
	end
	if body then
		headers["Content-Type"] = "application/json"
	end
	return wrk.format(parts[1], parts[2], headers, body)
end

function init(args)
	local lines = {}
	for line in io.lines(args[1]) do
		lines[#lines + 1] = line
	end
	for text in (lines[number % #lines + 1] .. "|"):gmatch("(.-)|") do
		steps[#steps + 1] = step(text)
	end
	-- wrk asks the first thread for one request that it never sends, to look at it.
	at = number == 0 and -1 or 0
end

function request()
	at = at % #steps + 1
	return steps[at]
end

function done(summary, latency)
	local e = summary.errors
	io.write(string.format(
		'BENCH {"requests":%d,"seconds":%.6f,"refused":%d,"broken":%d,"p50_ms":%.3f,"p99_ms":%.3f}\n',
		summary.requests, summary.duration / 1e6, e.status, e.connect + e.read + e.write + e.timeout,
		latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
