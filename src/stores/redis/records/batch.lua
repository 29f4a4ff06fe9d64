--[[
Changes records, all of them or none.

Invariants
  1. Every condition, type and range is checked before the first write: Lua does not roll back.
  2. A refusal names the first change that does not hold, and what the record is instead.
  3. Counting keeps a record's time to live; only a record that it makes is given one.

KEYS
  1 …  the records, each once
ARGV, five for each key
  1  condition  '' none, 'absent', 'is'
  2  the value that it must be
  3  action     '' none, 'set', 'remove', 'add'
  4  the value to set, or the whole number to add
  5  time to live in milliseconds, or ''

Returns
  {1, count, …}            done; what each 'add' came to, as text: the client's parser rounds
                           numbers near 2^53
  {0, position, value}     refused: the record at that position is this (nil: absent)
  {2, position}            something there is no string, or no number that can be added to
]]
local WIDTH = 5
local LARGEST = 9007199254740991

local function argument(position, number)
  return ARGV[(position - 1) * WIDTH + number]
end

-- A whole number in the one form that Redis itself counts with, and that a double can hold.
local function wholeNumber(text)
  if text ~= '0' and not string.match(text, '^%-?[1-9]%d*$') then return nil end
  if #text > 17 then return nil end
  local number = tonumber(text)
  if number > LARGEST or number < -LARGEST then return nil end
  return number
end

local current = {}
for position, key in ipairs(KEYS) do
  local value = redis.pcall('GET', key)
  if type(value) == 'table' then
    if string.find(value.err, 'WRONGTYPE', 1, true) then return {2, position} end
    return value
  end
  local condition = argument(position, 1)
  if (condition == 'absent' and value) or (condition == 'is' and value ~= argument(position, 2)) then
    return {0, position, value}
  end
  if argument(position, 3) == 'add' then
    local count = wholeNumber(value or '0')
    local sum = count and count + tonumber(argument(position, 4))
    if not sum or sum > LARGEST or sum < -LARGEST then return {2, position} end
  end
  current[position] = value
end

local answer = {1}
for position, key in ipairs(KEYS) do
  local action, value, life = argument(position, 3), argument(position, 4), argument(position, 5)
  if action == 'set' then
    if life == '' then
      redis.call('SET', key, value)
    else
      redis.call('SET', key, value, 'PX', life)
    end
  elseif action == 'remove' then
    redis.call('DEL', key)
  elseif action == 'add' then
    if current[position] or life == '' then
      answer[#answer + 1] = string.format('%.0f', redis.call('INCRBY', key, value))
    else
      redis.call('SET', key, value, 'PX', life)
      answer[#answer + 1] = value
    end
  end
end
return answer
