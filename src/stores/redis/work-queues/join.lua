--[[
Makes a group, if it is not there, at the end of the feed as it is now. A group that starts with
all events goes over the feed's marks instead of its entries: one step a log, not one an append.

Invariants
  1. How the group was made stays with its cursors, too. Where its state is lost, it is made again in
     the same way: a group that began with what came then goes over the feed from there.
  2. A group whose cursors are lost is not made again: it would do everything twice.

KEYS
  1  the feed (stream)   2  logs (stream)   3  state (hash)   4  cursors (hash)
ARGV
  1  category, or ''     2  'start' or 'now'

Returns { the category that the group was made for }, or {} when its cursors are lost. A group
of a version that did not write down when it was made counts as made now.
]]
local feed, logs, state, cursors = unpack(KEYS)
local category, from = ARGV[1], ARGV[2]

local known = redis.call('HMGET', state, 'category', 'created', 'from', 'at', 'mark')
local made, created, origin = known[1], known[2], redis.call('HGET', cursors, '')
if made and created and not origin then return {} end

local function endOfFeed()
  local last = redis.call('XREVRANGE', feed, '+', '-', 'COUNT', '1')[1]
  if last then
    local fields = last[2]
    return last[1], fields[#fields - 1] .. ' ' .. fields[#fields]
  end
  return streamFacts(feed)['last-generated-id'] or '0-0', ''
end

if made then
  from = known[3]
elseif origin then
  from, created, category = string.match(origin, '^(%S+) (%S+) (%S*)')
end
local at, mark = known[4], known[5]
if not made then
  at, mark = endOfFeed()
  -- From where it was made on, if the feed still has that: look.lua sees to it.
  if origin and from == 'now' then at, mark = string.match(origin, '\n(%S+)\n(.*)$') end
  redis.call('HSET', state, 'category', category, 'from', from, 'at', at, 'mark', mark,
    'scan', from == 'start' and '0' or '')
end
if not known[2] then
  created = created or string.format('%.0f-0', readClock())
  redis.call('HSET', state, 'created', created)
  if not origin then
    local how = from .. ' ' .. created .. ' ' .. (made or category)
    redis.call('HSET', cursors, '', how .. '\n' .. at .. '\n' .. mark)
  end
end
local group = redis.pcall('XGROUP', 'CREATE', logs, 'workers', '0', 'MKSTREAM')
if type(group) == 'table' and group.err and not string.find(group.err, 'BUSYGROUP', 1, true) then
  return group
end
return { made or category }
