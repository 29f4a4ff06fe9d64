--[[
Reads a page of the feed together with the events that it tells of.

Invariants
  1. Writes nothing.
  2. The answer is bounded by count and by bytes; one event is always given if one is found. How
     many entries are gone through is bounded too, whatever the category asked for.
  3. Stretches come in feed order. A log is read once for all of its stretches in here, as far as
     bytes allow: those that are neighbours in the feed adjoin.
  4. It stops before a hole in the feed: only the next page can tell of that.
  5. A log that cannot be read is a stretch without events. It must not stop the feed.

KEYS
  1  the feed (stream): see append.lua. `0-<position>` is the ID of an entry
ARGV
  1  the position of the cursor: how many entries were read to their end
  2  the position of the entry whose end is to be told; 0 for none
  3  which stretch of the entry after the cursor to begin with, from 0
  4  after which event of that stretch; 0-0 for all of it
  5  how many events at most
  6  how many bytes at most
  7  what the names of the logs asked for start with

Returns { facts, body }
  facts  'first next end log last isWithin': the first entry that is kept, the first after the
         cursor, the last that was given out (- for none); how the entry of ARGV 2 ends (- - for
         none); whether the body ends within its last entry
  body   per entry:    'entry <position> <stretches> <log> <last>' LF, the latter two being how it ends
         per stretch:  '<index> <log> <whole> <complete> <bytes>' LF, then so many bytes of events:
         per event:    '<id> <length> <length> …' LF, then the strings of these lengths
]]
local call, attempt = redis.call, redis.pcall
local find, sub, match = string.find, string.sub, string.match

local feedKey = KEYS[1]
local position, marked = tonumber(ARGV[1]), tonumber(ARGV[2])
local fromStretch, fromEvent = tonumber(ARGV[3]), ARGV[4]
local limit, maxBytes = tonumber(ARGV[5]), tonumber(ARGV[6])
local prefix = ARGV[7]

local MOST_STRETCHES = 4096
local MOST_EVENTS_AT_ONCE = 512

-- Lua formats a number anew each time, and lengths repeat.
local asText = setmetatable({}, {
  __index = function(texts, number)
    local text = string.format('%.0f', number)
    texts[number] = text
    return text
  end,
})

local function positionOf(id)
  local milliseconds, sequence = match(id, '^(%d+)-(%d+)$')
  -- Entries of another kind: the reader is told by an impossible position.
  return milliseconds == '0' and tonumber(sequence) or -1
end

-- Decimals without leading zeros order by length, then as text.
local function isBelow(a, b)
  local aLeft, aRight = match(a, '(%d+)-(%d+)')
  local bLeft, bRight = match(b, '(%d+)-(%d+)')
  if aLeft ~= bLeft then
    return #aLeft < #bLeft or (#aLeft == #bLeft and aLeft < bLeft)
  end
  return #aRight < #bRight or (#aRight == #bRight and aRight < bRight)
end

-- How many events there are from `first` to `last` at the least.
local function leastCount(first, last)
  if first == last then return 1 end
  local milliseconds, from = match(first, '(%d+)-(%d+)')
  local sameMilliseconds, to = match(last, '(%d+)-(%d+)')
  if milliseconds ~= sameMilliseconds then return 2 end
  return tonumber(to) - tonumber(from) + 1
end

-- 1. The feed itself.

local info = attempt('XINFO', 'STREAM', feedKey)
local firstKept, finish = 1, 0
if info.err then
  if not find(info.err, 'no such key', 1, true) then return info end
else
  for index = 1, #info, 2 do
    if info[index] == 'last-generated-id' then finish = positionOf(info[index + 1]) end
    if info[index] == 'first-entry' then
      firstKept = info[index + 1] and positionOf(info[index + 1][1]) or nil
    end
  end
  firstKept = firstKept or finish + 1
end

