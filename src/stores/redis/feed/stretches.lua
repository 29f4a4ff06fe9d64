--[[
Reads the index of the feed from a place on: which logs have grown and how far, without their events.

Invariants
  1. Writes nothing, and touches nothing but the feed.
  2. Stops before a hole in the feed: the next call tells of it.

KEYS
  1  the feed (stream): see append.lua. `0-<position>` is the ID of an entry
ARGV
  1  the position of the place: how many entries were read to their end
  2  how many entries at most
  3  what the names of the logs asked for start with

Returns { facts, log, 'first last', log, 'first last', … }
  facts  'next end log last endLog endLast to toLog toLast': the first entry after the place, and the
         last that was given out; how these end: the entry at the place, and that last one; up to
         which entry this reads, and how that ends (- - for an entry that is not there, or was not read)
]]
local call = redis.call
local sub, match = string.sub, string.match

local feed = KEYS[1]
-- An entry tells of one log or of hundreds.
local CHUNK, MOST_STRETCHES = 32, 1000
local position, most, prefix = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]

local function positionOf(id)
  local milliseconds, sequence = match(id, '^(%d+)-(%d+)$')
  -- Entries of another kind: the reader is told by an impossible position.
  return milliseconds == '0' and tonumber(sequence) or -1
end

-- How an entry ends. A log's name has no spaces: others might have added anything.
local function markOf(entry)
  if not entry then return '- -' end
  local fields = entry[2]
  local log, last = fields[#fields - 1], match(fields[#fields], '^%S+ (%S+)$')
  if not last or not match(log, '^%S+$') then return '- -' end
  return log .. ' ' .. last
end

local stream, refusal = streamFacts(feed)
if not stream then return refusal end
local finish = positionOf(stream['last-generated-id'] or '0-0')
local lastEntry = stream['last-entry']

local function rangeFrom(first, last, count)
  return call('XRANGE', feed, '0-' .. string.format('%.0f', first), last, 'COUNT', count)
end

local placeMark = '- -'
if position > 0 and position <= finish then
  placeMark = markOf(rangeFrom(position, '0-' .. ARGV[1], 1)[1])
end

local answer = { '' }
local next, to, last = finish + 1, position, nil

local function take(entry)
  to, last = to + 1, entry
  local fields = entry[2]
  for index = 1, #fields, 2 do
    if prefix == '' or sub(fields[index], 1, #prefix) == prefix then
      answer[#answer + 1], answer[#answer + 2] = fields[index], fields[index + 1]
    end
  end
end

local function read()
  while to < finish and to - position < most and #answer < 2 * MOST_STRETCHES do
    local asked = math.min(CHUNK, most - (to - position))
    local entries = rangeFrom(to + 1, '+', asked)
    if to == position and entries[1] then next = positionOf(entries[1][1]) end
    for number = 1, #entries do
      if positionOf(entries[number][1]) ~= to + 1 then return end
      take(entries[number])
    end
    if #entries < asked then return end
  end
end
read()

-- One that others have deleted was given out, too.
local endMark = markOf(lastEntry and positionOf(lastEntry[1]) == finish and lastEntry)
answer[1] = string.format(
  '%.0f %.0f %s %s %.0f %s', next, finish, placeMark, endMark, to, markOf(last)
)
return answer
