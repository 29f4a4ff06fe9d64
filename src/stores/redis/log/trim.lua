#!lua flags=allow-oom
--[[
Forgets the oldest events of a log, a bounded step at a time, and remembers how far.

Invariants
  1. The mark is set with the first step: a reader below it is told, however far the steps have come.
  2. The mark only rises, and is never above the version.
  3. It runs also at `maxmemory`: it is what frees memory.
  4. `removed` counts what our trims took away, so that a reader can tell when somebody else's did.

KEYS
  1  the log (stream)
  2  its meta (hash)
ARGV
  1  through which ID to forget
  2  the ID after it
  3  about how many events a step takes; 0 for a last, exact step

Returns how many events the step removed
]]
local key, metaKey = KEYS[1], KEYS[2]
local through, after, step = ARGV[1], ARGV[2], ARGV[3]

local stream, refusal = streamFacts(key)
if not stream then return refusal end
local version, added = stream['last-generated-id'], stream['entries-added']
if not version then return 0 end

local mark = isBelow(version, through) and version or through
local previous = redis.call('HGET', metaKey, 'trimmed') or '0-0'
if isBelow(previous, mark) then redis.call('HSET', metaKey, 'trimmed', mark) end

local removed
if step ~= '0' then
  removed = redis.call('XTRIM', key, 'MINID', '~', after, 'LIMIT', step)
elseif mark == version then
  removed = redis.call('XTRIM', key, 'MAXLEN', 0)
else
  removed = redis.call('XTRIM', key, 'MINID', after)
end
if removed > 0 then
  -- There was an event below the mark, so nobody else had trimmed beyond it: whatever is gone by
  -- now lies below the mark, or was deleted one by one.
  redis.call('HSET', metaKey, 'removed', string.format('%.0f', added - redis.call('XLEN', key)))
end
return removed
