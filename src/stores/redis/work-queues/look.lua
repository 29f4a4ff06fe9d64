--[[
Looks at what is new in the feed, and queues the logs it tells of; also logs whose delay is over.
Anybody of the group may run it at any time: all that it finds and all that it notes is one step.

Invariants
  1. The place in the feed moves on together with what was noted of the entries before it.
  2. A log is in the queue at most once (`queued`), and is told further than its cursor when it is.
  3. Where the feed does not hold what was read last (it was trimmed, lost its tail, or is built
     anew), its marks are gone over instead. So they are when what was told is lost. A repeat does
     no harm: cursors say what is done. Of a log without one, a group that began with what came
     then has nothing to do that is older than the group.

KEYS
  1  the feed (stream)   2  the feed's marks (hash)   3  logs (stream)   4  queued   5  told
  6  cursors             7  delayed (zset)            8  state (hash)
ARGV
  1  how many entries of the feed, and how many logs of its marks, at most (about)

Returns 1 when there is more to look at, 0 when not, -1 when there is no such group, or a part of
it is missing: join.lua sees to that.
]]
local feed, marks, logs, queued, told = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local cursors, delayed, state = KEYS[6], KEYS[7], KEYS[8]
local most = tonumber(ARGV[1])
local CHUNK = 1000

local settings = redis.call('HMGET', state, 'category', 'from', 'at', 'mark', 'scan', 'created', 'anew')
local category, from, at, mark, scan, created, isAnew = unpack(settings)
if not category or not created or redis.call('EXISTS', logs) == 0 then return -1 end
if redis.call('HEXISTS', cursors, '') == 0 then return -1 end
local toldAt = redis.call('HGET', told, '')
if toldAt ~= at then scan = '0' end
local prefix = category .. ':'
local more = 0

local function isWanted(log)
  if category == '' then return log ~= '' and string.sub(log, 1, 12) ~= 'dead-letter:' end
  return string.sub(log, 1, #prefix) == prefix
end

-- What was found, in the order in which it was found.
local found, firsts, lasts = {}, {}, {}

local function find(log, first, last)
  if not isWanted(log) then return end
  if not lasts[log] then
    found[#found + 1] = log
    firsts[log] = first
  end
  lasts[log] = last
end

local function note(isScan)
  for start = 1, #found, CHUNK do
    local some = { unpack(found, start, math.min(start + CHUNK - 1, #found)) }
    local places = redis.call('HMGET', queued, unpack(some))
    local done = redis.call('HMGET', cursors, unpack(some))
    for index, log in ipairs(some) do
      local cursor, last = done[index], lasts[log]
      if not cursor and from == 'now' then
        local first = firsts[log]
        if isScan or isAnew then
          -- It may have been there before the group.
          if isBelow(first, created) then first = created end
          if isBelow(last, first) then last = nil end
        end
        if last then redis.call('HSET', cursors, log, '~' .. first) end
      elseif cursor and string.sub(cursor, 1, 1) ~= '~' then
        -- A scan also finds logs that have lost what was done.
        if cursor == last or not isScan and not isBelow(cursor, last) then last = nil end
      end
      if last then
        redis.call('HSET', told, log, last)
        if not places[index] then queue(logs, queued, log) end
      end
    end
  end
  found, firsts, lasts = {}, {}, {}
end

local due = redis.call('ZRANGEBYSCORE', delayed, '-inf', readClock(), 'LIMIT', 0, most)
for _, log in ipairs(due) do
  redis.call('ZREM', delayed, log)
  local place = redis.call('HGET', queued, log)
  if not place or place == 'delayed' then queue(logs, queued, log) end
end
if #due == most then more = 1 end

local function markOf(entry)
  local fields = entry[2]
  return fields[#fields - 1] .. ' ' .. fields[#fields]
end

local entries, start = redis.call('XRANGE', feed, at, '+', 'COUNT', most + 1), 1
if at ~= '0-0' then
  local first = entries[1]
  if first and first[1] == at and markOf(first) == mark then
    start = 2
  else
    local lastId = streamFacts(feed)['last-generated-id'] or '0-0'
    if first or lastId ~= at then
      local last = redis.call('XREVRANGE', feed, '+', '-', 'COUNT', '1')[1]
      at, mark, scan, entries = lastId, '', '0', {}
      if last then mark = markOf(last) end
      redis.call('HSET', state, 'at', at, 'mark', mark, 'anew', '1')
    end
  end
end
for number = start, #entries do
  local fields = entries[number][2]
  for index = 1, #fields, 2 do
    local first, last = string.match(fields[index + 1], '^(%d+%-%d+) (%d+%-%d+)$')
    if first then find(fields[index], first, last) end
  end
end
if #entries >= start then
  note(false)
  local last = entries[#entries]
  at = last[1]
  redis.call('HSET', state, 'at', at, 'mark', markOf(last))
  if #entries > most then more = 1 end
end
if toldAt ~= at then redis.call('HSET', told, '', at) end
if scan ~= settings[5] then redis.call('HSET', state, 'scan', scan) end

if scan ~= '' and more == 0 then
  local page = redis.call('HSCAN', marks, scan, 'COUNT', most)
  local fields = page[2]
  for index = 1, #fields, 2 do
    if string.find(fields[index + 1], '^%d+%-%d+$') then find(fields[index], '0-0', fields[index + 1]) end
  end
  note(true)
  scan = page[1]
  if scan == '0' then scan = '' else more = 1 end
  redis.call('HSET', state, 'scan', scan)
end
return more
