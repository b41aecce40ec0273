-- The lobby: a request for an app whose web dynos are asleep or still starting waits here until one is up.
--
-- It looks at the same map that routes requests, so the update that brings the app up ends the wait, and the request
-- goes on, body and all, as if nothing had been. While the app is asleep it knocks, by a line to who reads the router's
-- lines, once a second in case a knock is lost. Argument of the action: how long to wait, in milliseconds.

local hosts = Map.new("router/hosts.map", Map._str)
local PAUSE = 50
local BETWEEN_KNOCKS = 1000

local function route_of(host)
  return hosts:lookup(host) or hosts:lookup((string.gsub(host, "^[^.]+", "*", 1)))
end

local function state_of(route)
  return string.match(route, "^[^/]*")
end

local function is_true(sample)
  return sample == true or sample == 1 -- booleans come as numbers from older HAProxys
end

core.register_action("lobby", { "http-req" }, function(txn, wait)
  local host = txn:get_var("txn.host")
  local route = txn:get_var("txn.route")
  for round = 0, tonumber(wait) / PAUSE - 1 do
    if state_of(route) == "asleep" and round * PAUSE % BETWEEN_KNOCKS == 0 then
      txn:Info("knock " .. route)
    end
    core.msleep(PAUSE)
    if is_true(txn.f:stopping()) then
      return -- after a reload the truth is elsewhere: the request is relayed there
    end
    route = route_of(host)
    if route == nil then
      txn:unset_var("txn.route")
      return
    end
    local state = state_of(route)
    if state ~= "starting" and state ~= "asleep" then
      local now = core.now()
      txn:set_var("txn.begun", now.sec * 1000 + now.usec // 1000)
      txn:set_var("txn.route", route)
      return
    end
  end
  txn:set_var("txn.route", (string.gsub(route, "^[^/]*", "H20", 1)))
end, 1)
