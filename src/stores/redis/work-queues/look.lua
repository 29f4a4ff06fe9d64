--[[
Tells where a group stands in the feed, and queues logs whose delay is over. Anybody of the group may
run it at any time.

Invariants
  1. Where what was told is lost, the marks of the feed are to be gone over. So they are where the
     place in the feed is lost: note.lua is told of that.

KEYS
  1  logs (stream)   2  queued   3  told   4  cursors   5  delayed (zset)   6  state
ARGV
  1  how many logs at most

Returns {{ 1 when more delays are over, the group's category, its place in the feed or '', where
going over the marks has got to or '' }}; {} when there is no such group, or a part of it is
missing: join.lua sees to that.
]]
local logs, queued, told, cursors, delayed, state = unpack(KEYS)
local most = tonumber(ARGV[1])

local category, created, at, scan = unpack(redis.call('HMGET', state, 'category', 'created', 'at', 'scan'))
if not category or not created or redis.call('EXISTS', logs) == 0 then return {} end
if redis.call('HEXISTS', cursors, '') == 0 then return {} end
at, scan = at or '', scan or ''
if redis.call('HGET', told, '') ~= at then
  scan = '0'
  redis.call('HSET', state, 'scan', scan)
  redis.call('HSET', told, '', at)
end

local due = redis.call('ZRANGEBYSCORE', delayed, '-inf', readClock(), 'LIMIT', 0, most)
for _, log in ipairs(due) do
  redis.call('ZREM', delayed, log)
  local place = redis.call('HGET', queued, log)
  if not place or place == 'delayed' then queue(logs, queued, log) end
end
return {{ #due == most and 1 or 0, category, at, scan }}
