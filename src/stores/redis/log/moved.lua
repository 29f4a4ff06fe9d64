--[[
Says which of some logs are not where a reader left them, without sending a single event: an XREAD
over hundreds of logs would answer with as many payloads, of any size.

  moved   it holds an event above the position
  lost    it has never given out the position, or is no log any more: it was removed, or somebody
          put an older one, or something else, into its place

Invariants
  1. Writes nothing.
  2. Bounded: it stops when it has read enough, and says how far it came.

That a log is still what it was shows in the event at the position, which one XREAD gives for many
logs at once, together with what lies above it. Where it is not there (somebody deleted it, or all
was trimmed) the version tells. Where it is large, Redis copies it several times for a look at its
ID: the caller is told, and may ask only whether the log still exists.

KEYS
  1 …  the logs (streams), each once
ARGV
  for each, the position; then for each, after which ID to read: the position itself (a glance), or the
  ID before it (a closer look)

Returns { looked, moved, lost, heavy }: how many of the logs were looked at, and of these the numbers,
from 1, of those that moved, that are lost, and whose event at the position is large
]]
local call, attempt = redis.call, redis.pcall
local unpack = unpack

local MOST_BYTES = 1048576
local MOST_LOGS_AT_ONCE = 100
local LARGE_CHUNK = 65536
local HEAVY_EVENT = 16384

local count = #KEYS
local moved, lost, heavy = {}, {}, {}
local bytes = 0

local function hasGivenOut(key, position)
  local stream = streamFacts(key) or {}
  local version = stream['last-generated-id']
  return version and not isBelow(version, position)
end

local function sizeOf(fields)
  local size = 0
  for position = 1, #fields do size = size + #fields[position] end
  return size
end

local function judge(number, events)
  local position = ARGV[number]
  if not events then
    if position == '0-0' then return end
    local isThere
    if ARGV[count + number] == position then
      isThere = call('EXISTS', KEYS[number]) == 1
    else
      isThere = hasGivenOut(KEYS[number], position)
    end
    if not isThere then lost[#lost + 1] = number end
    return
  end
  local first = events[1]
  local size = sizeOf(first[2])
  bytes = bytes + size
  if first[1] ~= position then
    moved[#moved + 1] = number
    return
  end
  if size > HEAVY_EVENT then heavy[#heavy + 1] = number end
  if events[2] then
    bytes = bytes + sizeOf(events[2][2])
    moved[#moved + 1] = number
  end
end

-- One XREAD for many logs; where one of the keys is no stream, for half of them, and so on.
local function look(from, to)
  local arguments, wanted = { 'COUNT', '2', 'STREAMS' }, to - from + 1
  for offset = 1, wanted do
    arguments[3 + offset] = KEYS[from + offset - 1]
    arguments[3 + wanted + offset] = ARGV[count + from + offset - 1]
  end
  local reply = attempt('XREAD', unpack(arguments))
  if reply and reply.err then
    if wanted > 1 then
      local middle = math.floor((from + to) / 2)
      look(from, middle)
      look(middle + 1, to)
    elseif string.find(reply.err, 'WRONGTYPE', 1, true) then
      lost[#lost + 1] = from
    end
    return
  end
  local at = 1
  for number = from, to do
    local log = reply and reply[at]
    if log and log[1] == KEYS[number] then
      at = at + 1
      judge(number, log[2])
    else
      judge(number, nil)
    end
  end
end

-- One at first: all of them could be large, and Redis copies what it reads before it can be counted.
local looked, chunk = 0, 1
while looked < count and bytes < MOST_BYTES do
  local before = bytes
  local to = math.min(looked + chunk, count)
  look(looked + 1, to)
  looked = to
  if bytes - before > LARGE_CHUNK then
    chunk = math.max(1, math.floor(chunk / 4))
  else
    chunk = math.min(chunk * 5, MOST_LOGS_AT_ONCE)
  end
end
return { looked, moved, lost, heavy }
