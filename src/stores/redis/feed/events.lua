--[[
Reads the events that entries of the feed tell of, stretch by stretch, until the answer is full.

Invariants
  1. Writes nothing.
  2. The answer is bounded by count and by bytes; one event is always given if one is found.
  3. A log is read once for all of its stretches in here, as far as bytes allow: those that are
     neighbours in the feed adjoin.
  4. A log that cannot be read is a stretch without events. It must not stop the feed.

KEYS
  1 …  the logs (streams), each once
ARGV
  1  how many events at most
  2  how many bytes at most
  3  after which event of the first stretch; 0-0 for all of it
  4  the stretches in feed order, each '<number of its log> <first> <last>' LF

Returns for each stretch, as far as it came: '<whole> <complete> <bytes>' LF, then so many bytes of
events, per event: '<id> <length> <length> …' LF, then the strings of these lengths
]]
local call, attempt = redis.call, redis.pcall
local find, sub, match, concat = string.find, string.sub, string.match, table.concat
local unpack = unpack

local limit, maxBytes = tonumber(ARGV[1]), tonumber(ARGV[2])
local fromEvent = ARGV[3]

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

-- 1. Which stretches to read.

local stretchCount = 0
local keyOf, startOf, lastOf = {}, {}, {}
local expected = {} -- per log, by its key: how many events at least
local groupEnd = {} -- per log: the last ID

for number, first, last in string.gmatch(ARGV[4], '(%d+) (%S+) (%S+)\n') do
  local key = KEYS[tonumber(number)]
  stretchCount = stretchCount + 1
  keyOf[stretchCount], startOf[stretchCount], lastOf[stretchCount] = key, first, last
  expected[key] = (expected[key] or 0) + leastCount(first, last)
  groupEnd[key] = last
end

-- 2. Their events.

local queue, head, reached, isExhausted, lastAsked = {}, {}, {}, {}, {} -- per log
local count, bytes = 0, 0
local allowed = 1
local maxDeleted = {}

local function fetch(key, start)
  -- More each time: a stretch of several milliseconds can hold any number.
  local asked = math.max(expected[key], 1, (lastAsked[key] or 0) * 4)
  asked = math.min(asked, allowed, MOST_EVENTS_AT_ONCE)
  lastAsked[key] = asked
  local from = reached[key] and '(' .. reached[key] or start
  local reply = attempt('XRANGE', key, from, groupEnd[key], 'COUNT', asked)
  if reply.err then reply = {} end
  if #reply < asked then isExhausted[key] = true end
  if #reply > 0 then reached[key] = reply[#reply][1] end
  if reached[key] == groupEnd[key] then isExhausted[key] = true end
  expected[key] = expected[key] - #reply
  queue[key], head[key] = reply, 1
end

-- Whether no event is missing from `first` to `last`, of which `found` were found, these two among them.
local function isWhole(key, first, last, found)
  if first == last then return true end
  local milliseconds, from = match(first, '(%d+)-(%d+)')
  local sameMilliseconds, to = match(last, '(%d+)-(%d+)')
  if milliseconds == sameMilliseconds and tonumber(to) - tonumber(from) + 1 == found then
    return true
  end
  if not maxDeleted[key] then maxDeleted[key] = streamFacts(key)['max-deleted-entry-id'] end
  return isBelow(maxDeleted[key], first)
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
  local keys, starts, wanted = {}, {}, 0
  local most = math.min(allowed, MOST_STREAMS_AT_ONCE)
  local number = from
  while wanted < most and number <= stretchCount do
    local key, first = keyOf[number], startOf[number]
    if expected[key] == 1 and not queue[key] and first == lastOf[number] then
      local start = predecessorOf(first)
      if start then
        wanted = wanted + 1
        keys[wanted], starts[wanted] = key, start
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
    local key = keys[at]
    queue[key], head[key], isExhausted[key] = {}, 1, true
  end
  if not reply then return end
  for at = 1, #reply do
    local found = reply[at]
    queue[found[1]] = found[2]
  end
end

local parts, partCount = {}, 0
local isFull = false

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
  local key, id = keyOf[number], lastOf[number]
  if id ~= startOf[number] or (number == 1 and fromEvent ~= '0-0') then return false end
  if isWorthLooking and not queue[key] and expected[key] == 1 then fetchSingles(number) end
  local at = head[key]
  local event = at and queue[key][at]
  if not event or event[1] ~= id then return false end
  local text, length = format(event)
  if count > 0 and bytes + length > maxBytes then
    isFull = true
    return true
  end
  head[key] = at + 1
  countIn(length)
  parts[partCount + 1] = '1 1 ' .. asText[#text] .. '\n'
  partCount = partCount + 2
  parts[partCount] = text
  return true
end

local function give(number)
  local key, start, last = keyOf[number], startOf[number], lastOf[number]
  local resumed = number == 1 and fromEvent ~= '0-0'
  -- A stretch that was begun is read with the event that was last read: is it still there?
  if resumed then start = fromEvent end

  local events, size, taken = {}, 0, 0
  local firstFound, lastFound
  local complete = '1'
  while lastFound ~= last do
    local at = head[key]
    local event = at and queue[key][at]
    if not event then
      if isExhausted[key] then break end
      fetch(key, start)
    else
      local id = event[1]
      if id ~= last and isBelow(last, id) then break end
      if id ~= start and isBelow(id, start) then
        -- It is in no stretch; somebody has changed the marks.
        head[key] = at + 1
      elseif resumed and id == start then
        head[key] = at + 1
        firstFound = id
        lastFound = id
      else
        local text, length = format(event)
        if count >= limit or (count > 0 and bytes + length > maxBytes) then
          isFull = true
          complete = '0'
          break
        end
        head[key] = at + 1
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
    if isWhole(key, start, until_, taken + (resumed and 1 or 0)) then whole = '1' end
  end
  parts[partCount + 1] = whole .. ' ' .. complete .. ' ' .. asText[size] .. '\n'
  for index = 1, taken do parts[partCount + 1 + index] = events[index] end
  partCount = partCount + 1 + taken
end

for number = 1, stretchCount do
  if count >= limit then isFull = true end
  if not isFull and not giveSingle(number) then give(number) end
  if isFull then break end
end
return concat(parts)
