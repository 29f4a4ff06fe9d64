--[[
Gives up leases of a consumer that leaves, and forgets it once it has none.

KEYS
  1  logs (stream)   2  queued (hash)
ARGV
  1  the consumer   2  how many at most   3…  entries that it keeps

Returns 1 when there may be more, 0 when it is done.
]]
local logs, queued = KEYS[1], KEYS[2]
local consumer, most = ARGV[1], tonumber(ARGV[2])
local kept = {}
for index = 3, #ARGV do kept[ARGV[index]] = true end

if redis.call('EXISTS', logs) == 0 then return 0 end
local pending = redis.call('XPENDING', logs, 'workers', '-', '+', most, consumer)
local given = 0
for _, lease in ipairs(pending) do
  local entry = lease[1]
  if not kept[entry] then
    local found = redis.call('XRANGE', logs, entry, entry)[1]
    redis.call('XACK', logs, 'workers', entry)
    redis.call('XDEL', logs, entry)
    if found then
      local log = found[2][2]
      if redis.call('HGET', queued, log) == entry then
        queue(logs, queued, log)
      end
    end
    given = given + 1
  end
end
if #pending == 0 then redis.call('XGROUP', 'DELCONSUMER', logs, 'workers', consumer) end
if given > 0 then return 1 end
return 0
