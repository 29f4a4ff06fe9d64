--[[
Appends events to logs: a batch of independent appends, each of which happens whole or not at all.

Invariants
  1. Redis does not roll a script back. So each append looks at everything that can refuse it
     (types, last possible ID, producer, version) before its first write, and runs protected:
     what fails, fails alone.
  2. Producer before version: a repeat of an append whose `expected` has become stale is a
     duplicate, not a conflict. A refused append leaves the producer's state as it was.
  3. The feed knows every event up to `indexed`. What others added with a plain XADD lies between
     `indexed` and our first event, so the feed entry starts with the first of those.
  4. A publication carries the version before its first event, so that a follower sees a gap. It
     is sent last: a follower that is told can read.

KEYS
  1        the feed (stream)
  2 …      one log (stream) per append; `{log}:producers` and `{log}:meta` share its slot
ARGV
  1        channel prefix
  2        after how many idle milliseconds a producer is forgotten
  3        events above this many bytes are published by ID only
  4        a publication inlines at most this many bytes
  then per append: expected version or '', producer ID or '', epoch, seq, number of events,
  and per event: number of strings, then that many: name, value, name, value, …

Returns one string, a line per append:
  appended <version> <id> <id> …
  duplicate <version> [<first id> <count>]
  conflict <version>  |  gap <expected seq>  |  fenced <epoch>  |  full
  wrong_type <key>    |  refused <message>    |  broken <message> (after its first write)
]]
local feedKey = KEYS[1]
local channelPrefix = ARGV[1]
local producerIdle = tonumber(ARGV[2])
local inlineEventBytes = tonumber(ARGV[3])
local inlineBytes = tonumber(ARGV[4])

local LAST_MILLISECONDS = '18446744073709551615'
-- Doubles are 2,048 apart here, so the very last IDs of a log are not given out.
local LAST_SEQUENCE = 18446744073709549568
local RECENT_APPENDS = 16

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Of the logs in this batch: nobody else can write while the script runs.
local versions = {}
local indexed = {}
local isEmptied = {}
local isExact = {}
-- Whether the append at hand has written: after that, an error no longer means "not happened".
local hasWritten = false

local function refuse(line)
  error({ line = line }, 0)
end

local function checked(key, reply)
  if type(reply) == 'table' and reply.err then
    if string.find(reply.err, 'WRONGTYPE', 1, true) then refuse('wrong_type ' .. key) end
    refuse('refused ' .. reply.err)
  end
  return reply
end

-- The version of a log, and up to where the feed knows it. As long as the last entry is the one
-- that we wrote last, that is all there is to know; XINFO, which costs three times as much, is
-- asked where somebody else wrote, trimmed, deleted or restored, or where there is no log yet; and
-- where the version decides, for somebody may have added an event and deleted it again.
local function lookUp(key, metaKey, wantsExact)
  if versions[key] and (isExact[key] or not wantsExact) then return end
  local known = checked(metaKey, redis.pcall('HGET', metaKey, 'indexed'))
  local last = checked(key, redis.pcall('XREVRANGE', key, '+', '-', 'COUNT', 1))[1]
  if known and last and last[1] == known and not wantsExact then
    versions[key] = known
  else
    local info = redis.pcall('XINFO', 'STREAM', key)
    if info.err then
      versions[key] = '0-0'
    else
      local stream = {}
      for index = 1, #info, 2 do stream[info[index]] = info[index + 1] end
      versions[key] = stream['last-generated-id']
      isEmptied[key] = stream['length'] == 0 and stream['max-deleted-entry-id'] == '0-0'
        and stream['entries-added']
    end
  end
  indexed[key] = known or '0-0'
  isExact[key] = wantsExact
end

-- What to ask XADD for after `id` within one append. Before Redis 7.2 the clock goes on during a
-- script, and a producer's recent appends are kept as their first ID and a count.
local function following(id)
  local milliseconds, sequence = string.match(id, '^(%d+)-(%d+)$')
  if tonumber(sequence) < LAST_SEQUENCE then return milliseconds .. '-*' end
  return '*'
end

local function isFull(version, count)
  local dash = string.find(version, '-', 1, true)
  return string.sub(version, 1, dash - 1) == LAST_MILLISECONDS
    and tonumber(string.sub(version, dash + 1)) + count >= LAST_SEQUENCE
end

