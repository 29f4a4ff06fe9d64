--[[
Writes down what became of leased logs.

Invariants
  1. Nothing is changed for a log whose entry is not pending with this consumer, from the very
     delivery that it knows: who lost a lease, and even got it back, cannot go on from before. Nor
     for one that was queued again under another entry, as after somebody removed what is queued.
  2. A log that is given up is in the queue again when more was told of it than is done. What had
     been told when it was leased counts as read: where that is not there, there is nothing to do.

KEYS
  1  logs (stream)   2  queued   3  told   4  cursors   5  attempts   6  delayed (zset)   7  redrives
ARGV
  1  the consumer
  then nine for each log
    1  log   2  entry   3  deliveries   4  cursor or ''   5  attempt or ''   6  letter or ''
    7  how often its redrive was begun, '' when it is over
    8  'keep', 'done', 'again', 'hold', 'after'   9  what was told when it was leased; or milliseconds

Returns for each 1, or 0 when the lease was lost.
]]
local logs, queued, told, cursors, attempts, delayed, redrives = unpack(KEYS)
local consumer = ARGV[1]
local WIDTH = 9

local function isOurs(entry, deliveries)
  local pending = redis.call('XPENDING', logs, 'workers', entry, entry, 1, consumer)[1]
  return pending and tostring(pending[4]) == deliveries
end

local function changeRedrive(log, letter, begun)
  local rest = {}
  for word in string.gmatch(redis.call('HGET', redrives, log) or '', '%S+') do
    local event, other = string.match(word, '^([^/]+)/([^/]+)/')
    if other ~= letter then
      rest[#rest + 1] = word
    elseif begun ~= '' then
      rest[#rest + 1] = event .. '/' .. letter .. '/' .. begun
    end
  end
  if #rest == 0 then
    redis.call('HDEL', redrives, log)
  else
    redis.call('HSET', redrives, log, table.concat(rest, ' '))
  end
end

local function finish(log, seen)
  local last = redis.call('HGET', told, log)
  local hasRedrives = redis.call('HEXISTS', redrives, log) == 1
  if last then
    local cursor = redis.call('HGET', cursors, log) or '0-0'
    if string.sub(cursor, 1, 1) == '~' then cursor = '0-0' end
    if last == seen or not isBelow(cursor, last) then
      redis.call('HDEL', told, log)
      last = nil
    end
  end
  if last or hasRedrives then queue(logs, queued, log) else redis.call('HDEL', queued, log) end
end

local settled = {}
for position = 2, #ARGV, WIDTH do settled[#settled + 1] = ARGV[position] end
-- What is settled in here is not pending any more, so that these need not be looked at again.
local places = redis.call('HMGET', queued, unpack(settled))

local answer = {}
local now
for position = 2, #ARGV, WIDTH do
  local log, entry, deliveries, cursor, attempt, letter, begun, after, seen =
    unpack(ARGV, position, position + WIDTH - 1)
  if places[#answer + 1] ~= entry or not isOurs(entry, deliveries) then
    answer[#answer + 1] = 0
  else
    answer[#answer + 1] = 1
    if cursor ~= '' then redis.call('HSET', cursors, log, cursor) end
    if attempt ~= '' then
      redis.call('HSET', attempts, log, attempt)
    elseif cursor ~= '' then
      redis.call('HDEL', attempts, log)
    end
    if letter ~= '' then changeRedrive(log, letter, begun) end
    if after == 'keep' then
      redis.call('XCLAIM', logs, 'workers', consumer, 0, entry, 'JUSTID')
    else
      redis.call('XACK', logs, 'workers', entry)
      redis.call('XDEL', logs, entry)
      if after == 'done' then
        finish(log, seen)
      elseif after == 'after' then
        now = now or readClock()
        redis.call('ZADD', delayed, now + tonumber(seen), log)
        redis.call('HSET', queued, log, 'delayed')
      elseif after == 'hold' and redis.call('HEXISTS', redrives, log) == 0 then
        redis.call('HSET', queued, log, 'held')
      else
        queue(logs, queued, log)
      end
    end
  end
end
return answer
