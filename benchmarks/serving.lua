-- What wrk asks: lists for users, or posts of feedback; what it found goes out as one line of JSON.
--   arguments: "new" (never the same question twice: one query for all users in turn, then another),
--   "any" (a user drawn from all) or "post";
--   the number of users; the query

local how, users, query = "any", 1, ""
local at, first_year = 0, 0

function init(args)
   how, users, query = args[1], tonumber(args[2]), args[3] or ""
   math.randomseed(42)
   first_year = 10000 + os.time() % 100000 * 1000  -- another in each run
end

function request()
   at = at + 1
   if how == "post" then
      local row = '{"user_id":"%d","item_id":"1","rating":%d}'
      local body = '{"events":[' .. string.format(row, math.random(users), math.random(5)) .. ']}'
      return wrk.format("POST", "/v1/feedback", {["Content-Type"] = "application/json"}, body)
   end
   if how == "new" then
      local year = first_year + math.floor(at / users)  -- all films, in other words
      local path = "/v1/users/" .. (at % users + 1) .. "/recommendations" .. query
      return wrk.format("GET", path .. "&year_to=" .. string.format("%d", year))
   end
   return wrk.format("GET", "/v1/users/" .. math.random(users) .. "/recommendations" .. query)
end

function done(summary, latency, requests)
   local wrong = 0
   for _, count in pairs(summary.errors) do wrong = wrong + count end
   io.write(string.format(
      '{"requests":%d,"seconds":%f,"wrong":%d,"median_ms":%f,"p99_ms":%f,"max_ms":%f}\n',
      summary.requests, summary.duration / 1e6, wrong, latency:percentile(50) / 1000,
      latency:percentile(99) / 1000, latency.max / 1000))
end
