--[[
Looks over what waits, a bounded step at a time, and queues again what nobody would ever hand out:
somebody has removed a consumer or a group, entries, or keys. Anybody of the group runs it now and then.

Invariants
  1. A log that is queued has an entry that is pending with a consumer, or that none has had yet.
     One that rests is in `delayed`, one on hold has an attempt and no redrive. Otherwise it is queued again: its
     cursor says what is done.
  2. A log that was told of and is not done, or is to be redriven, is queued, rests, or is on hold.
  3. An entry that consumers had, and that nobody has now, is removed.

KEYS
  1  logs (stream)   2  queued   3  told   4  attempts   5  delayed (zset)   6  redrives   7  state
ARGV
  1  how many of each to look at (about)   2  how many milliseconds from one step to the next

Returns how many logs were queued again; -1 when there is no such group.
]]
local logs, queued, told, attempts, delayed, redrives, state = unpack(KEYS)
local most, interval = tonumber(ARGV[1]), tonumber(ARGV[2])

local now = readClock()
local known = redis.call('HMGET', state, 'mended', 'mend')
local since = now - tonumber(known[1] or '0')
if since >= 0 and since < interval then return 0 end

local groups = redis.pcall('XINFO', 'GROUPS', logs)
if groups.err and string.find(groups.err, 'no such key', 1, true) then return -1 end
if groups.err then return groups end
local delivered
for _, group in ipairs(groups) do
  local facts = {}
  for index = 1, #group, 2 do facts[group[index]] = group[index + 1] end
  if facts['name'] == 'workers' then delivered = facts['last-delivered-id'] end
end
if not delivered then return -1 end

local function isPending(entry)
  return #redis.call('XPENDING', logs, 'workers', entry, entry, 1) > 0
end

local function isWaiting(entry)
  return isBelow(delivered, entry) and #redis.call('XRANGE', logs, entry, entry) > 0
end

local mended = 0
local function mend(log)
  queue(logs, queued, log)
  mended = mended + 1
end

local function lookAtPlace(log, place)
  if place == 'delayed' then
    if not redis.call('ZSCORE', delayed, log) then mend(log) end
  elseif place == 'held' then
    local isHeld = redis.call('HEXISTS', attempts, log) == 1 and redis.call('HEXISTS', redrives, log) == 0
    if not isHeld then mend(log) end
  elseif not string.find(place, '^%d+%-%d+$') then
    mend(log)
  elseif not isPending(place) and not isWaiting(place) then
    redis.call('XDEL', logs, place)
    mend(log)
  end
end

local function lookAtWork(log)
  if log == '' or redis.call('HEXISTS', queued, log) == 1 then return end
  if redis.call('ZSCORE', delayed, log) then redis.call('HSET', queued, log, 'delayed') else mend(log) end
end

local places = {}
for place in string.gmatch(known[2] or '', '%S+') do places[#places + 1] = place end

-- Answers with where to go on.
local function each(hash, from, look)
  local page = redis.call('HSCAN', hash, from or '0', 'COUNT', most)
  for index = 1, #page[2], 2 do look(page[2][index], page[2][index + 1]) end
  return page[1]
end

local following = {
  each(queued, places[1], lookAtPlace), each(told, places[2], lookAtWork), each(redrives, places[3], lookAtWork),
}

-- From the first entry to the last that consumers had.
local entries = redis.call('XRANGE', logs, places[4] or '-', delivered, 'COUNT', most)
for _, entry in ipairs(entries) do
  if not isPending(entry[1]) then redis.call('XDEL', logs, entry[1]) end
end
following[4] = #entries == most and '(' .. entries[#entries][1] or '-'

redis.call('HSET', state, 'mended', now, 'mend', table.concat(following, ' '))
return mended
