--[[
Reads a page of a log, and at the same moment what decides whether the reader's cursor still holds.

Invariants
  1. Writes nothing.
  2. The answer is bounded by count and by bytes; one event is always given, whatever its size.
  3. What the page says about the log (version, first event, marks) is of the same moment as its events.
  4. A trim takes away in steps. What it has still to take is forgotten all the same: it is not
     given, and a cursor below the mark is not held.

KEYS
  1  the log (stream)
  2  its meta (hash)
ARGV
  1  start of the range as XRANGE or XREVRANGE takes it
  2  end of the range, likewise
  3  how many events at most
  4  how many bytes at most
  5  '1' for newest first
  6  the cursor, when its own event is to be looked for, or ''; a range that begins with that very
     ID meets it there, and does not give it

Returns { facts, entries }
  facts    'version first maxDeleted added length trimmed removed holdsCursor more'
  entries  entry after entry: '<id> <length> <length> …' LF, then the strings of these lengths
]]
local LAST_ID = '18446744073709551615-18446744073709551615'
local key, metaKey = KEYS[1], KEYS[2]
local from, to = ARGV[1], ARGV[2]
local limit, maxBytes = tonumber(ARGV[3]), tonumber(ARGV[4])
local reverse = ARGV[5] == '1'
local command = reverse and 'XREVRANGE' or 'XRANGE'
local cursor = ARGV[6]
local start = from == cursor and cursor

local stream, refusal = streamFacts(key)
if not stream then return refusal end
local meta = redis.call('HMGET', metaKey, 'trimmed', 'removed')

local holdsCursor, more = '0', '0'
local parts = {}
local count, bytes = 0, 0

-- Lua formats a number anew each time, and lengths repeat.
local asText = setmetatable({}, {
  __index = function(texts, number)
    local text = string.format('%.0f', number)
    texts[number] = text
    return text
  end,
})

-- How many to ask for: one, then eight times as many, as long as the bytes that are left have room
-- for them. Entries can be large, and all that are asked for are copied, whether they fit or not.
local chunk = 1
local seen, seenBytes = 0, 0
local done = not stream['last-generated-id']

local mark = meta[1]
if mark then
  if cursor ~= '' and isBelow(cursor, mark) then cursor = '' end
  local lowest = string.match(reverse and to or from, '%d.*')
  if isBelow(lowest, mark) then
    -- Redis takes no start after the last possible ID.
    if mark == LAST_ID then done = true end
    if reverse then to = '(' .. mark else from = '(' .. mark end
  end
end
while not done do
  local asked = math.min(chunk, limit - count + 1)
  local entries = redis.call(command, key, from, to, 'COUNT', asked)
  for _, entry in ipairs(entries) do
    local id, fields = entry[1], entry[2]
    local size, lengths = 0, {}
    for position, field in ipairs(fields) do
      lengths[position] = asText[#field]
      size = size + #field
    end
    seen, seenBytes = seen + 1, seenBytes + size
    if id == cursor then holdsCursor = '1' end
    if id ~= start then
      if count >= limit or (count > 0 and bytes + size > maxBytes) then
        more = '1'
        done = true
        break
      end
      count = count + 1
      bytes = bytes + size
      parts[#parts + 1] = id .. ' ' .. table.concat(lengths, ' ') .. '\n'
      parts[#parts + 1] = table.concat(fields)
    end
  end
  if #entries < asked then done = true end
  -- Redis takes no start after the last possible ID.
  if not done and entries[#entries][1] == LAST_ID then done = true end
  if not done then
    from = '(' .. entries[#entries][1]
    local room = math.ceil((maxBytes - bytes) * seen / math.max(seenBytes, 1))
    chunk = math.max(1, math.min(chunk * 8, 512, room))
  end
end

-- A range that ends before the cursor has not met it.
if cursor ~= '' and holdsCursor == '0' and #redis.call('XRANGE', key, cursor, cursor) > 0 then
  holdsCursor = '1'
end

local first = stream['first-entry']
local facts = table.concat({
  stream['last-generated-id'] or '0-0',
  first and first[1] or '-',
  stream['max-deleted-entry-id'] or '0-0',
  string.format('%.0f', stream['entries-added'] or 0),
  string.format('%.0f', stream['length'] or 0),
  mark or '0-0',
  meta[2] or '0',
  holdsCursor,
  more,
}, ' ')
return { facts, table.concat(parts) }
