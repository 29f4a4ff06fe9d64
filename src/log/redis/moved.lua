--[[
Says which of some logs hold events above given positions, without sending a single event:
an XREAD over hundreds of logs would answer with as many payloads, of any size.

Invariants
  1. Writes nothing. A key that is no stream has not moved.

KEYS  the logs (streams)
ARGV  for each, the position above which to look

Returns the numbers (from 1) of the logs that moved
]]
local moved = {}
for number, key in ipairs(KEYS) do
  local reply = redis.pcall('XREAD', 'COUNT', 1, 'STREAMS', key, ARGV[number])
  if reply and not reply.err then moved[#moved + 1] = number end
end
return moved
