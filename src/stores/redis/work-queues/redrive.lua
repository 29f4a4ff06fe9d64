--[[
Asks for a dead letter's event to be handled before others of its log, or takes that back.

KEYS
  1  logs (stream)   2  queued   3  told   4  cursors   5  attempts   6  redrives
ARGV
  1  'redrive' or 'discard'   2  log   3  event   4  letter

Returns 1.
]]
local logs, queued, told, cursors, attempts, redrives = unpack(KEYS)
local what, log, event, letter = unpack(ARGV)

local rest, isThere = {}, false
for word in string.gmatch(redis.call('HGET', redrives, log) or '', '%S+') do
  local isIt = string.match(word, '^[^/]+/([^/]+)/') == letter
  isThere = isThere or isIt
  if not isIt or what == 'redrive' then rest[#rest + 1] = word end
end
if what == 'redrive' and not isThere then rest[#rest + 1] = event .. '/' .. letter .. '/0' end
if #rest == 0 then
  redis.call('HDEL', redrives, log)
else
  redis.call('HSET', redrives, log, table.concat(rest, ' '))
end

local place = redis.call('HGET', queued, log)
local isLeased = false
if place and place ~= 'held' and place ~= 'delayed' then
  local pending = redis.pcall('XPENDING', logs, 'workers', place, place, 1)
  isLeased = #pending > 0
end
if what == 'discard' and not isLeased then
  -- Only an event that still stands in the way has an attempt.
  local attempt = redis.call('HGET', attempts, log)
  if attempt and string.match(attempt, '^%S+') == event then
    redis.call('HSET', cursors, log, event)
    redis.call('HDEL', attempts, log)
    if place == 'held' then what = 'redrive' end
  end
end
if what == 'redrive' and (not place or place == 'held') then
  queue(logs, queued, log)
end
return 1
