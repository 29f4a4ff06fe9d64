--[[
How much a group has to do of what it was told, and where it stands in the feed.

KEYS
  1  logs (stream)   2  cursors   3  delayed (zset)   4  state
ARGV  none

Returns {{ logs that wait or are leased, logs that rest, the place in the feed or '', where going
over the marks has got to or '' }}; {} when there is no such group, or a part is missing.
]]
local logs, cursors, delayed, state = unpack(KEYS)

local created, at, scan = unpack(redis.call('HMGET', state, 'created', 'at', 'scan'))
if not created or redis.call('HEXISTS', cursors, '') == 0 then return {} end
return {{ redis.call('XLEN', logs), redis.call('ZCARD', delayed), at or '', scan or '' }}
