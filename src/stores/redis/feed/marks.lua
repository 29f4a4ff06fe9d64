--[[
Goes over the feed's marks, a step at a time: how far the feed knows each log that there is.

KEYS
  1  the feed's marks (hash): see append.lua
ARGV
  1  where to go on, from 0   2  how many at most (about)   3  what the names asked for start with

Returns { where to go on, or 0 at the end, log, last, log, last, … }
]]
local prefix = ARGV[3]
local page = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
local answer, fields = { page[1] }, page[2]
for index = 1, #fields, 2 do
  local log, last = fields[index], fields[index + 1]
  -- Beside the logs there are notes.
  local isLog = log ~= '' and string.find(last, '^%d+%-%d+$')
  if isLog and string.sub(log, 1, #prefix) == prefix then
    answer[#answer + 1], answer[#answer + 2] = log, last
  end
end
return answer
