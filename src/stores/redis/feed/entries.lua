--[[
Reads the index of the feed: which stretches of which logs it tells of, and how it stands.

Invariants
  1. Writes nothing, and touches no log.
  2. The answer is bounded by how many events it tells of, and what is gone through by how many
     stretches, whatever the category asked for. Entries are given whole.
  3. It stops before a hole in the feed: only the next page can tell of that.

KEYS
  1  the feed (stream): see append.lua. `0-<position>` is the ID of an entry
ARGV
  1  the position of the cursor: how many entries were read to their end
  2  the position of the entry whose end is to be told; 0 for none
  3  for about how many events; 0 asks for the facts alone
  4  what the names of the logs asked for start with

Returns { facts, body }
  facts  'first next end log last log last': the first entry that is kept, the first after the
         cursor, the last that was given out; how the entry of ARGV 2 ends, and how that last one
         does (- - where there is none)
  body   per entry that tells of a log asked for, and for the last one gone through:
         '<position> <stretches> <log> <last>' (the latter two being how it ends), for each of those
         stretches ' <index> <log> <first> <last>', and LF
]]
local call = redis.call
local find, sub, match, concat = string.find, string.sub, string.match, table.concat

local feedKey = KEYS[1]
local position, marked = tonumber(ARGV[1]), tonumber(ARGV[2])
local limit, prefix = tonumber(ARGV[3]), ARGV[4]

local MOST_STRETCHES = 4096

local function asText(number)
  return string.format('%.0f', number)
end

local function positionOf(id)
  local milliseconds, sequence = match(id, '^(%d+)-(%d+)$')
  -- Entries of another kind: the reader is told by an impossible position.
  return milliseconds == '0' and tonumber(sequence) or -1
end

-- 1. The feed itself.

local function endOf(fields)
  return fields[#fields - 1], match(fields[#fields], ' (.+)$')
end

local stream, refusal = streamFacts(feedKey)
if not stream then return refusal end
local finish = positionOf(stream['last-generated-id'] or '0-0')
local firstEntry = stream['first-entry']
local firstKept = firstEntry and positionOf(firstEntry[1]) or finish + 1

-- Not when it was removed, and others stay.
local endLog, endLast = '-', '-'
local lastKept = stream['last-entry']
if finish > 0 and lastKept and positionOf(lastKept[1]) == finish then
  endLog, endLast = endOf(lastKept[2])
end

local markLog, markLast = '-', '-'
if marked > 0 then
  local entry = call('XRANGE', feedKey, '0-' .. asText(marked), '0-' .. asText(marked))[1]
  if entry then markLog, markLast = endOf(entry[2]) end
end

-- 2. Which stretches it tells of.

local nextKept = finish + 1
local lines, words = {}, {}

local function collect()
  local wanted, seen, gone, at, chunk = 0, 0, 0, position, 8
  -- The last entry gone through, where nothing in it was asked for.
  local passed
  repeat
    local batch = call('XRANGE', feedKey, '0-' .. asText(at + 1), '+', 'COUNT', chunk)
    for number = 1, #batch do
      local here = positionOf(batch[number][1])
      if at == position and number == 1 then nextKept = here end
      if here ~= at + 1 or wanted >= limit or seen >= MOST_STRETCHES then return passed end
      at, gone = here, gone + 1
      local fields = batch[number][2]
      local markOf, markAt = endOf(fields)
      local count = 1
      words[1] = asText(here) .. ' ' .. asText(#fields / 2) .. ' ' .. markOf .. ' ' .. markAt
      for field = 1, #fields, 2 do
        local name = fields[field]
        seen = seen + 1
        if prefix == '' or sub(name, 1, #prefix) == prefix then
          local range = fields[field + 1]
          local space = find(range, ' ', 1, true)
          wanted = wanted + leastCount(sub(range, 1, space - 1), sub(range, space + 1))
          count = count + 1
          words[count] = asText((field - 1) / 2) .. ' ' .. name .. ' ' .. range
        end
      end
      if count > 1 then
        lines[#lines + 1] = concat(words, ' ', 1, count)
        passed = nil
      else
        passed = words[1]
      end
    end
    if #batch < chunk then return passed end
    chunk = math.min(256, math.max(1, math.ceil((limit - wanted) * gone / math.max(seen, 1))))
  until wanted >= limit or seen >= MOST_STRETCHES
  return passed
end
local passed = collect()
lines[#lines + 1] = passed or ''

return {
  concat({
    asText(firstKept), asText(nextKept), asText(finish), markLog, markLast, endLog, endLast,
  }, ' '),
  concat(lines, '\n'),
}
