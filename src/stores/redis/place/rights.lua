--[[
Says what the user who calls this may not do, without doing it. On servers that cannot be asked
(`redis.acl_check_cmd` came with Redis 7.0; others speak its protocol too) nothing is said.

Invariants
  1. Writes and reads nothing. A key or a channel is asked about by its name alone.
  2. Redis 7.0 crashes when it is asked about a command that lacks arguments. So each comes whole, as
     a client would send it, and one that takes a key is asked about with a key that is allowed.

ARGV
  1  how many commands
  2  how many keys
  then the commands, words with spaces between them, in which @ stands for a key; the keys, each of
  which must be allowed; other keys, good enough for commands

Returns the numbers, from 1, of what is missing, in three lists: { unknown, refused, keys }
  unknown  commands that the server does not have
  refused  commands that the user may not call
  keys     keys that the user may not use
]]
local may = redis.acl_check_cmd
local unknown, refused, keys = {}, {}, {}
if not may then return { unknown, refused, keys } end

local commandCount, keyCount = tonumber(ARGV[1]), tonumber(ARGV[2])
local FIRST = 3

local allowedKey
for position = FIRST + commandCount, #ARGV do
  local key = ARGV[position]
  local number = position - FIRST - commandCount + 1
  -- As a script that reads and writes it.
  if may('EVAL', 'return', '1', key) then
    allowedKey = allowedKey or key
  elseif number <= keyCount then
    keys[#keys + 1] = number
  end
end

for number = 1, commandCount do
  local words, isAsked = {}, true
  for word in string.gmatch(ARGV[FIRST - 1 + number], '%S+') do
    if word == '@' then
      isAsked = isAsked and allowedKey ~= nil
      word = allowedKey
    end
    words[#words + 1] = word
  end
  if isAsked then
    local known, allowed = pcall(may, unpack(words))
    if not known then
      unknown[#unknown + 1] = number
    elseif not allowed then
      refused[#refused + 1] = number
    end
  end
end
return { unknown, refused, keys }
