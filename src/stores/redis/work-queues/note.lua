--[[
Queues the logs that the feed, or its marks, tell of, and moves the group on to the place up to which
they were read. Whoever of the group has read them may run it, and run it again.

Invariants
  1. It changes nothing where the group does not stand any more where the reader found it: somebody
     else has moved it on, or what was told is lost (look.lua sees to that).
  2. The place in the feed moves on together with what was noted of the entries before it.
  3. A log is in the queue at most once (`queued`), and is told further than its cursor when it is.
  4. Where the feed does not hold what was read last (it was trimmed, lost its tail, or is built
     anew), its marks are gone over. A repeat does no harm: cursors say what is done. Of a log
     without one, a group that began with what came then has nothing to do that is older than the group.

KEYS
  1  logs (stream)   2  queued   3  told   4  cursors   5  state
ARGV
  1  the place from which was read     2  where going over the marks had got to, or ''
  3  the place up to which was read    4  where going over them goes on, or ''
  5  'entries': the logs are those of the feed's entries; 'marks': those of its marks; 'lost': the
     feed does not hold the place any more
  6… log, first, last: each log once, and of which of its events is told

Returns { 1 }; { 0, the place where the group stands }; {} when there is no such group, or a part is missing.
]]
local logs, queued, told, cursors, state = unpack(KEYS)
local fromAt, fromScan, toAt, toScan, what = unpack(ARGV, 1, 5)
local CHUNK, WIDTH = 1000, 3

local category, created, from, at, scan, isAnew =
  unpack(redis.call('HMGET', state, 'category', 'created', 'from', 'at', 'scan', 'anew'))
if not category or not created or redis.call('EXISTS', logs) == 0 then return {} end
if redis.call('HEXISTS', cursors, '') == 0 then return {} end
at, scan = at or '', scan or ''
if at ~= fromAt or scan ~= fromScan or redis.call('HGET', told, '') ~= at then return { 0, at } end

local function note(log, first, last, cursor, place)
  if not cursor and from == 'now' then
    if what == 'marks' or isAnew then
      -- It may have been there before the group.
      if isBelow(first, created) then first = created end
      if isBelow(last, first) then return end
    end
    redis.call('HSET', cursors, log, '~' .. first)
  elseif cursor and string.sub(cursor, 1, 1) ~= '~' then
    -- The marks also tell of logs that have lost what was done.
    if cursor == last or what ~= 'marks' and not isBelow(cursor, last) then return end
  end
  redis.call('HSET', told, log, last)
  if not place then queue(logs, queued, log) end
end

for start = 6, #ARGV, CHUNK * WIDTH do
  local names = {}
  for position = start, math.min(start + (CHUNK - 1) * WIDTH, #ARGV), WIDTH do
    names[#names + 1] = ARGV[position]
  end
  local places = redis.call('HMGET', queued, unpack(names))
  local done = redis.call('HMGET', cursors, unpack(names))
  for index, log in ipairs(names) do
    local position = start + (index - 1) * WIDTH
    note(log, ARGV[position + 1], ARGV[position + 2], done[index], places[index])
  end
end

redis.call('HSET', state, 'at', toAt, 'scan', toScan)
if what == 'lost' then redis.call('HSET', state, 'anew', '1') end
if toAt ~= at then redis.call('HSET', told, '', toAt) end
return { 1 }
