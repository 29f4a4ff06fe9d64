--[[
Tells the feed of events that others added with a plain XADD, of logs that nobody appends to.

Invariants
  1. As with an append: what the feed is told of a log starts with its first event above the mark,
     and entry and marks are written together. So it may be repeated, and run beside appends.
  2. Sends no event. A key that is no stream, or holds nothing above its mark, costs next to nothing.

KEYS
  1    the feed (stream)
  2    the feed's marks (hash)
  3 …  logs (streams)

Returns how many of the logs had something new
]]
local call, attempt = redis.call, redis.pcall
local feedKey, marksKey = KEYS[1], KEYS[2]
-- See append.lua.
local MARKS_NOTE = 'For each log, the last event ID that the feed tells of. Written by append.lua.'

local names = {}
for number = 3, #KEYS do names[number - 2] = string.sub(KEYS[number], 1, -5) end
local indexed = call('HMGET', marksKey, '', unpack(names))
local lastEntry = table.remove(indexed, 1)

-- Whether the feed ends where the marks say. Those of an early version say something else.
local function isAsMarked()
  if lastEntry and not string.find(lastEntry, '^0%-%d+$') then return true end
  local last = call('XREVRANGE', feedKey, '+', '-', 'COUNT', '1')[1]
  -- One that is not ours is left alone: readers say what is wrong with it.
  if last and string.sub(last[1], 1, 2) ~= '0-' then return true end
  return lastEntry and streamFacts(feedKey)['last-generated-id'] == lastEntry
end

local feedType = call('TYPE', feedKey).ok
if feedType == 'none' and lastEntry or feedType == 'stream' and not isAsMarked() then
  call('UNLINK', feedKey, marksKey)
  indexed = {}
end

local entry, marks, found = {}, { '', '', '#', MARKS_NOTE }, 0

local function index(key, first)
  local name = string.sub(key, 1, -5)
  local last = call('XREVRANGE', key, '+', '-', 'COUNT', '1')[1][1]
  found = found + 1
  entry[2 * found - 1], entry[2 * found] = name, first .. ' ' .. last
  marks[2 * found + 3], marks[2 * found + 4] = name, last
end

-- One XREAD for many logs; where one of the keys is no stream, for half of them, and so on.
local function look(from, to)
  local arguments, count = { 'COUNT', '1', 'STREAMS' }, to - from + 1
  for offset = 1, count do
    arguments[3 + offset] = KEYS[1 + from + offset]
    arguments[3 + count + offset] = indexed[from + offset - 1] or '0-0'
  end
  local moved = attempt('XREAD', unpack(arguments))
  if not moved then return end
  if not moved.err then
    for _, log in ipairs(moved) do index(log[1], log[2][1][1]) end
  elseif count > 1 then
    local middle = math.floor((from + to) / 2)
    look(from, middle)
    look(middle + 1, to)
  end
end
look(1, #names)

if found > 0 then
  local id = call('XADD', feedKey, '0-*', unpack(entry))
  marks[2] = id
  call('HSET', marksKey, unpack(marks))
end
return found
