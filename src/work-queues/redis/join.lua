--[[
Makes a group, if it is not there, at the end of the feed as it is now. A group that starts with
all events goes over the feed's marks instead of its entries: one step a log, not one an append.

KEYS
  1  the feed (stream)   2  logs (stream)   3  state (hash)
ARGV
  1  category, or ''     2  'start' or 'now'

Returns the category that the group was made for.
]]
local feed, logs, state = KEYS[1], KEYS[2], KEYS[3]
local category, from = ARGV[1], ARGV[2]

local made = redis.call('HGET', state, 'category')
if not made then
  local at, mark = '0-0', ''
  local last = redis.call('XREVRANGE', feed, '+', '-', 'COUNT', '1')[1]
  if last then
    local fields = last[2]
    at, mark = last[1], fields[#fields - 1] .. ' ' .. fields[#fields]
  elseif redis.call('EXISTS', feed) == 1 then
    local info = redis.call('XINFO', 'STREAM', feed)
    for index = 1, #info, 2 do
      if info[index] == 'last-generated-id' then at = info[index + 1] end
    end
  end
  local scan = ''
  if from == 'start' then scan = '0' end
  redis.call('HSET', state, 'category', category, 'from', from, 'at', at, 'mark', mark, 'scan', scan)
  made = category
end
local created = redis.pcall('XGROUP', 'CREATE', logs, 'workers', '0', 'MKSTREAM')
if type(created) == 'table' and created.err and not string.find(created.err, 'BUSYGROUP', 1, true) then
  return created
end
return made
