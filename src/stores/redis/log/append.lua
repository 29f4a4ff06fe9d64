--[[
Appends events to logs: a batch of independent appends, each of which happens whole or not at all.

Invariants
  1. Redis does not roll a script back. So each append looks at everything that can refuse it
     (types, last possible ID, producer, version) before its first write, and runs protected:
     what fails, fails alone.
  2. Producer before version: a repeat of an append whose `expected` has become stale is a
     duplicate, not a conflict. A refused append leaves the producer's state as it was.
  3. The feed knows every event of a log up to its mark. What others added with a plain XADD lies
     between the mark and our first event, so what the feed is told starts with the first of those.
     One feed entry tells of all logs of the batch; it and the marks are written last, together.
     The marks name the last entry: where somebody has removed one of both, or put back an old one,
     both go, and the feed is built anew from the logs. Whoever has read the old one is told `reset`.
  4. A publication carries the version before its first event, so that a follower sees a gap. It
     is sent last: a follower that is told can read. It is sent only where somebody listens, which
     cannot change while the script runs.

A redis.call costs about as much as the work that it asks for. So the usual append (one event, no
conditions, nobody listens, nobody else wrote) makes one: XADD. What can be asked or written for
all logs at once is: the marks, what lies above them, who listens, the feed entry. The exact
version (XINFO, as dear as five others) is asked for where something depends on it.

KEYS
  1        the feed (stream): per log of a batch one field, its name, with '<first ID> <last ID>'
  2        the feed's marks (hash): per log, up to where the feed knows it
  3 …      for each append its log (stream); then for each the meta of the log (hash); then for each
           that has a producer the producers of the log (hash)
ARGV
  1        channel prefix
  2        after how many idle milliseconds a producer is forgotten
  3        events above this many bytes are published by ID only
  4        a publication inlines at most this many bytes
  5        how many appends there are
  then per append: for one event without conditions '<its strings> <length> <length> …', where what
    follows the first word is what a publication says of them; otherwise
    '<expected version or -> <producer ID> <epoch or -> <seq> <strings of event 1> <of event 2> …';
    without an epoch there is no producer: unlike an ID, it cannot be '-'
  and after it the strings of all its events: name, value, name, value, …

Returns one string, a line per append:
  <id> <id> …         what the events got
  duplicate <version> [<first id> <count>]
  conflict <version>  |  gap <expected seq>  |  fenced <epoch>  |  full
  wrong_type <key>    |  refused <message>    |  broken <message> (after its first write)
]]
local call, attempt = redis.call, redis.pcall
local KEYS, ARGV, unpack, pcall, type, sub = KEYS, ARGV, unpack, pcall, type, string.sub
local concat = table.concat

local feedKey = KEYS[1]
local marksKey = KEYS[2]
local channelPrefix = ARGV[1]
local producerIdle = tonumber(ARGV[2])
local inlineEventBytes = tonumber(ARGV[3])
local inlineBytes = tonumber(ARGV[4])
local appends = tonumber(ARGV[5])

local LAST_MILLISECONDS = '18446744073709551615'
-- Doubles are 2,048 apart here, so the very last IDs of a log are not given out.
local LAST_SEQUENCE = 18446744073709549568
local RECENT_APPENDS = 16
-- What is paid for forgetting producers: the usual append of one that goes on pays nothing.
local APPENDS_PER_SWEEP, QUIET = 16, 60000
local SAMPLE, MOST_SAMPLES = 8, 32
-- Redis keeps a hash of few and short values as a list, and walks it for each field. One long value
-- makes it a table: with 500 logs the whole script takes half as long.
local MARKS_NOTE = 'For each log, the last event ID that the feed tells of. Written by append.lua.'

local feedType = call('TYPE', feedKey).ok

-- Of the logs in this batch, by key; nobody else can write while the script runs.
local names = {} -- what the feed calls it
local metaKeys = {} -- what is kept beside it
local indexed = {} -- up to where the feed knows the log
local foreign = {} -- the first event above that
local channels = {} -- what its followers listen to
local isFollowed = {} -- whether somebody listens to the channel
local versions = {} -- exact, where something depended on it
local emptied = {} -- how many events it ever had, where others trimmed all of them
local firsts = {} -- the first event that the feed is told of
local appended = {} -- the keys of the logs that were appended to, in that order
local problems = {} -- why a key of the log cannot be used
local lastEntry -- the position of the feed's last entry, as the marks have it; nil when it is built anew

