--[[
Says which of some logs hold events above given positions, without sending a single event:
an XREAD over hundreds of logs would answer with as many payloads, of any size.

Invariants
  1. Writes nothing. A key that is no stream has not moved.

KEYS  the logs (streams)
ARGV  for each, the position above which to look

Returns the keys of the logs that moved
]]
local LOGS_AT_ONCE = 100
local moved = {}

-- One XREAD for many logs; where one of the keys is no stream, for half of them, and so on.
local function look(from, to)
  local arguments, count = { 'COUNT', '1', 'STREAMS' }, to - from + 1
  for offset = 1, count do
    arguments[3 + offset] = KEYS[from + offset - 1]
    arguments[3 + count + offset] = ARGV[from + offset - 1]
  end
  local reply = redis.pcall('XREAD', unpack(arguments))
  if not reply then return end
  if not reply.err then
    for _, log in ipairs(reply) do moved[#moved + 1] = log[1] end
  elseif count > 1 then
    local middle = math.floor((from + to) / 2)
    look(from, middle)
    look(middle + 1, to)
  end
end

-- Not all at once: each log that moved shows its next event in here, and that can be large.
for from = 1, #KEYS, LOGS_AT_ONCE do
  look(from, math.min(from + LOGS_AT_ONCE - 1, #KEYS))
end
return moved
