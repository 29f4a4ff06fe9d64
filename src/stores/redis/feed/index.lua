--[[
Tells the feed of events that others added with a plain XADD, of logs that nobody appends to.

Invariants
  1. As with an append: what the feed is told of a log starts with its first event above the mark,
     and entry and marks are written together.
  2. A log whose mark is not what it was when one looked was told of meanwhile, and is left out. So
     it may be repeated, and run beside appends and others that do the same.
  3. Writes nothing where feed and marks are not of each other: see marked.lua.

KEYS
  1  the feed (stream)
  2  the feed's marks (hash)
ARGV
  for each log its name, the mark, and the first and last event above it

Returns how many of the logs it told of
]]
local call = redis.call
local feedKey, marksKey = KEYS[1], KEYS[2]
-- See append.lua.
local MARKS_NOTE = 'For each log, the last event ID that the feed tells of. Written by append.lua.'

local names = {}
for at = 1, #ARGV, 4 do names[#names + 1] = ARGV[at] end
local current = call('HMGET', marksKey, '', unpack(names))
-- Somebody may have removed one of both since one looked: the next look makes them one again.
local lastEntry, stream = table.remove(current, 1), streamFacts(feedKey)
if not stream then return 0 end
local feedEnd = stream['last-generated-id'] or false
-- Those of an early version do not name the feed's last entry.
local isUnnamed = feedEnd and lastEntry and not string.find(lastEntry, '^0%-%d+$')
if lastEntry ~= feedEnd and not isUnnamed then return 0 end

local entry, marks, found = {}, { '', '', '#', MARKS_NOTE }, 0
for number = 1, #names do
  local at = 4 * number - 3
  if (current[number] or '0-0') == ARGV[at + 1] then
    found = found + 1
    entry[2 * found - 1], entry[2 * found] = names[number], ARGV[at + 2] .. ' ' .. ARGV[at + 3]
    marks[2 * found + 3], marks[2 * found + 4] = names[number], ARGV[at + 3]
  end
end
if found > 0 then
  local id = call('XADD', feedKey, '0-*', unpack(entry))
  marks[2] = id
  call('HSET', marksKey, unpack(marks))
end
return found
