-- What wrk asks: lists for users, or posts of feedback; what it found goes out as one line of JSON.
--   arguments: "new" (never the same question twice), "any" (a user drawn from all) or "post";
--   the number of users; the query

local how, users, query = "any", 1, ""
local at = 0

function init(args)
   how, users, query = args[1], tonumber(args[2]), args[3] or ""
   math.randomseed(42)
end

function request()
   at = at + 1
   if how == "post" then
      local row = '{"user_id":"%d","item_id":"1","rating":%d}'
      local body = '{"events":[' .. string.format(row, math.random(users), math.random(5)) .. ']}'
      return wrk.format("POST", "/v1/feedback", {["Content-Type"] = "application/json"}, body)
   end
   local path = "/v1/users/" .. math.random(users) .. "/recommendations" .. query
   if how == "new" then path = path .. "&year_to=" .. (10000 + at) end  -- all films, in other words
   return wrk.format("GET", path)
end

function done(summary, latency, requests)
   local wrong = 0
   for _, count in pairs(summary.errors) do wrong = wrong + count end
   io.write(string.format(
      '{"requests":%d,"seconds":%f,"wrong":%d,"median_ms":%f,"p99_ms":%f,"max_ms":%f}\n',
      summary.requests, summary.duration / 1e6, wrong, latency:percentile(50) / 1000,
      latency:percentile(99) / 1000, latency.max / 1000))
end
