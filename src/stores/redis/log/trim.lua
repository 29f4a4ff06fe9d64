#!lua flags=allow-oom
--[[
Forgets the oldest events of a log, a bounded step at a time, and remembers how far.

Invariants
  1. The mark is set with the first step: a reader below it is told, however far the steps have come.
  2. The mark only rises, and is never above the version.
  3. It runs also at `maxmemory`: it is what frees memory.
  4. `removed` counts what our trims took away, so that a reader can tell when somebody else's did.
  5. Under a guard: nothing is forgotten unless the log is as the caller has read it, and nobody
     with a newer fence has come. Once the condition has held for an ID, a step up to there goes on
     where the one before has ended: what that took has changed the log, and is no reason to stop.

KEYS
  1  the log (stream)
  2  its meta (hash)
ARGV
  1  through which ID to forget
  2  the ID after it
  3  about how many events a step takes; 0 for a last, exact step
  4  under a guard: the log's stamp when it was read, '<trimmed> <first event> <how many are gone>'
  5  under a guard: its fence, a number

Returns how many events the step removed, or 'changed' or 'fenced'
]]
local key, metaKey = KEYS[1], KEYS[2]
local through, after, step = ARGV[1], ARGV[2], ARGV[3]
local stamp, fence = ARGV[4], tonumber(ARGV[5])

local stream, refusal = streamFacts(key)
if not stream then return refusal end
local version, added = stream['last-generated-id'], stream['entries-added']
if not version then return stamp and 'changed' or 0 end

local meta = redis.call('HMGET', metaKey, 'trimmed', 'fence', 'guarded')
local trimmed, known, guarded = meta[1] or '0-0', tonumber(meta[2] or 0), meta[3] or '0-0'

local function isAsRead()
  local first = stream['first-entry']
  local gone = string.format('%.0f', added - stream['length'])
  return table.concat({ trimmed, first and first[1] or '-', gone }, ' ') == stamp
    and isBelow(trimmed, through)
    and #redis.call('XRANGE', key, through, through) > 0
end

if stamp then
  if fence < known then return 'fenced' end
  if fence > known then redis.call('HSET', metaKey, 'fence', ARGV[5]) end
  if isBelow(guarded, through) then
    if not isAsRead() then return 'changed' end
    redis.call('HSET', metaKey, 'guarded', through)
  end
end

local mark = isBelow(version, through) and version or through
if isBelow(trimmed, mark) then redis.call('HSET', metaKey, 'trimmed', mark) end

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