-- Whether the append at hand has written: after that, an error no longer means "not happened".
local hasWritten = false

-- The line that answers for an error of Redis; at best one about `key`.
local function describe(problem, key)
  problem = string.gsub(problem, '[\r\n]', ' ')
  if hasWritten then return 'broken ' .. problem end
  if key and string.find(problem, 'WRONGTYPE', 1, true) then return 'wrong_type ' .. key end
  if string.find(problem, 'exhausted the last possible ID', 1, true) then return 'full' end
  return 'refused ' .. problem
end

local function lookForForeignEvents(logs)
  local arguments, count = { 'COUNT', '1', 'STREAMS' }, #logs
  for number = 1, count do
    local key = logs[number]
    arguments[3 + number] = key
    arguments[3 + count + number] = indexed[key]
  end
  local moved = attempt('XREAD', unpack(arguments))
  if not moved then return end
  if not moved.err then
    for _, log in ipairs(moved) do foreign[log[1]] = log[2][1][1] end
  elseif count == 1 then
    problems[logs[1]] = describe(moved.err, logs[1])
  else
    for _, key in ipairs(logs) do lookForForeignEvents({ key }) end
  end
end

local function lookForFollowers(logs)
  -- Who listens by pattern is not counted by channel.
  local byPattern = call('PUBSUB', 'NUMPAT') > 0
  local asked = {}
  for number = 1, #logs do
    local key = logs[number]
    local channel = channelPrefix .. '{' .. key .. '}'
    asked[number], channels[key] = channel, channel
  end
  local counts = call('PUBSUB', 'NUMSUB', unpack(asked))
  for number = 1, #logs do
    if byPattern or counts[number * 2] > 0 then isFollowed[logs[number]] = true end
  end
end

-- Answers with a key that is not what it should be, if there is one that concerns all logs.
local function lookAtLogs()
  local logs, logNames, count = {}, {}, 0
  for number = 3, 2 + appends do
    local key = KEYS[number]
    if not names[key] then
      local name = sub(key, 1, -5)
      names[key] = name
      metaKeys[key] = KEYS[number + appends]
      count = count + 1
      logs[count], logNames[count] = key, name
    end
  end
  local marks = attempt('HMGET', marksKey, '', unpack(logNames))
  if marks.err then return marksKey end
  local id = marks[1]
  if id and feedType == 'stream' then
    lastEntry = tonumber(sub(id, 3))
  elseif id or feedType == 'stream' then
    local last = not id and call('XREVRANGE', feedKey, '+', '-', 'COUNT', '1')[1]
    -- One that is not ours is left alone: readers say what is wrong with it.
    if not last or sub(last[1], 1, 2) == '0-' then call('UNLINK', feedKey, marksKey) end
    marks = {}
  end
  for number = 1, count do indexed[logs[number]] = marks[number + 1] or '0-0' end
  lookForForeignEvents(logs)
  lookForFollowers(logs)
end

local function versionOf(key)
  if versions[key] then return versions[key] end
  local stream = streamFacts(key) or {}
  versions[key] = stream['last-generated-id'] or '0-0'
  if stream['length'] == 0 and stream['max-deleted-entry-id'] == '0-0' then
    emptied[key] = string.format('%.0f', stream['entries-added'])
  end
  return versions[key]
end