local function readProducer(key, id)
  local state = checked(key, redis.pcall('HGET', key, id))
  if not state then return nil end
  local words = {}
  for word in string.gmatch(state, '%S+') do words[#words + 1] = word end
  if now - tonumber(words[3]) > producerIdle then return nil end
  return { epoch = tonumber(words[1]), seq = tonumber(words[2]), words = words }
end

-- The line that answers a producer whose append is not the next one; nil for the next one.
local function judge(producer, epoch, seq, version)
  if not producer or epoch > producer.epoch then
    if seq > 0 then return 'gap 0' end
    return nil
  end
  if epoch < producer.epoch then return string.format('fenced %.0f', producer.epoch) end
  if seq > producer.seq + 1 then return string.format('gap %.0f', producer.seq + 1) end
  if seq == producer.seq + 1 then return nil end
  -- Words 4 … hold the recent appends, newest first.
  local recent = producer.words[4 + producer.seq - seq]
  if not recent then return 'duplicate ' .. version end
  return 'duplicate ' .. version .. ' ' .. string.gsub(recent, ':', ' ')
end

local function rememberProducer(key, id, producer, epoch, seq, ids)
  -- Every ID of an append is the successor of the one before it: see `following`.
  local words = {
    string.format('%.0f', epoch), string.format('%.0f', seq), string.format('%.0f', now),
    ids[1] .. ':' .. #ids,
  }
  if producer and producer.epoch == epoch then
    for index = 4, math.min(#producer.words, 2 + RECENT_APPENDS) do
      words[#words + 1] = producer.words[index]
    end
  end
  redis.call('HSET', key, id, table.concat(words, ' '))
  redis.call('PEXPIRE', key, producerIdle)
  if producer then return end
  -- A new producer pays for forgetting: a hash in use never expires as a whole.
  local others = redis.call('HRANDFIELD', key, 4, 'WITHVALUES')
  for index = 1, #others, 2 do
    local lastUse = tonumber(string.match(others[index + 1], '^%S+ %S+ (%S+)'))
    if now - lastUse > producerIdle then redis.call('HDEL', key, others[index]) end
  end
end

local function index(key, metaKey, first, last)
  if indexed[key] ~= versions[key] then
    local foreign = redis.call('XRANGE', key, '(' .. indexed[key], '+', 'COUNT', 1)
    -- None where the log was restored and its mark was not.
    first = foreign[1] and foreign[1][1] or first
  end
  if isEmptied[key] then
    -- Somebody trimmed all there was: while that can still be seen, note how far it went.
    -- All that is gone by now lies below that mark.
    redis.call('HSET', metaKey, 'trimmed', versions[key],
      'removed', string.format('%.0f', isEmptied[key]))
    isEmptied[key] = false
  end
  redis.call('XADD', feedKey, '*', 'log', string.sub(key, 1, -5), 'first', first, 'last', last)
  redis.call('HSET', metaKey, 'indexed', last)
end

-- `events` holds where in ARGV the strings of each event begin and end.
local function append(key, expected, producerId, epoch, seq, events)
  local metaKey = '{' .. key .. '}:meta'
  lookUp(key, metaKey, expected ~= '')
  local version = versions[key]
  local producersKey, producer
  if producerId ~= '' then
    producersKey = '{' .. key .. '}:producers'
    producer = readProducer(producersKey, producerId)
    local answer = judge(producer, epoch, seq, version)
    if answer then return answer end
  end
  if expected ~= '' and expected ~= version then return 'conflict ' .. version end
  if isFull(version, #events / 2) then return 'full' end

  local ids = {}
  local publication = { version, '\n' }
  local inlined = 0
  for number = 1, #events, 2 do
    local from, to = events[number], events[number + 1]
    local wanted = number == 1 and '*' or following(ids[#ids])
    local id = redis.call('XADD', key, wanted, unpack(ARGV, from, to))
    hasWritten = true
    ids[#ids + 1] = id
    local header, bytes = id, 0
    for position = from, to do
      local length = #ARGV[position]
      header = header .. ' ' .. length
      bytes = bytes + length
    end
    if bytes <= inlineEventBytes and inlined + bytes <= inlineBytes then
      inlined = inlined + bytes
      publication[#publication + 1] = header
      publication[#publication + 1] = '\n'
      publication[#publication + 1] = table.concat(ARGV, '', from, to)
    else
      publication[#publication + 1] = id
      publication[#publication + 1] = '\n'
    end
  end
  local last = ids[#ids]

  index(key, metaKey, ids[1], last)
  if producerId ~= '' then
    rememberProducer(producersKey, producerId, producer, epoch, seq, ids)
  end
  versions[key] = last
  isExact[key] = true
  indexed[key] = last
  redis.call('PUBLISH', channelPrefix .. '{' .. key .. '}', table.concat(publication))
  return 'appended ' .. last .. ' ' .. table.concat(ids, ' ')
end

local feedType = redis.call('TYPE', feedKey).ok
local feedIsBroken = feedType ~= 'stream' and feedType ~= 'none'

local lines = {}
local position = 5
for number = 2, #KEYS do
  local expected, producerId = ARGV[position], ARGV[position + 1]
  local epoch, seq = tonumber(ARGV[position + 2]), tonumber(ARGV[position + 3])
  local count = tonumber(ARGV[position + 4])
  position = position + 5
  local events = {}
  for event = 1, count do
    local strings = tonumber(ARGV[position])
    events[event * 2 - 1] = position + 1
    events[event * 2] = position + strings
    position = position + strings + 1
  end

  if feedIsBroken then
    lines[#lines + 1] = 'wrong_type ' .. feedKey
  else
    hasWritten = false
    local succeeded, result = pcall(append, KEYS[number], expected, producerId, epoch, seq, events)
    if not succeeded then
      local message = type(result) == 'table' and (result.line or result.err) or tostring(result)
      if hasWritten then
        result = 'broken ' .. message
      elseif type(result) == 'table' and result.line then
        result = result.line
      else
        result = 'refused ' .. message
      end
      result = string.gsub(result, '[\r\n]', ' ')
    end
    lines[#lines + 1] = result
  end
end
return table.concat(lines, '\n')
