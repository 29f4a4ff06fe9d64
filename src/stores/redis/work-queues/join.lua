--[[
Makes a group, if it is not there, at the end of the feed as it is now. A group that starts with
all events goes over the feed's marks instead of its entries: one step a log, not one an append.

Invariants
  1. How the group was made stays with its cursors, too. Where its state is lost, it is made again in
     the same way: a group that began with what came then goes over the feed from there.
  2. A group whose cursors are lost is not made again: it would do everything twice.

KEYS
  1  logs (stream)   2  state (hash)   3  cursors (hash)
ARGV
  1  category, or ''   2  'start' or 'now'   3  the place at the end of the feed, read before

Returns { the category that the group was made for }, or {} when its cursors are lost. A group
of a version that did not write down when it was made counts as made now.
]]
local logs, state, cursors = unpack(KEYS)
local category, from, at = unpack(ARGV)

local known = redis.call('HMGET', state, 'category', 'created', 'from', 'at')
local made, created, origin = known[1], known[2], redis.call('HGET', cursors, '')
if made and created and not origin then return {} end

if made then
  from, at = known[3], known[4] or ''
elseif origin then
  from, created, category = string.match(origin, '^(%S+) (%S+) (%S*)')
end
if not made then
  -- From where it was made on, if the feed still has that: whoever reads it sees to it.
  if origin and from == 'now' then at = string.match(origin, '\n([^\n]*)') end
  redis.call('HSET', state, 'category', category, 'from', from, 'at', at,
    'scan', from == 'start' and '0' or '')
end
if not known[2] then
  created = created or string.format('%.0f-0', readClock())
  redis.call('HSET', state, 'created', created)
  if not origin then
    redis.call('HSET', cursors, '', from .. ' ' .. created .. ' ' .. (made or category) .. '\n' .. at)
  end
end
local group = redis.pcall('XGROUP', 'CREATE', logs, 'workers', '0', 'MKSTREAM')
if type(group) == 'table' and group.err and not string.find(group.err, 'BUSYGROUP', 1, true) then
  return group
end
return { made or category }
