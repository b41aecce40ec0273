-- The lobby: a request for an app whose web dynos are still starting waits here until one is up.
--
-- It looks at the same map that routes requests, so the update that brings the app up ends the wait, and the request
-- goes on, body and all, as if nothing had been. Argument of the action: how long to wait, in milliseconds.

local hosts = Map.new("router/hosts.map", Map._str)
local STARTING = "starting/"
local PAUSE = 50

local function route_of(host)
  return hosts:lookup(host) or hosts:lookup((string.gsub(host, "^[^.]+", "*", 1)))
end

local function is_true(sample)
  return sample == true or sample == 1 -- booleans come as numbers from older HAProxys
end

core.register_action("lobby", { "http-req" }, function(txn, wait)
  local host = txn:get_var("txn.host")
  for _ = 1, tonumber(wait) / PAUSE do
    core.msleep(PAUSE)
    if is_true(txn.f:stopping()) then
      return -- after a reload the truth is elsewhere: the request is relayed there
    end
    local route = route_of(host)
    if route == nil then
      txn:unset_var("txn.route")
      return
    end
    if string.sub(route, 1, #STARTING) ~= STARTING then
      local now = core.now()
      txn:set_var("txn.begun", now.sec * 1000 + now.usec // 1000)
      txn:set_var("txn.route", route)
      return
    end
  end
  txn:set_var("txn.route", "H20/" .. string.sub(txn:get_var("txn.route"), #STARTING + 1))
end, 1)
