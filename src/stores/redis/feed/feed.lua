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
  facts  'first next end log last log last isWithin': the first entry that is kept, the first after
         the cursor, the last that was given out; how the entry of ARGV 2 ends, and how that last
         one does (- - where there is none); whether the body ends within its last entry
  body   per entry:    'entry <position> <stretches> <log> <last>' LF, the latter two being how it ends
         per stretch:  '<index> <log> <whole> <complete> <bytes>' LF, then so many bytes of events:
         per event:    '<id> <length> <length> …' LF, then the strings of these lengths
]]
local call, attempt = redis.call, redis.pcall
local find, sub, match, concat = string.find, string.sub, string.match, table.concat
local unpack = unpack

local feedKey = KEYS[1]
local position, marked = tonumber(ARGV[1]), tonumber(ARGV[2])
local fromStretch, fromEvent = tonumber(ARGV[3]), ARGV[4]
local limit, maxBytes = tonumber(ARGV[5]), tonumber(ARGV[6])
local prefix = ARGV[7]

local MOST_STRETCHES = 4096
local MOST_EVENTS_AT_ONCE = 512
local MOST_STREAMS_AT_ONCE = 100

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

-- How many events there are from `first` to `last` at the least.
local function leastCount(first, last)
  if first == last then return 1 end
  local milliseconds, from = match(first, '(%d+)-(%d+)')
  local sameMilliseconds, to = match(last, '(%d+)-(%d+)')
  if milliseconds ~= sameMilliseconds then return 2 end
  return tonumber(to) - tonumber(from) + 1
end

-- 1. The feed itself.

