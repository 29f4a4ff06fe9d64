--[[
Writes the rows of a read model together with its checkpoint, or nothing.

Invariants
  1. Types, token and cursor are looked at before the first write: Lua does not roll back.
  2. The checkpoint is the first write: where Redis has no memory left it refuses that one, and
     with it the whole script.
  3. Rows and checkpoint are of one another: the field '' of the rows, which is no row, holds the
     checkpoint's cursor. Where somebody has removed one of both, or put back an old one, the rows
     are worth nothing: they go, and the table is one that was not begun.

KEYS
  1  the rows, a hash
  2  the checkpoint, a hash
ARGV
  1  token
  2  'at' when the table must be at cursor 3, 'absent' when it must not have been begun
  3  the expected cursor
  4  the cursor that it is at then
  5  how many rows are set: that many pairs of key and text follow, then the keys to be removed

Returns
  'committed', 'fenced', 'changed'; an error when something there is no hash
]]
local rows, checkpoint = KEYS[1], KEYS[2]
local token, condition, expected, following = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local FIRST = 6
local removals = FIRST + 2 * tonumber(ARGV[5])
-- What Lua can hand to one command.
local STEP = 4000

local mark = redis.call('HGET', rows, '')
local known = redis.call('HMGET', checkpoint, 'cursor', 'token')
if known[2] and tonumber(known[2]) > token then return 'fenced' end
if mark ~= known[1] then
  redis.call('UNLINK', rows)
  redis.call('HDEL', checkpoint, 'cursor')
  known[1] = false
end
if condition == 'absent' then
  if known[1] then return 'changed' end
elseif known[1] ~= expected then
  return 'changed'
end

local function inSteps(command, from, to)
  for start = from, to, STEP do
    redis.call(command, rows, unpack(ARGV, start, math.min(start + STEP - 1, to)))
  end
end

redis.call('HSET', checkpoint, 'cursor', following, 'token', ARGV[1])
redis.call('HSET', rows, '', following)
inSteps('HSET', FIRST, removals - 1)
inSteps('HDEL', removals, #ARGV)
return 'committed'
