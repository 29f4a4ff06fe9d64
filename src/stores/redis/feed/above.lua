--[[
Says what lies above the feed's marks in some logs.

Invariants
  1. Writes nothing, and sends no event. A key that is no stream, or holds nothing above its mark,
     costs next to nothing.

KEYS
  1 …  the logs (streams), each once
ARGV
  for each, its mark

Returns { key, first, last, … } of those that hold something above it
]]
local call, attempt = redis.call, redis.pcall
local answer = {}

local function tell(key, first)
  local last = call('XREVRANGE', key, '+', '-', 'COUNT', '1')[1][1]
  answer[#answer + 1], answer[#answer + 2], answer[#answer + 3] = key, first, last
end

-- One XREAD for many logs; where one of the keys is no stream, for half of them, and so on.
local function look(from, to)
  local arguments, count = { 'COUNT', '1', 'STREAMS' }, to - from + 1
  for offset = 1, count do
    arguments[3 + offset] = KEYS[from + offset - 1]
    arguments[3 + count + offset] = ARGV[from + offset - 1]
  end
  local moved = attempt('XREAD', unpack(arguments))
  if not moved then return end
  if not moved.err then
    for _, log in ipairs(moved) do tell(log[1], log[2][1][1]) end
  elseif count > 1 then
    local middle = math.floor((from + to) / 2)
    look(from, middle)
    look(middle + 1, to)
  end
end
look(1, #KEYS)
return answer
