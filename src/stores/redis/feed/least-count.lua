-- How many events there are from `first` to `last` at the least.
local function leastCount(first, last)
  if first == last then return 1 end
  local milliseconds, from = string.match(first, '(%d+)-(%d+)')
  local sameMilliseconds, to = string.match(last, '(%d+)-(%d+)')
  if milliseconds ~= sameMilliseconds then return 2 end
  return tonumber(to) - tonumber(from) + 1
end

