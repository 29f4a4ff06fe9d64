--[[
How much a group has to do.

KEYS
  1  the feed (stream)   2  logs (stream)   3  cursors   4  delayed (zset)   5  state
ARGV  none

Returns { logs that wait or are leased, logs that rest, how far the feed was read, where going over
all logs has got to, the last ID of the feed }; {} when there is no such group, or a part is missing.
]]
local feed, logs, cursors, delayed, state = unpack(KEYS)

local known = redis.call('HMGET', state, 'created', 'at', 'scan')
if not known[1] or redis.call('HEXISTS', cursors, '') == 0 then return {} end
local stream, refusal = streamFacts(feed)
if not stream then return refusal end
local last = stream['last-generated-id'] or '0-0'
return { redis.call('XLEN', logs), redis.call('ZCARD', delayed), known[2], known[3], last }
