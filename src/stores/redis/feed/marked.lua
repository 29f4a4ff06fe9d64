--[[
Says up to where the feed knows some logs. Where feed and marks are not of each other, because
somebody has removed or put back one of them, both go, and the feed is built anew from the logs.

KEYS
  1  the feed (stream)
  2  the feed's marks (hash)
ARGV
  the names of the logs

Returns for each the last event ID that the feed tells of; 0-0 for none
]]
local call = redis.call
local feedKey, marksKey = KEYS[1], KEYS[2]

local marks = call('HMGET', marksKey, '', unpack(ARGV))
local lastEntry = table.remove(marks, 1)

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
  marks = {}
end
for number = 1, #ARGV do marks[number] = marks[number] or '0-0' end
return marks