-- Whether the log is as our last append left it, as far as a publication depends on it. Nothing
-- lies above `indexed`. A follower must also learn that the log vanished or came back older: then
-- the event at `indexed` is not there. (Where others added an event and deleted it, it is, and
-- that event is nobody's gap.) Where nobody follows, nothing depends on it.
local function isAsWeLeftIt(key)
  if not isFollowed[key] then return true end
  if foreign[key] or indexed[key] == '0-0' then return false end
  local last = call('XREVRANGE', key, '+', '-', 'COUNT', '1')[1]
  return last and last[1] == indexed[key]
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

local function readProducer(key, id, now)
  local state = attempt('HGET', key, id)
  if not state then return nil end
  if type(state) == 'table' then return nil, describe(state.err, key) end
  local words = {}
  for word in string.gmatch(state, '%S+') do words[#words + 1] = word end
  if now - tonumber(words[3]) > producerIdle then return nil end
  return {
    epoch = tonumber(words[1]), seq = tonumber(words[2]), lastUse = tonumber(words[3]), words = words,
  }
end

-- The line that answers a producer whose append is not the next one; nil for the next one.
local function judge(key, producer, epoch, seq)
  if not producer or epoch > producer.epoch then
    if seq > 0 then return 'gap 0' end
    return nil
  end
  if epoch < producer.epoch then return string.format('fenced %.0f', producer.epoch) end
  if seq > producer.seq + 1 then return string.format('gap %.0f', producer.seq + 1) end
  if seq == producer.seq + 1 then return nil end
  -- Words 4 … hold the recent appends, newest first.
  local recent = producer.words[4 + producer.seq - seq]
  if not recent then return 'duplicate ' .. versionOf(key) end
  return 'duplicate ' .. versionOf(key) .. ' ' .. string.gsub(recent, ':', ' ')
end

local function rememberProducer(request, firstId)
  local key, id, now = request.producersKey, request.producerId, request.now
  local producer = request.producer
  -- Every ID of an append is the successor of the one before it: see `following`.
  local words = {
    string.format('%.0f', request.epoch), string.format('%.0f', request.seq),
    string.format('%.0f', now), firstId .. ':' .. #request.ends,
  }
  if producer and producer.epoch == request.epoch then
    for index = 4, math.min(#producer.words, 2 + RECENT_APPENDS) do
      words[#words + 1] = producer.words[index]
    end
  end
  call('HSET', key, id, table.concat(words, ' '))
  call('PEXPIRE', key, producerIdle)
  if producer and request.seq % APPENDS_PER_SWEEP > 0 and now - producer.lastUse < QUIET then return end
  -- A hash in use never expires as a whole, so its producers pay for forgetting: the new ones, and the
  -- others now and then. As long as a sample holds some that are to be forgotten, there are more.
  for _ = 1, MOST_SAMPLES do
    local sample, forgotten = call('HRANDFIELD', key, SAMPLE, 'WITHVALUES'), {}
    for index = 1, #sample, 2 do
      local lastUse = tonumber(string.match(sample[index + 1], '^%S+ %S+ (%S+)') or '')
      if lastUse and now - lastUse > producerIdle then forgotten[#forgotten + 1] = sample[index] end
    end
    if #forgotten == 0 then return end
    call('HDEL', key, unpack(forgotten))
  end
end

-- An append that is not the usual one; `ends` says where in ARGV the strings of each event end.
local function readHead(head, position)
  local words = {}
  for word in string.gmatch(head, '%S+') do words[#words + 1] = word end
  local ends = {}
  for index = 5, #words do
    position = position + tonumber(words[index])
    ends[#ends + 1] = position
  end
  return {
    expected = words[1] ~= '-' and words[1],
    producerId = words[3] ~= '-' and words[2],
    epoch = tonumber(words[3]),
    seq = tonumber(words[4]),
    ends = ends,
  }
end

-- The line that refuses an append or answers a repeated one; nil for one that may go on.
local function decide(key, request)
  if request.producerId then
    request.now = readClock()
    local producer, problem = readProducer(request.producersKey, request.producerId, request.now)
    local answer = problem or judge(key, producer, request.epoch, request.seq)
    if answer then return answer end
    request.producer = producer
  end
  if request.expected and request.expected ~= versionOf(key) then
    return 'conflict ' .. versionOf(key)
  end
  -- One XADD refuses by itself when the log is full; of several, none may be the first to do so.
  if #request.ends > 1 and isFull(versionOf(key), #request.ends) then return 'full' end
  return nil
end

-- What the feed is told of a log when the script ends; `first` stays that of its first append.
local function index(key, first, last)
  if emptied[key] then
    -- While it can still be seen, note how far that went. All that is gone lies below that mark.
    attempt('HSET', metaKeys[key], 'trimmed', versions[key], 'removed', emptied[key])
    emptied[key] = nil
  end
  if not firsts[key] then
    firsts[key] = foreign[key] or first
    appended[#appended + 1] = key
  end
  versions[key] = last
end

-- One entry for all logs of the batch, in the order in which they were first appended to.
local function writeFeed()
  if #appended == 0 then return end
  local entry, marks = {}, { '', '' }
  for number = 1, #appended do
    local key = appended[number]
    local name, last = names[key], versions[key]
    local at = number * 2
    entry[at - 1], entry[at] = name, firsts[key] .. ' ' .. last
    marks[at + 1], marks[at + 2] = name, last
  end
  -- The events are in by now, so this must not fail the call. Where the feed refuses, the marks
  -- stay, and a later append tells of these events together with its own.
  local id = attempt('XADD', feedKey, '0-*', unpack(entry))
  if type(id) ~= 'string' then return end
  if lastEntry and tonumber(sub(id, 3)) ~= lastEntry + 1 then
    -- The marks are of another feed than this.
    call('UNLINK', feedKey, marksKey)
    lastEntry = nil
    for number = 1, #appended do
      local key = appended[number]
      firsts[key] = call('XRANGE', key, '-', '+', 'COUNT', '1')[1][1]
    end
    return writeFeed()
  end
  marks[2] = id
  if not lastEntry then marks[#marks + 1], marks[#marks + 2] = '#', MARKS_NOTE end
  call('HSET', marksKey, unpack(marks))
end

-- Lengths repeat, and Lua turns numbers into text slowly.
local decimals = setmetatable({}, {
  __index = function(known, number)
    known[number] = tostring(number)
    return known[number]
  end,
})

local function publish(key, version, ids, from, ends)
  local parts = { version, '\n' }
  local inlined, number = 0, 0
  for id in string.gmatch(ids, '%S+') do
    number = number + 1
    local to = ends[number]
    local header, bytes = id, 0
    for position = from, to do
      local length = #ARGV[position]
      header = header .. ' ' .. decimals[length]
      bytes = bytes + length
    end
    if bytes <= inlineEventBytes and inlined + bytes <= inlineBytes then
      inlined = inlined + bytes
      parts[#parts + 1] = header
      parts[#parts + 1] = '\n'
      parts[#parts + 1] = concat(ARGV, '', from, to)
    else
      parts[#parts + 1] = id
      parts[#parts + 1] = '\n'
    end
    from = to + 1
  end
  call('PUBLISH', channels[key], concat(parts))
end

-- The usual append: what the client has said of the lengths saves half of the strings made on the way.
local function publishUsual(key, version, id, lengths, from, to)
  local body = concat(ARGV, '', from, to)
  if #body > inlineEventBytes or #body > inlineBytes then lengths, body = '', '' end
  call('PUBLISH', channels[key], concat({ version, '\n', id, lengths, '\n', body }))
end

-- The strings of the first event are ARGV[from] to ARGV[to]; the usual append has `lengths`, others
-- a `request`.
local function append(key, from, to, request, lengths)
  local answer = problems[key] or request and decide(key, request)
  if answer then return answer end
  local version = versions[key] or isAsWeLeftIt(key) and indexed[key] or versionOf(key)

  local first = call('XADD', key, '*', unpack(ARGV, from, to))
  hasWritten = true
  local ids, last = first, first
  if request then
    for number = 2, #request.ends do
      local start, stop = request.ends[number - 1] + 1, request.ends[number]
      last = call('XADD', key, following(last), unpack(ARGV, start, stop))
      ids = ids .. ' ' .. last
    end
  end
  index(key, first, last)
  if request and request.producerId then rememberProducer(request, first) end
  if isFollowed[key] then
    if request then publish(key, version, ids, from, request.ends)
    else publishUsual(key, version, first, lengths, from, to) end
  end
  return ids
end

local brokenKey = feedType ~= 'stream' and feedType ~= 'none' and feedKey or lookAtLogs()

local lines = {}
local position, producersAt = 6, 3 + 2 * appends
for number = 3, 2 + appends do
  local head, request, lengths = ARGV[position], nil, nil
  local from, to = position + 1, position
  if sub(head, 2, 2) == ' ' and sub(head, 1, 1) ~= '-' then
    to = position + tonumber(sub(head, 1, 1))
    lengths = sub(head, 2)
    position = to + 1
  else
    request = readHead(head, position)
    if request.producerId then
      request.producersKey = KEYS[producersAt]
      producersAt = producersAt + 1
    end
    to = request.ends[1]
    position = request.ends[#request.ends] + 1
  end

  if brokenKey then
    lines[#lines + 1] = 'wrong_type ' .. brokenKey
  else
    hasWritten = false
    local succeeded, result = pcall(append, KEYS[number], from, to, request, lengths)
    -- What Redis refuses comes as a table, a fault in here as a string.
    lines[#lines + 1] = succeeded and result
      or describe(type(result) == 'table' and result.err or tostring(result))
  end
end
writeFeed()
return table.concat(lines, '\n')