local function endOf(fields)
  return fields[#fields - 1], match(fields[#fields], ' (.+)$')
end

local stream, refusal = streamFacts(feedKey)
if not stream then return refusal end
local finish = positionOf(stream['last-generated-id'] or '0-0')
local firstEntry = stream['first-entry']
local firstKept = firstEntry and positionOf(firstEntry[1]) or finish + 1

-- Not when it was removed, and others stay.
local endLog, endLast = '-', '-'
local lastKept = stream['last-entry']
if finish > 0 and lastKept and positionOf(lastKept[1]) == finish then
  endLog, endLast = endOf(lastKept[2])
end

local markLog, markLast = '-', '-'
if marked > 0 then
  local entry = call('XRANGE', feedKey, '0-' .. asText[marked], '0-' .. asText[marked])[1]
  if entry then markLog, markLast = endOf(entry[2]) end
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
  repeat
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
          local range = fields[field + 1]
          local space = find(range, ' ', 1, true)
          local first, last = sub(range, 1, space - 1), sub(range, space + 1)
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
  until wanted >= limit or seen >= MOST_STRETCHES
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
    maxDeleted[name] = streamFacts(name .. ':log')['max-deleted-entry-id']
  end
  return isBelow(maxDeleted[name], first)
end

-- A call costs as much as reading an event. So where a log has but one event to give, which is
-- usual with many logs, one XREAD gets those of many logs. It takes the ID before as the start.
local function predecessorOf(id)
  local dash = find(id, '-', 1, true)
  local milliseconds, sequence = sub(id, 1, dash - 1), sub(id, dash + 1)
  if #sequence > 15 or #milliseconds > 15 then return nil end
  if sequence ~= '0' then return milliseconds .. '-' .. asText[tonumber(sequence) - 1] end
  if milliseconds == '0' then return nil end
  return asText[tonumber(milliseconds) - 1] .. '-18446744073709551615'
end

local isWorthLooking = true

local function fetchSingles(from)
  local keys, starts, names, wanted = {}, {}, {}, 0
  local most = math.min(allowed, MOST_STREAMS_AT_ONCE)
  local number = from
  while wanted < most and number <= stretchCount do
    local name, first = nameOf[number], startOf[number]
    if expected[name] == 1 and not queue[name] and first == lastOf[number] then
      local start = predecessorOf(first)
      if start then
        wanted = wanted + 1
        names[wanted], keys[wanted], starts[wanted] = number, name .. ':log', start
      end
    end
    number = number + 1
  end
  if wanted < 2 then
    isWorthLooking = number <= stretchCount
    return
  end
  local arguments = { 'COUNT', '1', 'STREAMS' }
  for at = 1, wanted do
    arguments[3 + at], arguments[3 + wanted + at] = keys[at], starts[at]
  end
  local reply = attempt('XREAD', unpack(arguments))
  if reply and reply.err then return end
  for at = 1, wanted do
    local name = nameOf[names[at]]
    queue[name], head[name], isExhausted[name] = {}, 1, true
  end
  if not reply then return end
  for at = 1, #reply do
    local found = reply[at]
    queue[sub(found[1], 1, -5)] = found[2]
  end
end

local parts, partCount = {}, 0
local isFull = false
local lastEntry

local function begin(entry)
  partCount = partCount + 1
  parts[partCount] = 'entry ' .. asText[entry[1]] .. ' ' .. asText[entry[2]] .. ' '
    .. entry[3] .. ' ' .. entry[4] .. '\n'
  lastEntry = entry
end

-- The event as it is handed out, and its size without the ID.
local function format(event)
  local fields = event[2]
  local a, b, c, d, more = unpack(fields, 1, 5)
  if d and not more then
    -- The usual one, with nothing but type and payload: one string, made in one go.
    local w, x, y, z = #a, #b, #c, #d
    return event[1] .. ' ' .. asText[w] .. ' ' .. asText[x] .. ' ' .. asText[y] .. ' ' .. asText[z]
      .. '\n' .. a .. b .. c .. d, w + x + y + z
  end
  local header, length = event[1], 0
  for position = 1, #fields do
    local bytesOf = #fields[position]
    header = header .. ' ' .. asText[bytesOf]
    length = length + bytesOf
  end
  return header .. '\n' .. concat(fields), length
end

local function countIn(length)
  count, bytes = count + 1, bytes + length
  if allowed < MOST_EVENTS_AT_ONCE or bytes * 2 > maxBytes then
    local room = math.ceil((maxBytes - bytes) * count / (bytes + 1))
    allowed = math.max(1, math.min(allowed * 8, room))
  end
end

-- The usual stretch: one event. Answers whether it was one.
local function giveSingle(number)
  local name, id = nameOf[number], lastOf[number]
  if id ~= startOf[number] then return false end
  local entry = entryOf[number]
  if fromEvent ~= '0-0' and entry[1] == position + 1 and indexOf[number] == fromStretch then
    return false
  end
  if isWorthLooking and not queue[name] and expected[name] == 1 then fetchSingles(number) end
  local at = head[name]
  local event = at and queue[name][at]
  if not event or event[1] ~= id then return false end
  local text, length = format(event)
  if count > 0 and bytes + length > maxBytes then
    isFull = true
    return true
  end
  head[name] = at + 1
  countIn(length)
  if entry ~= lastEntry then begin(entry) end
  parts[partCount + 1] = asText[indexOf[number]] .. ' ' .. name .. ' 1 1 ' .. asText[#text] .. '\n'
  partCount = partCount + 2
  parts[partCount] = text
  return true
end

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
        local text, length = format(event)
        if count >= limit or (count > 0 and bytes + length > maxBytes) then
          isFull = true
          complete = '0'
          break
        end
        head[name] = at + 1
        firstFound = firstFound or id
        lastFound = id
        countIn(length)
        taken = taken + 1
        events[taken] = text
        size = size + #text
      end
    end
  end
  if isFull and taken == 0 then return end

  local whole = '0'
  local until_ = complete == '1' and last or lastFound
  if firstFound == start and lastFound == until_ and (taken > 0 or resumed) then
    if isWhole(name, start, until_, taken + (resumed and 1 or 0)) then whole = '1' end
  end
  if entry ~= lastEntry then begin(entry) end
  parts[partCount + 1] = asText[indexOf[number]] .. ' ' .. name .. ' ' .. whole .. ' ' .. complete
    .. ' ' .. asText[size] .. '\n'
  for index = 1, taken do parts[partCount + 1 + index] = events[index] end
  partCount = partCount + 1 + taken
end

local isWithin = '0'
for number = 1, stretchCount do
  if count >= limit then isFull = true end
  if not isFull and not giveSingle(number) then give(number) end
  if isFull then
    -- Within the entry that the last stretch belongs to, unless that was its last one.
    if lastEntry and entryOf[number] == lastEntry then isWithin = '1' end
    break
  end
end
if not isFull and #entries > 0 and entries[#entries] ~= lastEntry then
  -- Nothing in the last ones was asked for.
  begin(entries[#entries])
end

local facts = table.concat({
  asText[firstKept], asText[nextKept], asText[finish], markLog, markLast, endLog, endLast, isWithin,
}, ' ')
return { facts, table.concat(parts) }
