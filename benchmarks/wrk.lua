-- Sends the bodies of a file in turn (separated by a form feed) and prints one line of JSON at the end.
local bodies, index = {}, 0

function init(args)
  local file = io.open(args[1], "r")
  for body in (file:read("*a") .. "\f"):gmatch("(.-)\f") do
    if #body > 0 then bodies[#bodies + 1] = body end
  end
  file:close()
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "text/xml; charset=utf-8"
  wrk.headers["SOAPAction"] = '""'
end

function request()
  index = index % #bodies + 1
  return wrk.format(nil, nil, nil, bodies[index])
end

function done(summary, latency)
  io.write(string.format(
    '{"requests": %d, "seconds": %f, "failed": %d, "p50_us": %d, "p99_us": %d}\n',
    summary.requests, summary.duration / 1e6,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