local markLog, markLast = '-', '-'
if marked > 0 then
  local entry = call('XRANGE', feedKey, '0-' .. asText[marked], '0-' .. asText[marked])[1]
  if entry then
    local fields = entry[2]
    markLog, markLast = fields[#fields - 1], match(fields[#fields], ' (.+)$')
  end
end

-- 2. Which stretches to read.

local stretchCount = 0
local entryOf, indexOf, nameOf, startOf, lastOf = {}, {}, {}, {}, {}
local entries = {} -- in feed order
local expected = {} -- per log: how many events at least
local groupEnd = {} -- per log: the last ID
local nextKept = finish + 1

local function collect()
  local wanted, seen, at, chunk = 0, 0, position, 8
  while wanted < limit and seen < MOST_STRETCHES do
    local batch = call('XRANGE', feedKey, '0-' .. asText[at + 1], '+', 'COUNT', chunk)
    for number = 1, #batch do
      local here = positionOf(batch[number][1])
      if at == position and number == 1 then nextKept = here end
      if here ~= at + 1 or wanted >= limit or seen >= MOST_STRETCHES then return end
      at = here
      local fields = batch[number][2]
      local entry = { here, #fields / 2, fields[#fields - 1], match(fields[#fields], ' (.+)$') }
      entries[#entries + 1] = entry
      local skip = here == position + 1 and fromStretch or 0
      for field = 1 + 2 * skip, #fields, 2 do
        local name = fields[field]
        seen = seen + 1
        if prefix == '' or sub(name, 1, #prefix) == prefix then
          local first, last = match(fields[field + 1], '^(%S+) (%S+)$')
          stretchCount = stretchCount + 1
          entryOf[stretchCount], indexOf[stretchCount] = entry, (field - 1) / 2
          nameOf[stretchCount], startOf[stretchCount], lastOf[stretchCount] = name, first, last
          local count = leastCount(first, last)
          wanted = wanted + count
          expected[name] = (expected[name] or 0) + count
          groupEnd[name] = last
        end
      end
    end
    if #batch < chunk then return end
    chunk = math.min(256, math.max(1, math.ceil((limit - wanted) * #entries / math.max(seen, 1))))
  end
end
collect()

-- 3. Their events.

local queue, head, reached, isExhausted, lastAsked = {}, {}, {}, {}, {} -- per log
local count, bytes = 0, 0
local allowed = 1
local maxDeleted = {}

local function fetch(name, start)
  -- More each time: a stretch of several milliseconds can hold any number.
  local asked = math.max(expected[name], 1, (lastAsked[name] or 0) * 4)
  asked = math.min(asked, allowed, MOST_EVENTS_AT_ONCE)
  lastAsked[name] = asked
  local from = reached[name] and '(' .. reached[name] or start
  local reply = attempt('XRANGE', name .. ':log', from, groupEnd[name], 'COUNT', asked)
  if reply.err then reply = {} end
  if #reply < asked then isExhausted[name] = true end
  if #reply > 0 then reached[name] = reply[#reply][1] end
  if reached[name] == groupEnd[name] then isExhausted[name] = true end
  expected[name] = expected[name] - #reply
  queue[name], head[name] = reply, 1
end

-- Whether no event is missing from `first` to `last`, of which `found` were found, these two among them.
local function isWhole(name, first, last, found)
  if first == last then return true end
  local milliseconds, from = match(first, '(%d+)-(%d+)')
  local sameMilliseconds, to = match(last, '(%d+)-(%d+)')
  if milliseconds == sameMilliseconds and tonumber(to) - tonumber(from) + 1 == found then
    return true
  end
  if not maxDeleted[name] then
    local facts = call('XINFO', 'STREAM', name .. ':log')
    for index = 1, #facts, 2 do
      if facts[index] == 'max-deleted-entry-id' then maxDeleted[name] = facts[index + 1] end
    end
  end
  return isBelow(maxDeleted[name], first)
end

local parts = {}
local isFull = false
local lastEntry

local function give(number)
  local name, start, last = nameOf[number], startOf[number], lastOf[number]
  local entry = entryOf[number]
  local resumed = entry[1] == position + 1 and indexOf[number] == fromStretch and fromEvent ~= '0-0'
  -- A stretch that was begun is read with the event that was last read: is it still there?
  if resumed then start = fromEvent end

  local events, size, taken = {}, 0, 0
  local firstFound, lastFound
  local complete = '1'
  while lastFound ~= last do
    local at = head[name]
    local event = at and queue[name][at]
    if not event then
      if isExhausted[name] then break end
      fetch(name, start)
    else
      local id = event[1]
      if id ~= last and isBelow(last, id) then break end
      if id ~= start and isBelow(id, start) then
        -- It is in no stretch; somebody has changed the marks.
        head[name] = at + 1
      elseif resumed and id == start then
        head[name] = at + 1
        firstFound = id
        lastFound = id
      else
        local fields = event[2]
        local length, lengths = 0, {}
        for position = 1, #fields do
          local bytesOf = #fields[position]
          lengths[position] = asText[bytesOf]
          length = length + bytesOf
        end
        if count >= limit or (count > 0 and bytes + length > maxBytes) then
          isFull = true
          complete = '0'
          break
        end
        head[name] = at + 1
        firstFound = firstFound or id
        lastFound = id
        count, bytes, taken = count + 1, bytes + length, taken + 1
        local text = id .. ' ' .. table.concat(lengths, ' ') .. '\n' .. table.concat(fields)
        events[taken] = text
        size = size + #text
        allowed = math.min(allowed * 8, math.max(1, math.ceil((maxBytes - bytes) * count / (bytes + 1))))
      end
    end
  end
  if isFull and taken == 0 then return end

  local whole = '0'
  local until_ = complete == '1' and last or lastFound
  if firstFound == start and lastFound == until_ and (taken > 0 or resumed) then
    if isWhole(name, start, until_, taken + (resumed and 1 or 0)) then whole = '1' end
  end
  if entry ~= lastEntry then
    parts[#parts + 1] = 'entry ' .. asText[entry[1]] .. ' ' .. asText[entry[2]] .. ' '
      .. entry[3] .. ' ' .. entry[4] .. '\n'
    lastEntry = entry
  end
  parts[#parts + 1] = asText[indexOf[number]] .. ' ' .. name .. ' ' .. whole .. ' ' .. complete .. ' '
    .. asText[size] .. '\n'
  for index = 1, taken do parts[#parts + 1] = events[index] end
end

local isWithin = '0'
for number = 1, stretchCount do
  if count >= limit then isFull = true end
  if not isFull then give(number) end
  if isFull then
    -- Within the entry that the last stretch belongs to, unless that was its last one.
    if lastEntry and entryOf[number] == lastEntry then isWithin = '1' end
    break
  end
end
if not isFull and #entries > 0 and entries[#entries] ~= lastEntry then
  -- Nothing in the last ones was asked for.
  local entry = entries[#entries]
  parts[#parts + 1] = 'entry ' .. asText[entry[1]] .. ' ' .. asText[entry[2]] .. ' '
    .. entry[3] .. ' ' .. entry[4] .. '\n'
end

local facts = table.concat({
  asText[firstKept], asText[nextKept], asText[finish], markLog, markLast, isWithin,
}, ' ')
return { facts, table.concat(parts) }
