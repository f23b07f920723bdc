--[[ Which of these counters promise more than is there, all looked at in one instant. Changes nothing.

  KEYS[1..]   stock:{<warehouse>}:<sku>   hash: on_hand, held, committed, allocated, transfer, safety
  Returns     { key, available to promise, ... }   of those below zero ]]
local found = {}
for i = 1, #KEYS do
  local c = redis.call('HMGET', KEYS[i], 'on_hand', 'held', 'committed', 'allocated', 'transfer', 'safety')
  local available = tonumber(c[1] or 0)
  for j = 2, 6 do
    available = available - tonumber(c[j] or 0)
  end
  if available < 0 then
    found[#found + 1] = KEYS[i]
    found[#found + 1] = available
  end
end
return found
