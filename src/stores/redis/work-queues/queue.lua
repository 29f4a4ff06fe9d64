-- Puts a log at the end of what waits, and notes beside it which entry is its place.
local function queue(logs, queued, log)
  redis.call('HSET', queued, log, redis.call('XADD', logs, '*', 'log', log))
end

