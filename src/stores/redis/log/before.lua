--[[
Passes the newest events of a log, without giving them out, to find the place before them. Redis
knows no shorter way than past each of them, so a call goes a bounded step, and says where it got to.

Invariants
  1. Writes nothing.
  2. What a trim has still to take away is forgotten, and not passed.
  3. A step is bounded by count and by bytes, and passes one event at least, if there is one.

KEYS
  1  the log (stream)
  2  its meta (hash)
ARGV
  1  where to begin, as XREVRANGE takes it: '+', or '(' and the last ID that was passed
  2  how many events to pass at most
  3  about how many bytes of events at most

Returns { how many were passed, the ID of the last one or '0-0', 1 if no event lies before that }
]]
local key, metaKey = KEYS[1], KEYS[2]
local from, limit, maxBytes = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local stream, refusal = streamFacts(key)
if not stream then return refusal end

-- Where there are fewer altogether, none needs to be looked at.
if (stream['length'] or 0) < limit then return { 0, '0-0', 1 } end

local mark = redis.call('HGET', metaKey, 'trimmed')
local passed, bytes, last = 0, 0, '0-0'
-- Entries can be large, and all that are asked for are copied: one, then eight times as many, as
-- long as the bytes that are left have room for them.
local chunk = 1
while passed < limit and bytes < maxBytes do
  local asked = math.min(chunk, limit - passed)
  local entries = redis.call('XREVRANGE', key, from, '-', 'COUNT', asked)
  for _, entry in ipairs(entries) do
    local id, fields = entry[1], entry[2]
    if mark and not isBelow(mark, id) then return { passed, last, 1 } end
    passed, last = passed + 1, id
    for _, field in ipairs(fields) do bytes = bytes + #field end
  end
  if #entries < asked then return { passed, last, 1 } end
  from = '(' .. last
  local room = math.ceil((maxBytes - bytes) * passed / math.max(bytes, 1))
  chunk = math.max(1, math.min(chunk * 8, 512, room))
end
return { passed, last, 0 }
