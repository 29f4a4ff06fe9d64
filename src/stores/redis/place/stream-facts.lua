-- What Redis says of a stream, by name: empty where there is no such key. Where it is something
-- else: nil, and the refusal.
local function streamFacts(key)
  local info, facts = redis.pcall('XINFO', 'STREAM', key), {}
  if info.err then
    if string.find(info.err, 'no such key', 1, true) then return facts end
    return nil, info
  end
  for index = 1, #info, 2 do facts[info[index]] = info[index + 1] end
  return facts
end

