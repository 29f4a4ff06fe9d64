--[[
Leases logs: those that a consumer has not renewed, then those that wait. Or tells what is known of
logs that a blocking XREADGROUP has leased already.

KEYS
  1  logs (stream)   2  queued   3  told   4  cursors   5  attempts   6  redrives
ARGV
  1  the consumer   2  how many at most   3  milliseconds after which a lease can be taken over, or ''
  4  where to go on looking for such leases
  5…  IDs of entries that were leased already

Returns { where to go on looking, { log, entry, deliveries, cursor, told, attempt, redrives }, … },
'' for what there is not; {} when the cursors are lost: nothing is handed out.
]]
local logs, queued, told, cursors, attempts, redrives = unpack(KEYS)
local consumer, most, idle, from = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local answer = { from }

if redis.call('HEXISTS', cursors, '') == 0 then return {} end

local function add(entry, log, deliveries)
  -- The place of a log is kept beside its entry: one that is not there any more is nobody's.
  if redis.call('HGET', queued, log) ~= entry then
    redis.call('XACK', logs, 'workers', entry)
    redis.call('XDEL', logs, entry)
    return
  end
  answer[#answer + 1] = {
    log, entry, deliveries,
    redis.call('HGET', cursors, log) or '',
    redis.call('HGET', told, log) or '',
    redis.call('HGET', attempts, log) or '',
    redis.call('HGET', redrives, log) or '',
  }
end

for index = 5, #ARGV do
  local entry = redis.call('XRANGE', logs, ARGV[index], ARGV[index])[1]
  local pending = redis.call('XPENDING', logs, 'workers', ARGV[index], ARGV[index], 1, consumer)[1]
  if entry and pending then add(entry[1], entry[2][2], pending[4]) end
end

if idle ~= '' then
  local reply = redis.call('XAUTOCLAIM', logs, 'workers', consumer, idle, from, 'COUNT', most)
  answer[1] = reply[1]
  for _, entry in ipairs(reply[2]) do
    local pending = redis.call('XPENDING', logs, 'workers', entry[1], entry[1], 1, consumer)[1]
    add(entry[1], entry[2][2], pending[4])
  end
end

local room = most - (#answer - 1)
if room > 0 then
  local reply = redis.call('XREADGROUP', 'GROUP', 'workers', consumer, 'COUNT', room, 'STREAMS', logs, '>')
  if reply then
    for _, entry in ipairs(reply[1][2]) do add(entry[1], entry[2][2], 1) end
  end
end
return answer
