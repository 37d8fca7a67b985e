-- What wrk sends: wrk … -s requests.lua URL -- KIND FILE, where FILE has a uuid a line. At its end a line of JSON.
local uuids, turn, kind = {}, 0, nil

function init(args)
  kind = args[1]
  for line in io.lines(args[2]) do uuids[#uuids + 1] = line end
  turn = math.random(#uuids)
  wrk.headers["x-openstack-ironic-api-version"] = "1.82"
  wrk.headers["content-type"] = "application/json"
end

local function path()
  turn = (turn + 7919) % #uuids
  return "/v1/nodes/" .. uuids[turn + 1]
end

function request()
  if kind == "GET one" then return wrk.format("GET", path()) end
  if kind == "list of 100" then return wrk.format("GET", "/v1/nodes?limit=100") end
  if kind == "PATCH" then
    local value = string.format('[{"op": "add", "path": "/extra/turn", "value": %d}]', turn)
    return wrk.format("PATCH", path(), nil, value)
  end
  return wrk.format("POST", "/v1/nodes", nil, '{"driver": "fake-hardware"}')
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format('{"requests": %d, "microseconds": %d, "refused": %d, "broken": %d, "p50": %d, "p99": %d}',
    summary.requests, summary.duration, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
