-- Whether event ID a comes before b. Decimals without leading zeros order by length, then as text.
local function isBelow(a, b)
  local dashA, dashB = string.find(a, '-', 1, true), string.find(b, '-', 1, true)
  if dashA ~= dashB then return dashA < dashB end
  local leftA, leftB = string.sub(a, 1, dashA), string.sub(b, 1, dashB)
  if leftA ~= leftB then return leftA < leftB end
  if #a ~= #b then return #a < #b end
  return a < b
end

